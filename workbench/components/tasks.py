"""Long tasks in the background: one at a time, seen by all pages of the process; and files that take long to write."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewable, Viewer

from workbench import locale
from workbench.components.browser.files import Downloads, written
from workbench.components.inline import is_closed
from workbench.components.messages import Said
from workbench.database.askers import Asker
from workbench.errors import FileRefused, FileStopped, WorkbenchError
from workbench.locale import N_, _

log = logging.getLogger(__name__)

Advance = Callable[[int, int], None]
ShouldStop = Callable[[], bool]
Work = Callable[[Advance, ShouldStop], str]


@dataclass(frozen=True)
class Progress:
    """How far the running task is, or what became of the last one (``said``; empty before the first).

    ``note`` says what the task is at, or waits for. ``ended`` counts the tasks that have ended: one can begin and end
    between two looks.
    """

    is_running: bool = False
    is_stopping: bool = False
    done: int = 0
    total: int = 0
    note: str = ""
    said: str = ""
    is_error: bool = False
    ended: int = 0


class Job:
    """One kind of task of a process; ``failed`` is what a page says when it ended with an error nobody foresaw."""

    def __init__(self, failed: str) -> None:
        self._failed = _("{what} The cause is in the server's log.", what=failed)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.progress = Progress()

    def start(self, work: Work, total: int = 0) -> bool:
        """Starts ``work`` in a thread of its own; False when one is running already.

        ``work`` gets a function for how far it is and one that says whether to stop, and returns what became of it.
        """
        with self._lock:
            if self.progress.is_running:
                return False
            self._stop.clear()
            self.progress = Progress(is_running=True, total=total, ended=self.progress.ended)
        threading.Thread(target=self._run, args=(work,), name="job", daemon=True).start()
        return True

    def stop(self) -> None:
        """Asks the running task to end."""
        with self._lock:
            if self.progress.is_running:
                self._stop.set()
                self.progress = replace(self.progress, is_stopping=True)

    def note(self, text: str) -> None:
        """Takes down what the running task is at, or waits for; empty when that is over."""
        with self._lock:
            self.progress = replace(self.progress, note=text)

    def _run(self, work: Work) -> None:
        said, is_error = self._result(work)
        with self._lock:
            self.progress = Progress(said=said, is_error=is_error, ended=self.progress.ended + 1)

    def _result(self, work: Work) -> tuple[str, bool]:
        """What became of it, in words, and whether that is an error."""
        try:
            return work(self._advance, self._stop.is_set), False
        except WorkbenchError as error:
            return str(error), not self._stop.is_set()
        except Exception:
            log.exception("A task in the background failed")
            return self._failed, True

    def _advance(self, done: int, total: int) -> None:
        with self._lock:
            self.progress = replace(self.progress, done=done, total=total)


class Controls:
    """What a page shows of something that takes long: a bar, a button that stops it, and what is said of it."""

    def __init__(self, stop: Callable[[], None], label: str = "", **look: Any) -> None:
        self.bar = pmui.LinearProgress(value=0, max=1, margin=0, visible=False, sizing_mode="stretch_width")
        self.stop = pmui.Button(
            label=label or _("Stop"), variant="outlined", color="error", margin=0, visible=False, **look
        )
        self.stop.on_click(lambda _event: stop())
        self.said = Said()

    def show(self, *, is_running: bool, done: int, total: int, is_stopping: bool, can_stop: bool = True) -> None:
        """Shows how far it is while it runs, nothing before and after."""
        self.stop.param.update(visible=is_running and can_stop, disabled=is_stopping)
        self.bar.param.update(visible=is_running, max=max(total, 1), value=done)


class JobControls(Controls):
    """The Controls of a Job, which other pages may have begun as well."""

    def __init__(self, job: Job, stop: Callable[[], None], **look: Any) -> None:
        super().__init__(stop, **look)
        self.job = job
        self._awaited: int | None = None  # how many tasks will have ended when the one that this page began has

    def start(self, work: Work, total: int = 0) -> bool:
        """Starts ``work``, whose end this page then tells aloud; False when a task runs already."""
        due = self.job.progress.ended + 1
        is_started = self.job.start(work, total)
        if is_started:
            self._awaited = due
        return is_started

    def follow(self, *, stops_unknown: bool = True) -> Progress:
        """Shows how far the task is; one of which nobody knows how much it is can be stopped if ``stops_unknown``."""
        progress = self.job.progress
        self.show(
            is_running=progress.is_running,
            done=progress.done,
            total=progress.total,
            is_stopping=progress.is_stopping,
            can_stop=stops_unknown or progress.total > 0,
        )
        return progress

    def own_has_ended(self) -> bool:
        """Whether the task that this page began has ended; True once."""
        has_ended = self._awaited is not None and self.job.progress.ended >= self._awaited
        if has_ended:
            self._awaited = None
        return has_ended


LOOK_SECONDS, SOON_SECONDS = 0.1, 0.5
AT_ONCE = 2  # of a process: the others wait
STOPPED = N_("Stopped: no file was written.")
_turn = threading.BoundedSemaphore(AT_ONCE)


class LongFile(Viewer):
    """One at a time for a page; it is written on a thread of its own, and ends with its page."""

    def __init__(self, downloads: Downloads) -> None:
        super().__init__()
        self._downloads, self._asker = downloads, Asker()
        self._job = Job(_("The file was not written."))
        self._controls = JobControls(self._job, self._stop, size="small")

    async def hand_out(self, name: str, write: Callable[[Path, Advance], object]) -> None:
        """Has ``write`` write the file of this name, and hands it out.

        ``write`` tells how many rows of how many it has. Raises FileRefused, and in words what ``write`` raises.
        """
        made: list[IO[bytes]] = []
        asker = self._asker = Asker()

        def work(advance: Advance, should_stop: ShouldStop) -> str:
            def tell(rows: int, of: int) -> None:
                advance(rows, of)
                if should_stop():
                    raise FileStopped(_(STOPPED))

            with _in_turn(self._job, should_stop), asker.asks():
                made.append(written(name, lambda path: write(path, tell)))
            return ""

        if not self._controls.start(work):
            raise FileRefused(_("Another file is being written: wait for it, or stop it."))
        await self._follow(name)
        progress = self._job.progress
        if made:
            self._downloads.hand_out(name, made[0])
        elif progress.is_error:
            raise FileRefused(progress.said)
        else:
            self._controls.said.say(_(STOPPED))

    async def _follow(self, name: str) -> None:
        began, said = time.monotonic(), self._controls.said
        said.follow("")
        while (progress := self._job.progress).is_running:
            await asyncio.sleep(LOOK_SECONDS)
            if is_closed():
                self._stop()
            elif time.monotonic() - began > SOON_SECONDS:
                self._controls.follow()
                said.follow(_("Stopping …") if progress.is_stopping else progress.note or _how_far(name, progress))
        self._controls.follow()
        said.follow("")

    def _stop(self) -> None:
        self._job.stop()
        self._asker.leave()

    def __panel__(self) -> Viewable:
        row = pn.Row(self._controls.said, self._controls.stop, sizing_mode="stretch_width", margin=0)
        return pn.Column(self._controls.bar, row, sizing_mode="stretch_width", margin=0)


def _how_far(name: str, progress: Progress) -> str:
    if not progress.total:
        return _("Writing {file}: reading …", file=name)
    rows = {"done": locale.number(progress.done), "of": locale.number(progress.total)}
    return _("Writing {file}: {done} of {of} rows …", file=name, **rows)


@contextmanager
def _in_turn(job: Job, should_stop: ShouldStop) -> Iterator[None]:
    """Waits until few enough files are being written. Raises FileStopped when it is stopped meanwhile."""
    while not _turn.acquire(timeout=0.2):
        job.note(_("Waiting: other files are being written …"))
        if should_stop():
            raise FileStopped(_(STOPPED))
    try:
        job.note("")
        yield
    finally:
        _turn.release()
