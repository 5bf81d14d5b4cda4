"""A verdict for each row of a file. What is plain passes at once; all else is asked of the form's own checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

import duckdb
import pandas as pd

from workbench.database.sql_files import read_sql
from workbench.errors import FieldError, ImportStopped, RoleRefused, SaleRefused
from workbench.imports.mapping import FIELDS, HEADER, INVOICE, LINE, TOTAL, FileMapping, kind_of, label, place
from workbench.imports.returns import Taken, make_table, read_return, refuse_unread
from workbench.locale import N_, _
from workbench.sales.models import MAX_LINES, SaleInput, parse_sale
from workbench.sales.rights import Rights

ACCEPTED, ALREADY = N_("Accepted"), N_("Already imported")
ROLE, ROW, WITH_ITS_SALE = N_("Role"), N_("Row"), N_("With its invoice")
# What is wrong with a line total, by what sql/imports/typed.sql calls it.
TOTAL_FAULTS = {
    "signs": N_("Line total {total} and quantity {n} are of different signs: in a return both are below zero"),
    "cents": N_("Line total {total} does not divide by {n} to the cent: give the price of one, or split the row"),
}
LOOK_EVERY = 1_000  # sales between two looks whether to stop
DATE_FORMATS = {
    "year first": ("%Y-%m-%d", "%Y/%m/%d"),
    "day first": ("%d/%m/%Y", "%Y-%m-%d"),
    "month first": ("%m/%d/%Y", "%Y-%m-%d"),
}
TIME_FORMATS = (" %H:%M:%S", " %H:%M", "", "T%H:%M:%S", " %I:%M:%S %p", " %I:%M %p")


@dataclass
class Judged:
    """What the form's checks made of sales that are not plain: verdicts of rows, what they take, and returns."""

    verdicts: list[tuple[int, int, str, str]] = field(default_factory=list)  # row, sale, kind, reason
    sales: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)


def judge(
    database: duckdb.DuckDBPyConnection,
    names: Sequence[str],
    mapping: FileMapping,
    file_key: str,
    rights: Rights,
    should_stop: Callable[[], bool] = lambda: False,
) -> list[Taken]:
    """Makes the tables ``verdict``, of rows that are left out and why, and ``header`` and ``line`` of what is taken.

    Gives the returns, whose sales are still to be found.
    """
    _type(database, names, mapping, file_key, rights)
    judged = Judged()
    for number, (sale, rows) in enumerate(_doubtful(database)):
        if number % LOOK_EVERY == 0 and should_stop():
            raise ImportStopped(_("The dry run was stopped."))
        _judge_sale(judged, sale, rows, rights, has_invoices=INVOICE in mapping.columns)
    _keep(database, judged)
    _take(database)
    return judged.taken


def leave_out(database: duckdb.DuckDBPyConnection, verdicts: pd.DataFrame) -> None:
    """Leaves further sales out: ``verdicts`` has a ``sale``, ``kind`` and ``reason`` each; all its rows get it."""
    database.register("further", verdicts)
    database.execute(read_sql("imports/leave_out"))
    database.unregister("further")


def _type(
    database: duckdb.DuckDBPyConnection, names: Sequence[str], mapping: FileMapping, file_key: str, rights: Rights
) -> None:
    database.execute("set variable decimal_sign = $1", [mapping.decimals])
    database.execute("set variable has_totals = $1", [TOTAL in mapping.columns])
    formats = [day + time for day in DATE_FORMATS[mapping.dates] for time in TIME_FORMATS]
    database.execute("set variable date_formats = $1", [formats])
    for statement in duckdb.extract_statements(read_sql("imports/macros")):
        database.execute(statement)
    values = {name: mapping.defaults.get(name, "").strip() or None for name in FIELDS}
    database.execute(
        "create or replace table defaults as select " + ", ".join(f"${name}::varchar as {name}" for name in FIELDS),
        values,
    )
    texts = ", ".join(_given(name, names, mapping.columns) for name in FIELDS)
    database.execute(f"create or replace view given as from raw cross join defaults as d select row, fault, {texts}")
    database.execute(read_sql("imports/typed"))
    database.execute(
        read_sql("imports/sales"),
        {
            "by_row": INVOICE not in mapping.columns,
            "file_key": file_key,
            "most_lines": MAX_LINES,
            "since": rights.since,
            "stores": None if rights.actor.stores is None else sorted(rights.actor.stores),
        },
    )


