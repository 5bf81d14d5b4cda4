"""The command export: sales, or metrics by dimensions, as a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.shared import AsJson, configured, errors
from workbench.errors import FileRefused
from workbench.servers.disk import full_in_words, written_whole
from workbench.words import counted

if TYPE_CHECKING:
    from workbench.connection import Workbench
    from workbench.metrics import Where

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

    source, names = Source(workbench.reader, workbench.session), KnownNames(workbench.reader).now
    if not metrics:
        sales = write_sales(source, where, path, names.by_dimension)
        return sales.value, sales.engine, sales.as_of
    answer = ask(source, metrics, by=by, where=where)
    with of_frame(with_names(answer.value, names)) as rows:
        return write(rows, path, metrics[0]), answer.engine, answer.as_of
