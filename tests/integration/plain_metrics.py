"""The metrics in plain SQL straight over the two tables: what every answer of the registry must equal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
import sqlalchemy as sa

from workbench.metrics import Where

DIMENSIONS = {
    "day": "t.transaction_time::date",
    "hour": "extract(hour from t.transaction_time)::int",
    "weekday": "extract(isodow from t.transaction_time)::int",
    **{span: f"date_trunc('{span}', t.transaction_time)::date" for span in ("week", "month", "quarter", "year")},
    "store": "t.store_id",
    "cashier": "t.cashier_id",
    "payment_method": "t.payment_method",
    "customer_type": "case when t.customer_id is null then 'no card' else 'card' end",
    "category": "i.category",
    "product": "i.product_code",
}
FIRST_SALES = """
(select distinct on (customer_id) * from sales_transaction where customer_id is not null and return_of is null
 order by customer_id, transaction_time, transaction_id) as t
"""
SALES, LINES = "sales_transaction as t", "sales_transaction as t join sales_item as i using (transaction_id)"


def plain(connection: sa.Connection, metric: str, by: Sequence[str], where: Where) -> dict[tuple[Any, ...], Any]:
    """The metric for each group, keyed by the group's values; groups without it are missing."""
    of_lines = {"category", "product"} & set(by) or where.categories or where.products
    total, off = ("i.total_price", "i.discount") if of_lines else ("t.total_amount", "t.total_discount")
    tables = LINES if of_lines else SALES
    back = "t.return_of is not null"
    bought = "filter (where t.return_of is null)"
    measure = {
        "revenue": lambda: _grouped(connection, f"sum({total})", tables, by, where),
        "discount_given": lambda: _grouped(connection, f"sum({off})", tables, by, where),
        "discount_rate": lambda: _grouped(
            connection, f"round(100 * sum({off}) / nullif(sum({total}) + sum({off}), 0), 2)", tables, by, where
        ),
        "returns": lambda: _grouped(connection, f"coalesce(sum(-{total}) filter (where {back}), 0)", tables, by, where),
        "return_rate": lambda: _grouped(
            connection,
            f"round(100 * coalesce(sum(-{total}) filter (where {back}), 0)"
            f" / nullif(coalesce(sum({total}) filter (where not {back}), 0), 0), 2)",
            tables,
            by,
            where,
        ),
        "items_sold": lambda: _grouped(connection, "sum(i.quantity)", LINES, by, where),
        "sales": lambda: _grouped(connection, f"count(*) {bought}", SALES, by, where),
        "customers": lambda: _grouped(connection, f"count(distinct t.customer_id) {bought}", SALES, by, where),
        "new_customers": lambda: _grouped(connection, "count(*)", FIRST_SALES, by, where),
        "average_sale": lambda: _divided(connection, f"sum({total})", tables, by, where),
        "items_per_sale": lambda: _divided(connection, "sum(i.quantity)", LINES, by, where),
    }
    return measure[metric]()


def _grouped(
    connection: sa.Connection, value: str, tables: str, by: Sequence[str], where: Where
) -> dict[tuple[Any, ...], Any]:
    keys = "".join(f"{DIMENSIONS[name]}, " for name in by)
    sql = f"select {keys}{value} from {tables} where {_conditions(where, tables == LINES)}"
    if by:
        sql += " group by " + ", ".join(DIMENSIONS[name] for name in by)
    rows = connection.execute(sa.text(sql), _values(where))
    return {
        tuple(pd.Timestamp(v) if isinstance(v, date) else v for n, v in zip(by, row, strict=False)): row[-1]
        for row in rows
    }


def _divided(
    connection: sa.Connection, value: str, tables: str, by: Sequence[str], where: Where
) -> dict[tuple[Any, ...], Any]:
    over = _grouped(connection, value, tables, by, where)
    under = _grouped(connection, "count(*) filter (where t.return_of is null)", SALES, by, where)
    divide = sa.text("select round(cast(:over as numeric) / nullif(cast(:under as numeric), 0), 2)")
    return {
        key: connection.execute(divide, {"over": over.get(key) or 0, "under": count}).scalar_one()
        for key, count in under.items()
    }


def _conditions(where: Where, has_lines: bool) -> str:
    lines = []
    if where.categories:
        lines.append("(i.category = any (:categories) or (:no_category and i.category is null))")
    if where.products:
        lines.append("i.product_code = any (:products)")
    found = ["true"]
    for field, condition in {
        "date_from": "t.transaction_time >= :date_from",
        "date_to": "t.transaction_time < cast(:date_to as date) + 1",
        "time_from": "t.transaction_time::time >= :time_from",
        "time_to": "t.transaction_time::time < :time_to",
        "before": "t.transaction_time < :before",
        "customer_id": "t.customer_id = :customer_id",
    }.items():
        if getattr(where, field) is not None:
            found.append(condition)
    for field in ("hours", "weekdays", "stores", "cashiers", "payment_methods", "customer_types"):
        if getattr(where, field):
            found.append(f"{DIMENSIONS[field.rstrip('s')]} = any (:{field})")
    if lines and has_lines:
        found += lines
    elif lines:
        found.append(
            f"exists (select from sales_item as i where i.transaction_id = t.transaction_id and {' and '.join(lines)})"
        )
    return " and ".join(found)


def _values(where: Where) -> dict[str, Any]:
    values = {name: getattr(where, name) for name in where.__dataclass_fields__}
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    return values | {"no_category": None in where.categories}
