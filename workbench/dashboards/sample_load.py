"""The loading of sample sales in the background: one at a time in a process, seen by all its pages."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace

from workbench.engines import Engines
from workbench.errors import WorkbenchError
from workbench.sample import load

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """How far the running load is, or what became of the last one (``said``; empty before the first)."""

    is_running: bool = False
    is_stopping: bool = False
    done: int = 0
    total: int = 0
    said: str = ""
    is_error: bool = False


class SampleLoad:
    """One for a process. Loading is one database transaction: it ends with all sales or, when stopped, with none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.progress = Progress()

    def start(self, engines: Engines, count: int, seed: int) -> bool:
        """Starts a load in a thread of its own; False when one is running already."""
        with self._lock:
            if self.progress.is_running:
                return False
            self._stop.clear()
            self.progress = Progress(is_running=True, total=count)
        threading.Thread(target=self._run, args=(engines, count, seed), name="sample-load", daemon=True).start()
        return True

    def stop(self) -> None:
        """Asks the running load to end and to take back what it has loaded."""
        with self._lock:
            if self.progress.is_running:
                self._stop.set()
                self.progress = replace(self.progress, is_stopping=True)

    def _run(self, engines: Engines, count: int, seed: int) -> None:
        said, is_error = self._load(engines, count, seed)
        with self._lock:
            self.progress = Progress(said=said, is_error=is_error)

    def _load(self, engines: Engines, count: int, seed: int) -> tuple[str, bool]:
        """What became of it, in words, and whether that is an error."""
        try:
            loaded = load(engines, count, seed=seed, progress=self._advance, should_stop=self._stop.is_set)
        except WorkbenchError as error:
            return str(error), not self._stop.is_set()
        except Exception:
            log.exception("Loading sample sales failed")
            return "The load failed and nothing was loaded. The cause is in the server's log.", True
        return f"Loaded {loaded.sales:,} sales with {loaded.lines:,} lines in {loaded.seconds:.1f} s.", False

    def _advance(self, done: int, total: int) -> None:
        with self._lock:
            self.progress = replace(self.progress, done=done, total=total)
