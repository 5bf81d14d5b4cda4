"""The command bench: how quick everything is, on servers of its own, beside baselines of the same run."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from workbench.cli.shared import AsJson, logged_settings, say
from workbench.config import MOST_PROCESSES
from workbench.errors import BenchFailed
from workbench.words import counted

if TYPE_CHECKING:
    from workbench.cli.bench.run import Measured

__all__ = ["bench"]
QUICK_SALES, USUAL_SALES = [2_000], [100_000]
QUICK_PAGES, USUAL_PAGES = [3], [50, 100]


def bench(
    sales: Annotated[
        list[int] | None, typer.Option(help="With how many sales; may be given several times. [default: 100000]", min=1)
    ] = None,
    pages: Annotated[
        list[int] | None, typer.Option(help="With how many pages open; likewise. [default: 50 and 100]", min=1)
    ] = None,
    processes: Annotated[
        list[int] | None,
        typer.Option(help="By how many processes pages are served; likewise. [default: 1]", min=1, max=MOST_PROCESSES),
    ] = None,
    quick: Annotated[bool, typer.Option(help="Few sales, pages and repeats: shows that it works, no more.")] = False,
    folder: Annotated[
        Path | None,
        typer.Option(
            help="Where the servers are made, and stay for the next time. [default: nowhere]", file_okay=False
        ),
    ] = None,
    write: Annotated[
        Path | None, typer.Option(help="Put the figures into this page, docs/PERFORMANCE.md.", dir_okay=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure figures, pages and saves beside baselines of the same run. The servers in use are left alone."""
    from workbench.cli.bench.run import QUICK, USUAL, written
    from workbench.cli.bench.run import bench as measure

    if write is not None and not write.parent.is_dir():
        raise BenchFailed(f"There is no folder {write.parent} to write {write.name} to.")
    settings = logged_settings()
    effort, place = QUICK if quick else USUAL, folder and folder.absolute()
    results = []
    for count in sales or (QUICK_SALES if quick else USUAL_SALES):
        say(f"Measuring with {counted(count, 'sale')}")
        many = pages or (QUICK_PAGES if quick else USUAL_PAGES)
        result = measure(settings, count, many, processes or [1], effort=effort, folder=place, say=say)
        results.append(result)
        if not as_json:
            _show(result)
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(result) for result in results], indent=2))
    if write is not None:
        written(write, results)


def _show(result: Measured) -> None:
    from workbench.cli.bench.run import rows

    table = Table("what", "figure", "ratio", "to reach", "", box=None, pad_edge=False)
    for row in rows(result):
        table.add_row(*row)
    console = Console(width=140, highlight=False, markup=False)
    console.print(f"{counted(result.sales, 'sale')}, in {result.seconds:.0f} s")
    console.print(table)
    for text in result.left_out:
        console.print(text)
