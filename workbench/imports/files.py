"""ImportFile: a file of sales from its reading to its verdicts, in a folder and a database of its own."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import sqlalchemy as sa

from workbench import locale
from workbench.accounts.actor import Actor, as_actor
from workbench.database.engines import Engines
from workbench.database.failures import SERVER_ERRORS, in_words
from workbench.database.sql_files import read_sql, run_sql
from workbench.errors import ImportRefused
from workbench.files import Rows, quoted, write
from workbench.imports.mapping import INVOICE, FileMapping, found_out, kind_of
from workbench.imports.reading import Table, tabulate
from workbench.imports.returns import Taken, match
from workbench.imports.verdicts import ACCEPTED, ALREADY, judge, leave_out
from workbench.locale import N_, _, ngettext
from workbench.sales.doubts import UNUSUAL_QUANTITY, find_unlisted
from workbench.sales.rights import Rights
from workbench.words import counted, visible

IMPORTING = N_("To import sales")
AT_ONCE = 50_000  # sales that are asked about at once
MOST_NAMED = 3
WHY = "Why refused"  # a column of a file, which is to be read again
UNLISTED = N_("not in the catalogue")
MOST_ASKED = 20  # stores, or cashiers


@dataclass(frozen=True)
class Total:
    """The rows with one verdict, and quantity times price less discount of those whose numbers can be read."""

    kind: str
    rows: int
    value: Decimal
    example: str = ""


@dataclass(frozen=True)
class DryRun:
    """What an import would do: rows by verdict, those accepted first, and what would be added: ``sales``, of which so
    many ``returns``, and their lines.

    ``value`` is that of all rows of the file; ``doubts`` are what a form would ask about.
    """

    totals: tuple[Total, ...]
    sales: int
    lines: int
    revenue: Decimal
    doubts: tuple[str, ...] = ()
    returns: int = 0

    @property
    def value(self) -> Decimal:
        """Of all rows of the file."""
        return sum((total.value for total in self.totals), Decimal())

    @property
    def new(self) -> str:
        """What would be added, in words."""
        of = {"sales": counted(self.sales - self.returns, "sale"), "lines": counted(self.lines, "line")}
        of["amount"] = money(self.revenue)
        if self.returns:
            returns = counted(self.returns, "return")
            return _("{sales} and {returns} with {lines}, revenue {amount}", **of, returns=returns)
        return _("{sales} with {lines}, revenue {amount}", **of)

    @property
    def refused(self) -> int:
        """The rows that can be neither imported nor have been."""
        return sum(total.rows for total in self.totals if total.kind not in (ACCEPTED, ALREADY))

    @property
    def shortfall(self) -> str:
        """By how much what would be there falls short of the file, in words; empty when it does not."""
        out = [total for total in self.totals if total.kind not in (ACCEPTED, ALREADY) and total.value]
        if not out:
            return ""
        short = sum((total.value for total in out), Decimal())
        of = {"all": money(self.value), "refused": money(short), "short": money(abs(short))}
        of["why"] = "; ".join(f"{_(total.kind)} {money(total.value)}" for total in out)
        if short < 0:
            return _(
                "The file's rows come to {all}. What is refused comes to {refused} of it ({why}): the revenue of what"
                " is imported is higher by {short}.",
                **of,
            )
        return _(
            "The file's rows come to {all}. What is refused comes to {refused} of it ({why}): the revenue of what is"
            " imported is lower by {short}.",
            **of,
        )


def money(value: Decimal) -> str:
    """With two decimals, or as many as there are."""
    plain = value.normalize()
    places = max(2, -int(plain.as_tuple().exponent)) if plain else 2
    return locale.number(value, places)


class ImportFile:
    """A file that is to be imported, opened for one actor. Its steps follow one another; ``close`` it in the end."""

    def __init__(self, engines: Engines, path: Path, name: str, actor: Actor | str = "") -> None:
        """Its folder is gone with ``close``, or with the process. Raises RoleRefused, ImportRefused."""
        self.actor = as_actor(actor)
        self.actor.need("editor", IMPORTING)
        self.engines, self.name = engines, visible(Path(name).name)[:255]
        self._folder = Path(tempfile.mkdtemp(prefix="workbench-import-"))
        self._remove = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._path = self._folder / "given"
        self.table: Table | None = None
        self.mapping = FileMapping()
        self.result: DryRun | None = None
        self.rights: Rights | None = None
        self.seen = ""
        self._strangers: list[str] = []
        try:
            self._path.symlink_to(path.resolve(strict=True))  # its own name may be read as a pattern
            with self._path.open("rb") as file:
                self.hash = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            self.close()
            raise self._unread(error) from None
        self.database = self._connected()

    def _unread(self, error: OSError) -> ImportRefused:
        return ImportRefused(_("{file} cannot be read: {why}.", file=self.name, why=error.strerror))

    def _connected(self) -> duckdb.DuckDBPyConnection:
        """A database that reads the file, and reads and writes in the folder: nothing else, whatever is asked of it."""
        database = duckdb.connect()
        given = str(self._path.resolve()).replace("'", "''")
        database.execute(f"set allowed_paths = ['{given}']")
        database.execute(f"set allowed_directories = ['{self._folder}']")
        database.execute(f"set temp_directory = '{self._folder}'")
        database.execute("set memory_limit = '1GB'")
        database.execute("set enable_external_access = false")
        return database

    def read(self, mapping: FileMapping | None = None, *, drops_missing: bool = False) -> Table:
        """Reads the file as the mapping says, and finds out what it leaves open. Raises ImportRefused.

        A column that the file has not is left open too if ``drops_missing``, else ``dry_run`` refuses it.
        """
        wanted = mapping or FileMapping()
        self.result = None
        how = {"encoding": wanted.encoding, "delimiter": wanted.delimiter, "sheet": wanted.sheet}
        try:
            self.table = tabulate(self.database, self._path, self.name, **how)
        except OSError as error:  # it is gone, or the disk is full
            raise self._unread(error) from None
        if drops_missing:
            wanted = wanted.without_missing(self.table.columns)
        guessed = wanted.with_guesses(self.table.columns)
        has_all = set(guessed.columns.values()) <= set(self.table.columns)
        self.mapping = found_out(self.database, self.table.columns, guessed) if has_all else guessed
        return self.table

    def first_rows(self, most: int = 5) -> pd.DataFrame:
        """The first rows of the file as they stand there."""
        assert self.table is not None
        text = "select * exclude (row, fault) from raw order by row limit ?"
        found = self.database.execute(text, [most]).df()
        found.columns = pd.Index(self.table.columns)
        return found

    def dry_run(self, should_stop: Callable[[], bool] = lambda: False) -> DryRun:
        """Judges each row as the form would. Raises ImportRefused, RoleRefused, ServerUnavailable, ImportStopped."""
        self.rights = Rights.of(self.actor, self.engines.settings)
        assert self.table is not None
        self.mapping.refuse(self.table.columns)
        taken = judge(self.database, self.table.columns, self.mapping, self.hash, self.rights, should_stop)
        self._look_in_master(taken)
        self.result = self._result()
        return self.result

    def _look_in_master(self, taken: list[Taken]) -> None:
        """Leaves out what was imported before, and finds the sales of returns."""
        try:
            with self.engines.master_reader.connect() as connection:
                self.seen = run_sql(connection, "imports/imports_seen").scalar_one()
                there = set() if self.seen.startswith("0/") else self._leave_imported_out(connection, taken)
                refused = match(self.database, connection, [each for each in taken if each.sale not in there])
                self._strangers = self._find_strangers(connection)
                refused += self._unlisted(connection)
        except SERVER_ERRORS as error:
            raise in_words(self.engines.settings, "master", error) from None
        self._leave_out(refused)

    def _leave_imported_out(self, connection: sa.Connection, taken: list[Taken]) -> set[int]:
        sales = self.database.execute(
            "from header select sale, store_id, invoice, fingerprint order by sale"
        ).fetchall()
        if taken:
            text = "from sale select sale, invoice, fingerprint where list_contains(?, sale)"
            stores = {each.sale: each.made[0].store_id for each in taken}
            of_returns = self.database.execute(text, [list(stores)]).fetchall()
            sales += [(sale, stores[sale], invoice, fingerprint) for sale, invoice, fingerprint in of_returns]
        found = _imported(connection, sales)
        self._leave_out(found)
        return {sale for sale, _kind, _reason in found}

    def _leave_out(self, found: list[tuple[int, str, str]]) -> None:
        if found:
            leave_out(self.database, pd.DataFrame(found, columns=["sale", "kind", "reason"], dtype=object))

    def _find_strangers(self, connection: sa.Connection) -> list[str]:
        """The stores and cashiers that would sell for the first time, of so few that it may be a slip."""
        asked = {
            f"{name}s": [row[0] for row in self.database.execute(f"from header select distinct {name}_id").fetchall()]
            for name in ("store", "cashier")
        }
        if max(map(len, asked.values())) > MOST_ASKED:
            return []
        found = run_sql(connection, "imports/strangers", asked)
        return [
            _("{who} {id} has never sold anything before.", **{"who": _(row.kind), "id": row.number}) for row in found
        ]

    def _unlisted(self, connection: sa.Connection) -> list[tuple[int, str, str]]:
        """The sales of what the catalogue lacks, where they are refused; else a doubt."""
        setting = self.engines.settings.workbench_unknown_ids
        asked = {
            "store_id": "from header select distinct store_id",
            "cashier_id": "from header select distinct cashier_id",
            "product_code": "from line select distinct product_code",
        }
        ids = [[row[0] for row in self.database.execute(text).fetchall()] for text in asked.values()]
        found = [] if setting == "allow" else find_unlisted(connection, *ids)
        if setting == "ask":
            named = visible(" ".join(each.text for each in found[:MOST_NAMED]))
            others = len(found) - MOST_NAMED
            if others > 0:
                named = f"{named} {_('So are {n} others.', n=locale.number(others))}"
            self._strangers += [named] if found else []
            return []
        refused = []
        for each in found:
            table = "line" if each.field == "product_code" else "header"
            sales = f"from {table} select distinct sale where {each.field}::varchar = ?"
            rows = self.database.execute(sales, [each.id]).fetchall()
            refused += [(sale, UNLISTED, visible(each.text)) for (sale,) in rows]
        return list({row[0]: row for row in refused}.values())

    def _result(self) -> DryRun:
        given = {"accepted": ACCEPTED, "already": ALREADY}
        rows = self.database.execute(read_sql("imports/totals"), given).fetchall()
        made = self.database.execute(read_sql("imports/taken")).fetchone()
        assert made is not None
        sales, lines, revenue, returns = made
        return DryRun(tuple(Total(*row) for row in rows), sales, lines, revenue, tuple(self._doubts()), returns)

    def _doubts(self) -> list[str]:
        """What a form would ask about before it saved such a sale."""
        clock, found = self.engines.settings.clock, list(self._strangers)
        ahead = self._one("select count(*) from header where transaction_time > ?", [clock.now()])
        if ahead:
            sales = counted(ahead, "sale")
            found.append(_("{sales} of a time that is still to come: were days and months mixed up?", sales=sales))
        many = self._one("select count(*) from line where quantity >= ?", [UNUSUAL_QUANTITY])
        if many:
            lines = counted(many, "line")
            found.append(_("{lines} of {n} items or more.", lines=lines, n=locale.number(UNUSUAL_QUANTITY)))
        several = self.database.execute(read_sql("imports/several_names")).fetchall()
        if several:
            named = ", ".join(visible(code) for code, _names in several[:MOST_NAMED])
            named += ", ..." if len(several) > MOST_NAMED else ""
            found.append(
                ngettext(
                    "{n} product code with several names ({codes}).",
                    "{n} product codes with several names ({codes}).",
                    len(several),
                    **{"n": locale.number(len(several)), "codes": named},
                )
            )
        guessed = self._one(
            "select count(*) from header where customer_id is null and coalesce(return_of, returns_sale) is not null"
        )
        if guessed:
            returns = counted(guessed, "return")
            found.append(
                _(
                    "{returns} without a customer: each is taken back from the newest sale that fits.",
                    returns=returns,
                )
            )
        midnights = self._one("select count(*) from header where transaction_time::time = time '00:00:00'")
        if midnights and midnights == self._one("select count(*) from header"):
            found.append(_("The dates have no time of day: all sales are of midnight."))
        return found

    def _one(self, text: str, values: Sequence[Any] = ()) -> int:
        found = self.database.execute(text, values).fetchone()
        assert found is not None
        return int(found[0])

    def verdicts(self, kind: str, most: int = 5) -> pd.DataFrame:
        """The first rows with a verdict: number, what stands in the file, and why."""
        assert self.table is not None
        columns = ", ".join(f"r.c{place}" for place in range(len(self.table.columns)))
        found = self.database.execute(
            f"from raw as r left join verdict as v using (row) select row, v.reason, {columns}"
            " where coalesce(v.kind, ?) = ? order by row limit ?",
            [ACCEPTED, kind, most],
        ).df()
        found.columns = pd.Index([_("Row"), _("Why"), *self.table.columns])
        return found.drop(columns=_("Why")) if kind == ACCEPTED else found

    def write_refused(self, path: Path) -> int:
        """Writes the refused rows as they stand in the file, with why, to be mended and brought again. Gives how many.

        Columns keep their names, so that the mapping fits; ``Why refused``, the last one, is no field of a sale.
        """
        assert self.table is not None
        columns = ", ".join(
            f"r.c{place} as {quoted(name)}" for place, name in enumerate(self.table.columns) if name != WHY
        )
        text = (
            f"from verdict as v join raw as r using (row) select {columns}, v.reason as {quoted(WHY)}"
            " where v.kind <> $1 order by row"
        )
        made = self._folder / f"refused{path.suffix.lower()}"
        count = write(Rows(self.database, text, [ALREADY]), made, "Refused rows")
        shutil.move(made, path)
        return count

    def map(self, mapping: FileMapping) -> None:
        """Another mapping of the file as it was read; what it leaves open of amounts and dates is found out."""
        assert self.table is not None
        mapping.refuse(self.table.columns)
        self.mapping, self.result = found_out(self.database, self.table.columns, mapping), None

    @property
    def folder(self) -> Path:
        """Where the database may write; gone with ``close``."""
        return self._folder

    def close(self) -> None:
        """Forgets it all."""
        if hasattr(self, "database"):
            self.database.close()
        self._remove()


def _imported(connection: sa.Connection, sales: Sequence[tuple[int, int, str, Any]]) -> list[tuple[int, str, str]]:
    found: dict[int, tuple[int, str, str]] = {}
    for start in range(0, len(sales), AT_ONCE):
        part = sales[start : start + AT_ONCE]
        pairs = json.dumps([(store, invoice) for _sale, store, invoice, _print in part])
        for row in run_sql(connection, "imports/imported", {"sales": pairs}):
            sale, _store, invoice, fingerprint = part[row.position - 1]
            of = {"n": row.import_id, "file": visible(row.file_name), "id": row.transaction_id}
            if row.fingerprint.replace("-", "") == str(fingerprint).replace("-", ""):
                found[sale] = (sale, ALREADY, _("Import {n} ({file}) brought it as transaction {id}", **of))
            else:
                text = _(
                    "Invoice {invoice} is there with other content: import {n} ({file}) brought it as transaction {id}",
                    **of,
                    invoice=visible(invoice),
                )
                found.setdefault(sale, (sale, kind_of(INVOICE), text))
    return list(found.values())
