"""The commands import, undo-import, catalogue import: files in, with a verdict for each row, and taken back whole."""

from __future__ import annotations

import dataclasses
import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from workbench import locale
from workbench.cli.shared import AsJson, configured, errors, say, with_engines
from workbench.errors import ImportRefused
from workbench.words import counted, visible

if TYPE_CHECKING:
    from workbench.database.engines import Engines
    from workbench.imports import DryRun, FileMapping, Imported, ImportFile

REFUSED = 3  # the exit code when rows are refused
SIGNS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "point": "."}
EXIT_CODES = (
    "Exit codes: 0 all rows are imported, or were before; 1 an error, and nothing was imported; 2 wrong use; 3 rows are"
    " refused: nothing was imported, or with --accepted-only all others."
)

# Options of all commands that import a file.
Delimiter = Annotated[str, typer.Option(help="What separates columns: comma, semicolon, tab or bar.")]
Encoding = Annotated[str, typer.Option(help="The encoding of a CSV, such as cp1252.")]
Sheet = Annotated[str, typer.Option(help="The sheet of an Excel file.")]
DryRunOnly = Annotated[bool, typer.Option("--dry-run", help="Only say what would be imported.")]
AcceptedOnly = Annotated[
    bool, typer.Option("--accepted-only", help="Import the accepted rows also when others are refused.")
]


def import_file(
    file: Annotated[Path, typer.Argument(help="A file of sales: CSV, Excel (.xlsx) or Parquet.")],
    mapping: Annotated[str, typer.Option("--map", metavar="NAME", help="Read it by a mapping that was kept.")] = "",
    keep: Annotated[str, typer.Option(metavar="NAME", help="Keep how it is read under this name.")] = "",
    column: Annotated[
        list[str] | None, typer.Option("-c", metavar="FIELD=COLUMN", help="The column of a field; can be repeated.")
    ] = None,
    value: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="A field of all rows that name none; can be repeated."),
    ] = None,
    decimals: Annotated[str, typer.Option(help="The decimal sign: point or comma.")] = "",
    dates: Annotated[str, typer.Option(help="How days are written: year first, day first or month first.")] = "",
    delimiter: Delimiter = "",
    encoding: Encoding = "",
    sheet: Sheet = "",
    dry_run: DryRunOnly = False,
    accepted_only: AcceptedOnly = False,
    refused: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the refused rows with reasons, to be mended: .csv, .xlsx, .parquet."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    from workbench.files import format_of

    if refused is not None:
        format_of(refused)
    given = {
        "decimals": SIGNS.get(decimals, decimals),
        "dates": dates,
        "delimiter": SIGNS.get(delimiter, delimiter),
        "encoding": encoding,
        "sheet": sheet,
    }
    fields = {"columns": _pairs("-c", column), "defaults": _pairs("--set", value)}

    def work(engines: Engines) -> int:
        from workbench.imports import ImportFile, keep_mapping

        opened = ImportFile(engines, file, file.name)
        try:
            opened.read(_mapping(engines, mapping, {name: text for name, text in given.items() if text}, fields))
            if keep:
                keep_mapping(engines, keep, opened.mapping)
            return _run(opened, dry_run, accepted_only, refused, as_json)
        finally:
            opened.close()

    raise typer.Exit(with_engines(configured(), work))


import_file.__doc__ = f"""Import sales from FILE in one transaction, each row checked as the form checks; twice is once.

What the file's columns mean is found out by their names. {EXIT_CODES}
"""


