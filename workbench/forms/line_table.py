"""The lines of a sale to be read, and its header in one line: HTML with every value escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from workbench import locale
from workbench.catalogue.names import NO_NAMES, Names
from workbench.components.html import table_html
from workbench.components.theme import NOTHING, esc, money, store_time
from workbench.locale import N_, _
from workbench.sales.fields import FIELDS
from workbench.sales.models import Line, Sale
from workbench.words import visible

HEADS = dict.fromkeys((N_("Code"), N_("Product"), N_("Category")), False) | dict.fromkeys(
    (N_("Quantity"), N_("Unit Price"), N_("Discount"), N_("Total")), True
)


def sale_text(name: str, value: Any, currency: str = "", names: Names = NO_NAMES) -> str:
    """A value of the field ``name`` as people read it, by its name where it has one; plain text."""
    kind = FIELDS[name].kind
    if kind == "time":
        return store_time(value)
    if kind == "money":
        return money(value, currency)
    if kind == "choice":
        return visible(str(value))
    return NOTHING if pd.isna(value) else names.name(FIELDS[name].dimension, value, str(int(value)))


def to_the_second(at: datetime) -> str:
    """``2026-03-01 14:05:22``, where one sale is looked at by itself."""
    return locale.moment_seconds(at)


def line_text(line: Mapping[str, Any] | None) -> str:
    """``COF-001 · Espresso · Coffee · 2 × 3.00 − 0.50`` for a line by its columns; plain text."""
    if line is None:
        return NOTHING
    category = f" · {line['category']}" if line["category"] else ""
    discount = f" {'−' if line['discount'] > 0 else '+'} {money(abs(line['discount']))}" if line["discount"] else ""
    price = f"{locale.number(line['quantity'])} × {money(line['unit_price'])}{discount}"
    return f"{line['product_code']} · {line['product_name']}{category} · {price}"


def line_table(lines: Sequence[Line]) -> str:
    """The lines as an HTML table, in the order of entry."""
    return table_html(((_(head), is_number) for head, is_number in HEADS.items()), map(_cells, lines))


def sale_summary(sale: Sale, currency: str, names: Names = NO_NAMES) -> str:
    """Header, lines and totals as HTML."""
    facts = {
        field.label: sale_text(name, getattr(sale, name), currency, names)
        for name, field in FIELDS.items()
        if name != "transaction_id"
    } | {FIELDS["transaction_time"].label: to_the_second(sale.transaction_time)}
    shown = " · ".join(
        f'<span class="soft">{name}</span> <strong>{esc(value)}</strong>' for name, value in facts.items()
    )
    return f"<h2>{_('Transaction {id}', id=sale.transaction_id)}</h2><p>{shown}</p>{line_table(sale.lines)}"


def _cells(line: Line) -> Sequence[str]:
    return (
        line.product_code,
        line.product_name,
        NOTHING if line.category is None else line.category,
        locale.number(line.quantity),
        money(line.unit_price),
        money(line.discount),
        money(line.total_price),
    )
