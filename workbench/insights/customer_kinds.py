"""New, returning and unknown customers from the rollups: as many steps as there are rows, and no object a row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import numpy as np

from workbench.metrics import Where
from workbench.metrics.cube import Cube, Grouping, Ints
from workbench.metrics.state import State

# Day number (0: in total), kind, customers, sales, revenue.
Row = tuple[int, str, int, int, Decimal | None]
CUSTOMER_BITS = 32  # a customer's number is an integer


def customer_kinds(state: State, where: Where, by_day: bool) -> list[Row] | None:
    """A row for each day (or in total) and kind that has a sale; None when the rollups cannot tell, or do not yet."""
    cards, without = replace(where, customer_types=()), replace(where, customer_types=("no card",))
    visits = state.cube("card_sales", "sale", (), cards)
    firsts = state.cube("new_customers", "sale", (), cards)
    unknown = state.cube("sales", "sale", ("day",), without)
    if visits is None or firsts is None or unknown is None:
        return None
    kinds = where.customer_types or ("card", "no card")
    known = _of_cards(visits, firsts, cards, by_day) if "card" in kinds else ()
    return [*known, *(_without_card(unknown, without, by_day) if "no card" in kinds else ())]


def _of_cards(visits: Cube, firsts: Cube, where: Where, by_day: bool) -> Iterator[Row]:
    """New and returning customers."""
    rows = visits.rows(where)
    is_new = np.isin(_who(visits, rows, by_day), _who(firsts, firsts.rows(where), by_day))
    for kind, chosen in (("new", rows[is_new]), ("returning", rows[~is_new])):
        grouping = Grouping.of([visits.column("day", slice(None), chosen)] if by_day else [])
        customers = grouping.different(visits.dimensions["customer"].codes[chosen])
        sales, revenue = (grouping.sums(visits.measures[name][chosen]) for name in ("card_sales", "card_revenue"))
        for key, *found in zip(grouping.keys, customers.tolist(), sales.tolist(), revenue.tolist(), strict=True):
            if found[1]:
                yield key[0] if by_day else 0, kind, found[0], found[1], Decimal(found[2]).scaleb(-2)


def _who(cube: Cube, rows: Ints, by_day: bool) -> Ints:
    """A number for the customer of each row, or for the customer on that day."""
    column = cube.dimensions["customer"]
    numbers = np.array(column.values, dtype=np.int64)[column.codes[rows]]
    return numbers | cube.day[rows].astype(np.int64) << CUSTOMER_BITS if by_day else numbers


def _without_card(cube: Cube, where: Where, by_day: bool) -> Iterator[Row]:
    """Sales without a card."""
    for key, found in cube.sums(["sales", "revenue"], ["day"] if by_day else [], where).items():
        if found["sales"]:
            yield key[0] if by_day else 0, "no card", 0, found["sales"], Decimal(found["revenue"]).scaleb(-2)
