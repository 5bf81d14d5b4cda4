"""Products: what each one brings, its rank and ABC class; why its revenue changed; and how much is given off."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

import pandas as pd

from workbench.database.replication import Answer
from workbench.errors import MetricError
from workbench.metrics import AnyWhere, Source, ask, sums
from workbench.metrics.ask import key_columns, ordered
from workbench.metrics.definitions import checked, percent
from workbench.sales.models import CENT
from workbench.sales.products import newest

Sort = Literal["revenue", "items_sold", "growth"]
SORTS: tuple[Sort, ...] = ("revenue", "items_sold", "growth")
COLUMNS = (
    "product_code",
    "product_name",
    "category",
    "revenue",
    "items_sold",
    "share",
    "rank",
    "abc_class",
    "revenue_before",
    "growth",
)
CLASS_LIMITS = {"A": 80, "B": 95}  # percent of the revenue
NOTHING = Decimal("0.00")

Sums = dict[str, tuple[Decimal, int]]  # revenue and items of each product


def products(
    source: Source,
    where: AnyWhere = None,
    *,
    so_far: AnyWhere = None,
    compared: AnyWhere = None,
    sort: Sort = "revenue",
    descending: bool = True,
    limit: int | None = None,
) -> Answer[pd.DataFrame]:
    """One row per product code with a matching line, in ``where`` or in ``compared``; COLUMNS.

    - ``product_name``, ``category``: of the product's newest line of all, whatever the filter; a category may be None.
    - ``revenue`` (Decimal, cents), ``items_sold`` (int): of the matching lines.
    - ``share``: percent of the revenue of all these products; None when that is zero. ``rank``: 1 is the most revenue;
      equal revenue has equal rank, and the next rank counts them all (1, 2, 2, 4).
    - ``abc_class``: by revenue, the products above are added up, not counting any of equal revenue. A while these have
      less than 80 %, B while less than 95 %, else C. So the product that crosses a limit is still in the class that it
      completes, products of equal revenue share a class, and one without revenue is C.
    - ``revenue_before`` (Decimal) and ``growth`` (percent of it): against ``compared``; both None without one, and
      growth None for a product without revenue there, or with less than none after returns. It is the growth of the
      revenue in ``so_far``, the part of ``where`` that is as long as ``compared``; None: of all of it.

    Percents are Decimal with two places, rounded half up. Share, rank and class are those among all products, also when
    only the first ``limit`` rows are given. Rows without growth come last when sorted by it; equal ones are sorted by
    code. Raises MetricError for an unknown sort or a limit below 1, and ServerUnavailable.
    """
    if sort not in SORTS or (limit is not None and limit < 1):
        raise MetricError(f"Products are sorted by one of {', '.join(SORTS)}, and limited to 1 or more rows.")
    now = _sums(source, where)
    before = None if compared is None else _sums(source, compared)
    part = now if compared is None or so_far is None or so_far == where else _sums(source, so_far)
    rows = _rows(_by_code(now), _by_code(part), None if before is None else _by_code(before))
    rows = _sorted(rows, sort, descending)[:limit]
    codes = [row["product_code"] for row in rows]
    named = source.reader.read(source.read_position, lambda connection: newest(connection, codes), "product names")
    for row in rows:
        row["product_name"], row["category"] = named.value.get(row["product_code"], (row["product_code"], None))
    parts: list[Answer[Any]] = [now, named] if before is None else [now, part, before, named]
    return Answer.oldest(parts).map(lambda _part: _frame(rows))


def abc_class(above: Decimal, total: Decimal) -> str:
    """The class of a product above which products of ``above`` revenue, of ``total`` in all, are ranked."""
    for name, limit in CLASS_LIMITS.items():
        if above * 100 < total * limit:
            return name
    return "C"


def _sums(source: Source, where: AnyWhere) -> Answer[pd.DataFrame]:
    return ask(source, ["revenue", "items_sold"], by=["product"], where=where)


def _by_code(answer: Answer[pd.DataFrame]) -> Sums:
    frame = answer.value
    values = zip(frame["revenue"], frame["items_sold"].tolist(), strict=True)
    return dict(zip(frame["product"], values, strict=True))


def _rows(now: Sums, part: Sums, before: Sums | None) -> list[dict[str, Any]]:
    """A dict for each product that was sold now or before, most revenue now first."""
    nothing = (NOTHING, 0)
    codes = {**now, **(before or {})}
    falling = sorted(codes, key=lambda code: -now.get(code, nothing)[0])
    total = sum((revenue for revenue, _ in now.values()), NOTHING)
    rows: list[dict[str, Any]] = []
    sum_so_far = above = NOTHING
    rank = 1
    for place, code in enumerate(falling, start=1):
        revenue, items = now.get(code, nothing)
        if not rows or revenue != rows[-1]["revenue"]:
            rank, above = place, sum_so_far
        sum_so_far += revenue
        earlier = None if before is None else before.get(code, nothing)[0]
        later = part.get(code, nothing)[0]
        rows.append(
            {
                "product_code": code,
                "revenue": revenue,
                "items_sold": items,
                "share": percent(revenue, total),
                "rank": rank,
                "abc_class": abc_class(above, total),
                "revenue_before": earlier,
                "growth": None if earlier is None or earlier <= 0 else percent(later - earlier, earlier),
                "change": later / earlier if earlier and earlier > 0 else None,  # growth before it is rounded
            }
        )
    return rows


def _sorted(rows: list[dict[str, Any]], sort: Sort, descending: bool) -> list[dict[str, Any]]:
    column = "change" if sort == "growth" else sort

    def place(row: dict[str, Any]) -> tuple[Any, ...]:
        value = row[column]
        return (value is None, 0 if value is None else -value if descending else value, row["product_code"])

    return sorted(rows, key=place)


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    whole = ("items_sold", "rank")
    columns = {
        name: pd.Series([row[name] for row in rows], dtype="int64" if name in whole else object) for name in COLUMNS
    }
    return pd.DataFrame(columns)


PARTS = ("revenue", "discount_given", "items_sold")
EFFECTS = ("product_code", "product_name", "before", "quantity_effect", "price_effect", "discount_effect", "revenue")
NONE_SOLD = (Decimal("0.00"), Decimal("0.00"), 0)


def effects(source: Source, where: AnyWhere, compared: AnyWhere) -> Answer[pd.DataFrame]:
    """One row per product code with a matching line in ``where`` or ``compared``, the largest change first; EFFECTS.

    ``before`` and ``revenue`` are the two periods'. The other columns (Decimal, cents) add up to what lies between:

    - ``quantity_effect``: more or fewer items, at the average list price of before (rounded half up to cents). All of
      the list revenue of a product that is new, or sold no more.
    - ``price_effect``: the items of now at their average list price instead of that of before.
    - ``discount_effect``: what more (negative) or less discount was given.

    Raises ServerUnavailable.
    """
    now, before = (ask(source, PARTS, by=["product"], where=period) for period in (where, compared))
    of_now, of_before = _parts_by_code(now.value), _parts_by_code(before.value)
    rows = [_row(code, of_before.get(code, NONE_SOLD), of_now.get(code, NONE_SOLD)) for code in {**of_before, **of_now}]
    rows.sort(key=lambda row: (-abs(row["revenue"] - row["before"]), row["product_code"]))
    codes = [row["product_code"] for row in rows]
    named = source.reader.read(source.read_position, lambda connection: newest(connection, codes))
    for row in rows:
        row["product_name"] = named.value.get(row["product_code"], (row["product_code"], None))[0]
    frame = pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=object) for name in EFFECTS})
    return Answer.oldest([now, before, named]).map(lambda _part: frame)


def _parts_by_code(frame: pd.DataFrame) -> dict[str, tuple[Decimal, Decimal, int]]:
    columns = (frame[name].tolist() for name in PARTS)
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


MEASURES = ("discount_given", "lines", "discounted_lines", "revenue", "discounted_revenue")
COUNTS = ("lines", "discounted_lines")
DISCOUNT_COLUMNS = (
    "discount_given",
    "discount_rate",
    *COUNTS,
    "discounted_share",
    "revenue",
    "revenue_discounted",
    "revenue_undiscounted",
)


def discounts(source: Source, where: AnyWhere = None, *, by: Sequence[str] = ()) -> Answer[pd.DataFrame]:
    """One row for each group of ``by`` (dimensions of the metrics) with a matching line, sorted by ``by``, None last.

    One row when ``by`` is empty, of zeros when nothing matches. After the columns of ``by`` come DISCOUNT_COLUMNS:

    - ``discount_given`` (Decimal, cents) on the matching lines; ``discount_rate``: percent of the price before it.
    - ``lines`` and ``discounted_lines`` (int): all that were sold, and those with a discount; ``discounted_share``:
      percent of lines.
    - ``revenue`` (Decimal, cents), after discount; ``revenue_discounted`` is that of lines with a discount,
      ``revenue_undiscounted`` that of the others.

    Percents are Decimal with two places, rounded half up, None when the divisor is zero. Days are datetime64. Raises
    MetricError for an unknown dimension, and ServerUnavailable.
    """
    checked(["discount_given"], by)
    found = sums(source, MEASURES, by, source.where(where))
    groups = {
        key: values for key, values in found.value.items() if any(values.get(name) for name in MEASURES) or not by
    }
    keys = ordered(groups)
    columns = key_columns(keys, by)
    rows = [_discount_values(*(groups[key].get(name, 0) for name in MEASURES)) for key in keys]
    for place, name in enumerate(DISCOUNT_COLUMNS):
        columns[name] = pd.Series([row[place] for row in rows], dtype="int64" if name in COUNTS else object)
    return found.map(lambda _groups: pd.DataFrame(columns))


def _discount_values(discount: int, lines: int, discounted: int, revenue: int, of_discounted: int) -> tuple[Any, ...]:
    """The values of DISCOUNT_COLUMNS, of sums in cents."""
    given, paid, with_discount = (Decimal(cents).scaleb(-2) for cents in (discount, revenue, of_discounted))
    return (
        given,
        percent(given, given + paid),
        lines,
        discounted,
        percent(discounted, lines),
        paid,
        with_discount,
        paid - with_discount,
    )