def undo_import(
    import_id: Annotated[int | None, typer.Argument(metavar="[IMPORT]", help="Its number; see --list.")] = None,
    only_list: Annotated[bool, typer.Option("--list", help="Only list the imports.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take back one import as a whole: its sales that nobody has changed since. The audit log keeps them."""
    from workbench.imports import imports, undo, undone_text

    if only_list or import_id is None:
        found = with_engines(configured(), imports)
        if as_json:
            typer.echo(json.dumps([dataclasses.asdict(each) for each in found], default=str))
            return
        for each in found:
            undone = f"; undone by {each.undone_by}" if each.undone_at else ""
            typer.echo(
                f"{each.import_id}: {visible(each.file_name)}, {counted(each.sales, 'sale')} of"
                f" {each.imported_at:%Y-%m-%d %H:%M} UTC by {each.actor}, {locale.number(each.sales_left)} left{undone}"
            )
        if not only_list:
            raise ImportRefused("Say which import is to be undone, by its number.")
        return
    done = with_engines(configured(), lambda engines: undo(engines, import_id))
    typer.echo(json.dumps(dataclasses.asdict(done)) if as_json else undone_text(done))


def _pairs(option: str, given: list[str] | None) -> dict[str, str]:
    found = {}
    for text in given or []:
        name, equals, value = text.partition("=")
        if not equals:
            raise typer.BadParameter(f"{text[:60]!r} cannot be used: give FIELD=...", param_hint=option)
        found[name.strip()] = value
    return found


def _mapping(engines: Engines, name: str, given: dict[str, str], fields: dict[str, dict[str, str]]) -> FileMapping:
    """The kept mapping with what else is given in its place."""
    from workbench.imports import FileMapping, mappings

    kept = FileMapping()
    if name:
        known = mappings(engines)
        if name not in known:
            raise ImportRefused(f"There is no mapping {name!r}: {', '.join(known) or 'none was kept yet'}.")
        kept = known[name]
    columns, defaults = ({**getattr(kept, part), **fields[part]} for part in ("columns", "defaults"))
    return dataclasses.replace(kept, columns=columns, defaults=defaults, **given)


def _run(file: ImportFile, dry_run: bool, accepted_only: bool, refused: Path | None, as_json: bool) -> int:
    with errors.status(f"Checking {file.name} ..."):
        found = file.dry_run()
    if refused is not None and found.refused:
        try:
            file.write_refused(refused)
        except OSError as error:
            raise ImportRefused(f"{refused} could not be written: {error.strerror}.") from None
    made = None if dry_run or (found.refused and not accepted_only) else _written(file, found, accepted_only)
    if as_json:
        typer.echo(_json(file, found, made))
    else:
        _tell(file, found, made, dry_run)
    return REFUSED if found.refused else 0


def _written(file: ImportFile, found: DryRun, accepted_only: bool) -> Imported:
    from workbench.imports import write

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, disable=not errors.is_terminal) as progress:
        task = progress.add_task("Importing", total=found.lines)
        return write(
            file,
            accepted_only=accepted_only,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )


def _tell(file: ImportFile, found: DryRun, made: Imported | None, dry_run: bool) -> None:
    table, read = file.table, file.mapping
    assert table is not None
    said = [table.kind, table.encoding, table.sheet, f"decimal sign {read.decimals}", f"dates {read.dates}"]
    say(
        f"Read as {', '.join(part for part in said if part)}: " + ", ".join(f"{a}={b}" for a, b in read.columns.items())
    )
    totals = Table("verdict", "rows", "value", "for example", box=None, pad_edge=False)
    for total in found.totals:
        totals.add_row(
            visible(total.kind),
            locale.number(total.rows),
            locale.number(total.value, 2),
            _escaped(total.example),
        )
    errors.print(totals)
    for text in (*found.doubts, found.shortfall):
        if text:
            say(text)
    sales = found.new
    if made is not None and made.import_id is not None:
        typer.echo(f"Imported {sales}, in {made.seconds:.1f} s: import {made.import_id}.")
    elif made is not None:
        typer.echo("Nothing was imported: no row is new.")
    elif dry_run:
        typer.echo(f"Would import {sales}.")
    else:
        why = f"{counted(found.refused, 'row')} are refused"
        typer.echo(f"Nothing was imported, as {why}" + (f"; --accepted-only imports {sales}." if found.sales else "."))


def _escaped(text: str) -> str:
    return visible(text).replace("[", "\\[")


def _json(file: ImportFile, found: DryRun, made: Imported | None) -> str:
    said: dict[str, Any] = {
        "read": {**dataclasses.asdict(file.mapping)},
        "dry_run": dataclasses.asdict(found) | {"refused": found.refused, "shortfall": found.shortfall},
        "imported": made and dataclasses.asdict(made),
    }
    return json.dumps(said, default=str)


if TYPE_CHECKING:
    from workbench.catalogue.service import SavedAll
    from workbench.database.engines import Engines
    from workbench.imports.entries import EntryFile

catalogue_app = typer.Typer(
    help="What stores, cashiers, products and customers are called, and list prices.", no_args_is_help=True
)
MOST_TOLD = 20


class KindName(StrEnum):
    """What the entries of a file are."""

    stores = "stores"
    cashiers = "cashiers"
    products = "products"
    prices = "prices"
    customers = "customers"


@catalogue_app.callback()
def _group() -> None:
    """What stores, cashiers, products and customers are called, and list prices."""


@catalogue_app.command("import", epilog=EXIT_CODES)
def import_entries(
    kind: Annotated[KindName, typer.Argument(help="What the file holds.")],
    file: Annotated[Path, typer.Argument(help="CSV, Excel (.xlsx) or Parquet; its first row names the columns.")],
    delimiter: Delimiter = "",
    encoding: Encoding = "",
    sheet: Sheet = "",
    dry_run: DryRunOnly = False,
    accepted_only: AcceptedOnly = False,
    as_json: AsJson = False,
) -> None:
    """Make entries of the rows of a file, and change those that are there; all of them in one transaction."""
    from workbench.imports import FileMapping

    reading = FileMapping(encoding=encoding, delimiter=SIGNS.get(delimiter, delimiter), sheet=sheet)

    def work(engines: Engines) -> tuple[EntryFile, SavedAll | None]:
        from workbench.catalogue import KINDS, Catalogue
        from workbench.database.replication import Reader, ReadPosition
        from workbench.imports.entries import judge, write

        of = next(each for each in KINDS.values() if each.title.lower() == kind)
        catalogue = Catalogue(engines, Reader(engines), ReadPosition())
        found = judge(catalogue, of, file, reading)
        is_written = not dry_run and (accepted_only or not found.refused)
        return found, write(catalogue, of, found, accepted_only=accepted_only) if is_written else None

    found, saved = with_engines(configured(), work)
    if as_json:
        said = {"read": dataclasses.asdict(found), "saved": saved and dataclasses.asdict(saved)}
        typer.echo(json.dumps(said, default=str))
    else:
        _tell_entries(found, saved, dry_run)
    if found.refused:
        raise typer.Exit(REFUSED)


def _tell_entries(found: EntryFile, saved: SavedAll | None, dry_run: bool) -> None:
    from workbench.imports.entries import importing_text

    say("Read as " + ", ".join(f"{field}={visible(column)}" for field, column in found.columns.items()))
    if found.unused:
        say(f"Not used: {', '.join(map(visible, found.unused))}")
    for verdict in found.refused[:MOST_TOLD]:
        say(f"Row {verdict.row}: {visible(verdict.reason)}")
    if len(found.refused) > MOST_TOLD:
        say(f"... and {counted(len(found.refused) - MOST_TOLD, 'row')} more")
    done = (
        "Nothing was imported."
        if saved is None
        else f"Imported: {locale.number(saved.new)} new, {locale.number(saved.changed)} changed."
    )
    typer.echo(f"{importing_text(found)} {'Nothing was saved: a dry run.' if dry_run else done}")
