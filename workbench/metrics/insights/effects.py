"""Effects: why a product's revenue is not what it was: other quantities, other prices, other discounts."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pandas as pd

from workbench.database.replication import Answer
from workbench.metrics import AnyWhere, Source, ask
from workbench.sales.models import CENT
from workbench.sales.products import newest

METRICS = ("revenue", "discount_given", "items_sold")
COLUMNS = ("product_code", "product_name", "before", "quantity_effect", "price_effect", "discount_effect", "revenue")
NOTHING = (Decimal("0.00"), Decimal("0.00"), 0)


def effects(source: Source, where: AnyWhere, compared: AnyWhere) -> Answer[pd.DataFrame]:
    """One row per product code with a matching line in ``where`` or ``compared``, the largest change first; COLUMNS.

    ``before`` and ``revenue`` are the two periods'. The other columns (Decimal, cents) add up to what lies between:

    - ``quantity_effect``: more or fewer items, at the average list price of before (rounded half up to cents). All of
      the list revenue of a product that is new, or sold no more.
    - ``price_effect``: the items of now at their average list price instead of that of before.
    - ``discount_effect``: what more (negative) or less discount was given.

    Raises ServerUnavailable.
    """
    now, before = (ask(source, METRICS, by=["product"], where=period) for period in (where, compared))
    of_now, of_before = _by_code(now.value), _by_code(before.value)
    rows = [_row(code, of_before.get(code, NOTHING), of_now.get(code, NOTHING)) for code in {**of_before, **of_now}]
    rows.sort(key=lambda row: (-abs(row["revenue"] - row["before"]), row["product_code"]))
    codes = [row["product_code"] for row in rows]
    named = source.reader.read(source.session, lambda connection: newest(connection, codes))
    for row in rows:
        row["product_name"] = named.value.get(row["product_code"], (row["product_code"], None))[0]
    frame = pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=object) for name in COLUMNS})
    return Answer.oldest([now, before, named]).map(lambda _part: frame)


def _by_code(frame: pd.DataFrame) -> dict[str, tuple[Decimal, Decimal, int]]:
    columns = (frame[name].tolist() for name in METRICS)
    return dict(zip(frame["product"], zip(*columns, strict=True), strict=True))


def _row(code: str, before: tuple[Decimal, Decimal, int], now: tuple[Decimal, Decimal, int]) -> dict[str, Any]:
    list_before, list_now = before[0] + before[1], now[0] + now[1]
    if before[2] and now[2]:
        quantity = (list_before * (now[2] - before[2]) / before[2]).quantize(CENT, ROUND_HALF_UP)
    else:
        quantity = list_now - list_before
    return {
        "product_code": code,
        "before": before[0],
        "quantity_effect": quantity,
        "price_effect": list_now - list_before - quantity,
        "discount_effect": before[1] - now[1],
        "revenue": now[0],
    }
