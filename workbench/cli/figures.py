"""Commands for figures: export writes sales or metrics as a file, verify compares every metric on every engine."""

from __future__ import annotations

import dataclasses
import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from workbench import locale
from workbench.cli.shared import AsJson, configured, errors, with_engines
from workbench.errors import FileRefused
from workbench.servers.disk import full_in_words, written_whole
from workbench.words import counted

if TYPE_CHECKING:
    from workbench.connection import Workbench
    from workbench.database.engines import Engines
    from workbench.metrics import Where
    from workbench.metrics.verification import Verification

METRICS_HELP = "A metric, such as revenue, in place of the sales themselves; can be repeated."


def export(
    file: Annotated[Path, typer.Argument(help="The file to write: its name ends with .csv, .xlsx or .parquet.")],
    where: Annotated[
        list[str] | None,
        typer.Option("-w", "--where", metavar="NAME=VALUE", help="A filter, such as stores=3; can be repeated."),
    ] = None,
    metric: Annotated[list[str] | None, typer.Option(help=METRICS_HELP)] = None,
    by: Annotated[list[str] | None, typer.Option(help="A dimension of the metrics; can be repeated.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the sales that the filters leave, or metrics of them, as CSV, Excel or Parquet."""
    from workbench import connect
    from workbench.files import format_of

    format_of(file)
    if by and not metric:
        raise FileRefused("--by needs a --metric: sales are written one by one.")
    if not file.parent.is_dir():
        raise FileRefused(f"There is no folder {file.parent} to write {file.name} to.")
    workbench = connect(configured())
    try:
        with errors.status(f"Writing {file.name} ..."):
            rows, engine, as_of = _written_whole(workbench, file, _where(where or []), metric or [], by or [])
    finally:
        workbench.close()
    if as_json:
        typer.echo(json.dumps({"file": str(file), "rows": rows, "engine": engine, "as_of": as_of}, default=str))
    else:
        typer.echo(f"Wrote {counted(rows, 'row')} to {file} ({file.stat().st_size / 1e6:.1f} MB).")


def _where(given: list[str]) -> Where:
    """The filter that is given. Raises MetricError for what a filter does not take."""
    from workbench.metrics import NUMBERS, Where
    from workbench.metrics.where import named

    found: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise FileRefused(f"-w {text[:60]!r} cannot be used: give NAME=VALUE.")
        found.setdefault(name, []).append(int(value) if name in NUMBERS and value.isdecimal() else value)
    fields = Where.__dataclass_fields__
    named(fields, found)
    return Where(**{name: values if fields[name].default == () else values[-1] for name, values in found.items()})


def _written_whole(
    workbench: Workbench, file: Path, where: Where, metrics: list[str], by: list[str]
) -> tuple[int, str, object]:
    """How many rows were written, who answered and as of when; what was there before stays until all is written."""
    try:
        with full_in_words(file.parent), written_whole(file) as made:
            return _written(workbench, made, where, metrics, by)
    except OSError as error:
        raise FileRefused(f"{file} could not be written: {error.strerror}.") from None


def _written(
    workbench: Workbench, path: Path, where: Where, metrics: list[str], by: list[str]
) -> tuple[int, str, object]:
    from workbench.catalogue.names import KnownNames, with_names
    from workbench.files import of_frame, write
    from workbench.metrics import Source, ask
    from workbench.metrics.sale_pages import write_sales

    source, names = Source(workbench.reader, workbench.read_position), KnownNames(workbench.reader).now
    if not metrics:
        sales = write_sales(source, where, path, names.by_dimension)
        return sales.value, sales.engine, sales.as_of
    answer = ask(source, metrics, by=by, where=where)
    with of_frame(with_names(answer.value, names)) as rows:
        return write(rows, path, metrics[0]), answer.engine, answer.as_of


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
