"""docs/PERFORMANCE.md: what was measured, between two marks; what people have written around it stays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from workbench.cli.bench.kinds import Kind, judged
from workbench.cli.bench.run import Measured, machine
from workbench.errors import BenchFailed
from workbench.servers.disk import full_in_words, write_whole
from workbench.words import counted

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
