"""Commands for the catalogue: import."""

from __future__ import annotations

import dataclasses
import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.imports import (
    EXIT_CODES,
    REFUSED,
    SIGNS,
    AcceptedOnly,
    Delimiter,
    DryRunOnly,
    Encoding,
    Sheet,
)
from workbench.cli.shared import AsJson, configured, say, with_engines
from workbench.words import counted, visible

if TYPE_CHECKING:
    from workbench.catalogue.importing import EntryFile
    from workbench.catalogue.service import SavedAll
    from workbench.database.engines import Engines

app = typer.Typer(
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


@app.callback()
def _group() -> None:
    """What stores, cashiers, products and customers are called, and list prices."""


@app.command("import", epilog=EXIT_CODES)
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
        from workbench.catalogue.importing import judge, write
        from workbench.database.replication import Reader, Session

        of = next(each for each in KINDS.values() if each.title.lower() == kind)
        catalogue = Catalogue(engines, Reader(engines), Session())
        found = judge(catalogue, of, file, reading)
        is_written = not dry_run and (accepted_only or not found.refused)
        return found, write(catalogue, of, found, accepted_only=accepted_only) if is_written else None

    found, saved = with_engines(configured(), work)
    if as_json:
        said = {"read": dataclasses.asdict(found), "saved": saved and dataclasses.asdict(saved)}
        typer.echo(json.dumps(said, default=str))
    else:
        _tell(found, saved, dry_run)
    if found.refused:
        raise typer.Exit(REFUSED)


def _tell(found: EntryFile, saved: SavedAll | None, dry_run: bool) -> None:
    from workbench.catalogue.importing import importing_text

    say("Read as " + ", ".join(f"{field}={visible(column)}" for field, column in found.columns.items()))
    if found.unused:
        say(f"Not used: {', '.join(map(visible, found.unused))}")
    for verdict in found.refused[:MOST_TOLD]:
        say(f"Row {verdict.row}: {visible(verdict.reason)}")
    if len(found.refused) > MOST_TOLD:
        say(f"... and {counted(len(found.refused) - MOST_TOLD, 'row')} more")
    done = "Nothing was imported." if saved is None else f"Imported: {saved.new:,} new, {saved.changed:,} changed."
    typer.echo(f"{importing_text(found)} {'Nothing was saved: a dry run.' if dry_run else done}")