def _given(name: str, names: Sequence[str], columns: Mapping[str, str]) -> str:
    """The text of a field, without blanks around it; what is empty is what all rows have by default, or nothing.

    The apostrophe goes that our own CSV has before a text that a spreadsheet would take for a formula.
    """
    if name not in columns:
        return f"d.{name}"
    return f"coalesce(field_text({place(names, columns[name])}), d.{name}) as {name}"


def _doubtful(database: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Each sale that is not plain with its rows, as texts."""
    cursor = database.cursor()  # the sales are judged while it is read
    cursor.execute(read_sql("imports/doubtful"))
    assert cursor.description is not None
    columns = [column[0] for column in cursor.description]

    def rows() -> Iterator[dict[str, Any]]:
        while found := cursor.fetchmany(10_000):
            for row in found:
                yield dict(zip(columns, row, strict=True))

    for sale, of_sale in groupby(rows(), key=itemgetter("sale")):
        yield sale, list(of_sale)


def _judge_sale(judged: Judged, sale: int, rows: list[dict[str, Any]], rights: Rights, *, has_invoices: bool) -> None:
    """A sale is taken whole or not at all: with one row that is refused the others wait for it to be mended."""
    of_form = _of_return if rows[0]["has_return"] else _of_form
    found = _own_verdicts(rows, has_invoices) or of_form(judged, sale, rows, rights)
    if not found:
        return
    first = min(found)
    why = _("Row {n} of this sale is refused, and a sale is taken whole", n=first)
    if has_invoices:
        invoice = rows[0][INVOICE]
        why = _("Row {n} of invoice {invoice} is refused, and a sale is taken whole", n=first, invoice=invoice)
    for row in rows:
        number = row["row"]
        kind, reason = found.get(number, (WITH_ITS_SALE, why))
        judged.verdicts.append((number, sale, kind, reason))


def _own_verdicts(rows: list[dict[str, Any]], has_invoices: bool) -> dict[int, tuple[str, str]]:
    """What is wrong by the file alone, which no form would see."""
    found = {row["row"]: (kind_of(TOTAL), _total_fault(row)) for row in rows if row["total_fault"]}
    found |= {row["row"]: (ROW, row["fault"]) for row in rows if row["fault"]}
    if not found and has_invoices and rows[0][INVOICE] is None:
        missing = FieldError(INVOICE, None, _("rows that share it are one sale"))
        found = {rows[0]["row"]: (kind_of(INVOICE), str(missing))}
    if not found and rows[0]["disagrees"]:
        several = ", ".join(map(_, rows[0]["disagrees"].split(", ")))
        text = _(
            "The rows of invoice {invoice} name several {what}; a sale has one",
            **{"invoice": rows[0][INVOICE], "what": several},
        )
        found = {row["row"]: (ROW, text) for row in rows}
    return found


def _total_fault(row: Mapping[str, Any]) -> str:
    fault, total = row["total_fault"], row[TOTAL]
    if fault == "missing":
        return _("{field} is missing: {allowed}", field=label(TOTAL), allowed=_("give what was paid for the line"))
    if fault == "amount":
        allowed = _("give an amount such as 12.50")
        return _("{field} {value} cannot be used: {allowed}", field=label(TOTAL), value=f"'{total}'", allowed=allowed)
    return _(TOTAL_FAULTS[fault], total=total, n=row["quantity"])


# What rows of one invoice must not have several of, as sql/imports/sales.sql calls it.
SEVERAL = (N_("cashiers"), N_("payment methods"), N_("customers"), N_("days"))


def _of_form(judged: Judged, sale: int, rows: list[dict[str, Any]], rights: Rights) -> dict[int, tuple[str, str]]:
    """What the form and the role refuse, by row; nothing when the sale is taken."""
    first = rows[0]
    if first["transaction_time"] is None:  # the form would take the moment of saving
        missing = FieldError("transaction_time", None, _("please fill it in"))
        return {first["row"]: (kind_of("transaction_time"), str(missing))}
    given: dict[str, Any] = dict(_typed(first, HEADER))
    moments = [row["moment"] for row in rows]
    if None not in moments:
        given["transaction_time"] = min(moments)  # a till may print a long receipt from one minute to the next
    try:
        made = parse_sale(given | {"lines": [_typed(row, LINE) for row in rows]})
        assert made.transaction_time is not None
        refuse_unread(rows)
        rights.refuse(made.transaction_time, made.store_id)
    except SaleRefused as error:
        return _by_row(error, rows)
    except RoleRefused as error:
        return {row["row"]: (ROLE, str(error)) for row in rows}
    _add(judged, sale, made, rows)
    return {}


def _of_return(judged: Judged, sale: int, rows: list[dict[str, Any]], rights: Rights) -> dict[int, tuple[str, str]]:
    """The same of rows that take back."""
    try:
        taken = read_return(sale, rows, rights)
    except RoleRefused as error:
        return {row["row"]: (ROLE, str(error)) for row in rows}
    if isinstance(taken, dict):
        return taken
    judged.taken.append(taken)
    return {}


def _typed(row: Mapping[str, Any], names: Sequence[str]) -> dict[str, str]:
    """As it would be typed into the form."""
    return {name: row[name] or "" for name in names}


def _by_row(error: SaleRefused, rows: list[dict[str, Any]]) -> dict[int, tuple[str, str]]:
    found: dict[int, list[FieldError]] = {}
    for refused in error.fields:
        parts = refused.field.split(".")
        of = rows[int(parts[1])] if len(parts) == 3 else rows[0]
        found.setdefault(of["row"], []).append(FieldError(parts[-1], refused.value, refused.allowed))
    return {row: (kind_of(errors[0].field), "; ".join(map(str, errors))) for row, errors in found.items()}


def _add(judged: Judged, sale: int, made: SaleInput, rows: list[dict[str, Any]]) -> None:
    judged.sales.append({"sale": sale} | {name: getattr(made, name) for name in HEADER})
    for row, line in zip(rows, made.lines, strict=True):
        judged.lines.append({"sale": sale, "row": row["row"]} | {name: getattr(line, name) for name in LINE})


_VERDICT = {"row": "bigint", "sale": "bigint", "kind": "varchar", "reason": "varchar"}
_SALE = {"sale": "bigint", "transaction_time": "timestamp", "cashier_id": "integer", "store_id": "integer",
         "payment_method": "varchar", "customer_id": "integer"}  # fmt: skip
_LINE = {"sale": "bigint", "row": "bigint", "product_code": "varchar", "product_name": "varchar", "category": "varchar",
         "quantity": "integer", "unit_price": "decimal(10, 2)", "discount": "decimal(10, 2)"}  # fmt: skip


def _keep(database: duckdb.DuckDBPyConnection, judged: Judged) -> None:
    make_table(database, "verdict", _VERDICT, [dict(zip(_VERDICT, row, strict=True)) for row in judged.verdicts])
    make_table(database, "judged_sale", _SALE, judged.sales)
    make_table(database, "judged_line", _LINE, judged.lines)


def _take(database: duckdb.DuckDBPyConnection) -> None:
    database.execute("create or replace temp table left_out as select distinct sale from verdict")
    for statement in duckdb.extract_statements(read_sql("imports/accepted")):
        database.execute(statement)
