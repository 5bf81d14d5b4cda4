"""The command verify: every metric on every engine, at one token."""

from __future__ import annotations

import dataclasses
import json
from contextlib import closing
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from workbench import locale
from workbench.cli.shared import AsJson, configured, errors, with_engines
from workbench.words import counted

if TYPE_CHECKING:
    from workbench.database.engines import Engines
    from workbench.metrics.verification import Verification

MOST_SHOWN = 50


def verify(as_json: AsJson = False) -> None:
    """Compare every metric on every engine at one token; exit code 1 when anything differs or could not be asked."""
    from workbench.metrics.verification import save

    def run(engines: Engines) -> Verification:
        result = _with_progress(engines)
        save(engines, result)
        return result

    result = with_engines(configured(), run)
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(result) | {"is_good": result.is_good}, default=str, indent=2))
    else:
        _show(result)
    raise typer.Exit(0 if result.is_good else 1)


def _with_progress(engines: Engines) -> Verification:
    from workbench.metrics import Columns
    from workbench.metrics.verification import verify as compare

    with Progress(console=errors) as progress, closing(Columns.of(engines.settings)) as columns:
        task = progress.add_task("Comparing", total=None)
        return compare(engines, lambda done, total: progress.update(task, completed=done, total=total), columns=columns)


def _show(result: Verification) -> None:
    from workbench.database.failures import called

    typer.echo(
        f"Compared {counted(result.figures, 'figure')} on {', '.join(map(called, result.engines))} at {result.token}."
    )
    if result.differences:
        table = Table("metric", "by", "group", "master", "engine", "its figure", box=None, pad_edge=False)
        for found in result.differences[:MOST_SHOWN]:
            table.add_row(found.metric, found.dimension, found.group, found.master, called(found.engine), found.found)
        Console(highlight=False, markup=False).print(table)
        left = len(result.differences) - MOST_SHOWN
        typer.echo(
            f"... and {locale.number(left)} more."
            if left > 0
            else f"Different: {counted(len(result.differences), 'figure')}."
        )
    for problem in result.problems:
        typer.echo(problem)
    if result.is_good:
        typer.echo("No difference.")
