"""Doubts: what about a sale is asked before it is saved, because it may be a slip."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from workbench import locale
from workbench.config.clock import StoreClock
from workbench.database.replication import Reader, ReadPosition
from workbench.database.sql_files import run_sql
from workbench.locale import _
from workbench.sales.models import Sale, SaleInput
from workbench.sales.unlisted import unlisted, unlisted_ids

# Items on one line: nobody buys as many, and a code that was scanned into the wrong field is far above it.
UNUSUAL_QUANTITY = 1000
NOBODY: dict[str, int | None] = {"store": None, "cashier": None}


def doubts(
    reader: Reader, session: ReadPosition, clock: StoreClock, sale: SaleInput, stored: Sale | None = None
) -> list[str]:
    """A sentence for each doubt; of a stored sale only about what is changed. Raises ServerUnavailable."""
    setting = reader.engines.settings.workbench_unknown_ids
    found = [] if setting == "allow" else unlisted(reader, session, sale, stored)
    of_place = _of_place(reader, session, sale, stored, {(each.field, each.id) for each in found})
    texts = [each.text for each in found if setting == "ask"]  # else the sale is refused
    return [*_of_time(clock, sale, stored), *of_place, *texts, *_of_names(sale, stored), *_of_quantities(sale, stored)]


def doubts_of_ids(reader: Reader, session: ReadPosition, ids: Mapping[str, int]) -> list[str]:
    """The same of a store and a cashier alone, by ``store_id`` and ``cashier_id``, that sales are to get."""
    given = {name.removesuffix("_id"): number for name, number in ids.items() if name in ("store_id", "cashier_id")}
    setting = reader.engines.settings.workbench_unknown_ids
    found = [] if setting == "allow" else unlisted_ids(reader, session, ids)
    strange = _never_sold(reader, session, given, {(each.field, each.id) for each in found})
    return [*strange, *(each.text for each in found if setting == "ask")]


def _of_time(clock: StoreClock, sale: SaleInput, stored: Sale | None) -> list[str]:
    at = sale.transaction_time
    if at is None or (stored is not None and stored.transaction_time == at):
        return []
    if clock.is_skipped(at):
        return [_("There was no {moment}: the clocks were put forward over it.", moment=locale.moment(at))]
    if clock.is_ahead(at):
        return [
            _(
                "Its time, {moment}, is still to come: it is {now} now.",
                moment=locale.moment(at),
                now=locale.moment(clock.now()),
            )
        ]
    return []


def _of_place(
    reader: Reader, session: ReadPosition, sale: SaleInput, stored: Sale | None, strangers: set[tuple[str, str]]
) -> list[str]:
    given = {"store": sale.store_id, "cashier": sale.cashier_id}
    kept = {} if stored is None else {"store": stored.store_id, "cashier": stored.cashier_id}
    changed = {name: number for name, number in given.items() if number != kept.get(name)}
    return _never_sold(reader, session, changed, strangers)


def _never_sold(
    reader: Reader, session: ReadPosition, given: Mapping[str, int], strangers: set[tuple[str, str]]
) -> list[str]:
    asked = {name: number for name, number in given.items() if (f"{name}_id", str(number)) not in strangers}
    if not asked:
        return []

    def work(connection: sa.Connection) -> dict[str, bool]:
        return dict(run_sql(connection, "queries/has_sold", NOBODY | asked).mappings().one())

    has_sold = reader.read(session, work, "doubts").value
    if not has_sold["anybody"]:  # the very first sale: nothing is known yet
        return []
    return [
        _("{who} {id} has never sold anything before.", who=_(name.title()), id=asked[name])
        for name in asked
        if not has_sold[name]
    ]


def _of_names(sale: SaleInput, stored: Sale | None) -> list[str]:
    kept = {} if stored is None else _names(stored)
    return [
        _(
            "The code {code} has {n} names in it: {names}.",
            **{"code": code, "n": len(names), "names": ", ".join(sorted(names))},
        )
        for code, names in _names(sale).items()
        if len(names) > 1 and names != kept.get(code)
    ]


def _of_quantities(sale: SaleInput, stored: Sale | None) -> list[str]:
    kept = set() if stored is None else {(line.product_code, line.quantity) for line in stored.lines}
    return [
        _("{n} × {name} is a lot for one sale.", n=locale.number(line.quantity), name=line.product_name)
        for line in sale.lines
        if line.quantity >= UNUSUAL_QUANTITY and (line.product_code, line.quantity) not in kept
    ]


def _names(sale: Sale | SaleInput) -> dict[str, set[str]]:
    """The names that each code has in a sale."""
    found: dict[str, set[str]] = {}
    for line in sale.lines:
        found.setdefault(line.product_code, set()).add(line.product_name)
    return found
