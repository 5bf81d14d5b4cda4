"""A sale to be read: its lines and header as escaped HTML, its receipt, and the panel beside the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import param
from panel.custom import JSComponent

from workbench import locale
from workbench.catalogue.names import NO_NAMES, Names
from workbench.components import theme
from workbench.components.html import table_html
from workbench.components.theme import NOTHING, esc, money, store_time
from workbench.locale import N_, _, language
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


WIDTH_MM = 80
_STYLE = """
html, body { margin: 0; background: #ffffff; color: #000000; }
body { width: 72mm; padding: 4mm; font: 12px/1.35 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 16px; text-align: center; margin: 0 0 2mm; }
p { margin: 0; }
.amount { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; vertical-align: bottom; }
table { width: 100%; border-collapse: collapse; margin: 2mm 0; border-block: 1px dashed #000000; }
td, th { padding: 1mm 0; text-align: left; font-weight: 400; }
tfoot th, tfoot td { font-weight: 700; font-size: 14px; }
"""


def receipt(sale: Sale, names: Names, currency: str) -> str:
    """The document. All that comes from the database is escaped."""
    store = names.called("store", sale.store_id)
    cashier = names.name("cashier", sale.cashier_id, str(sale.cashier_id))
    rows = "".join(_row(line) for line in sale.lines)
    off = _sum(_("Discount"), money(-sale.total_discount)) if sale.total_discount else ""
    whole = _sum(_("Total"), money(sale.total_amount, currency))
    about = [
        (_("Time"), store_time(sale.transaction_time)),
        (_("Payment"), sale.payment_method),
        (_("Cashier"), cashier),
    ]
    said = "".join(f"<p>{label}: {esc(text)}</p>" for label, text in [*about, (_("Transaction"), sale.transaction_id)])
    return (
        f'<!doctype html><html lang="{language()}"><head><meta charset="utf-8">'
        f"<title>{_('Receipt {id}', id=sale.transaction_id)}</title>"
        f"<style>{_STYLE}</style></head><body><h1>{esc(store)}</h1>{said}"
        f"<table><tbody>{rows}</tbody><tfoot>{off}{whole}</tfoot></table></body></html>"
    )


def _row(line: Line) -> str:
    off = f"<br>{_('Discount')} {esc(money(-line.discount))}" if line.discount else ""
    about = f"{locale.number(line.quantity)} × {esc(money(line.unit_price))}{off}"
    return (
        f'<tr><td>{esc(line.product_name)}<br>{about}</td><td class="amount">{esc(money(line.total_price))}</td></tr>'
    )


def _sum(label: str, text: str) -> str:
    return f'<tr><th scope="row">{label}</th><td class="amount">{esc(text)}</td></tr>'


class Printing(JSComponent):
    """Prints documents as wide as a roll of paper, and as long as they are. Nothing in them may run."""

    _bundle = Path(__file__).with_name("printing.js")

    def __init__(self) -> None:
        super().__init__(width=0, height=0, margin=0)

    def print(self, title: str, page: str, millimetres: int) -> None:
        """Opens the browser's print of ``page``, an HTML document whose texts are escaped."""
        self._send_msg([title, page, millimetres])


ROWS = "sale-rows"  # the class of what has the rows
OPEN, ESCAPE = "open", "escape"


class RowActions(JSComponent):
    """``on_act`` gets what is to be done with which sale: ``open``, one of ``acts``, or ``escape`` with none (0)."""

    acts = param.List(default=[])  # of the menu: name, label and look of each

    _bundle = Path(__file__).with_name("row_actions.js")

    def __init__(self, acts: Sequence[tuple[str, str, str]], on_act: Callable[[str, int], None]) -> None:
        sheet = Path(__file__).with_name("sale_panel.css").read_text(encoding="utf-8")
        super().__init__(
            acts=[list(each) for each in acts], width=0, height=0, margin=0, stylesheets=[theme.stylesheet(), sheet]
        )
        self._on_act = on_act
        self.on_msg(lambda event: self._hear(event.data))

    def focus(self, transaction_id: int) -> None:
        """Puts the keyboard onto the row of this sale, or onto the first one."""
        self._send_msg(transaction_id)

    def _hear(self, said: Any) -> None:
        heard(said, {OPEN, ESCAPE, *(name for name, *_ in self.acts)}, self._on_act)


def heard(said: Any, acts: set[str], on_act: Callable[[str, int], None]) -> None:
    """Has done what a browser says, when it is one of ``acts`` and an id: it says whatever somebody sends."""
    if not isinstance(said, dict):
        return
    act, number = said.get("act"), said.get("id")
    if isinstance(act, str) and act in acts and type(number) is int:
        on_act(act, number)


CLOSE = "close"


class SalePanel(JSComponent):
    """``on_act`` gets one of ``acts``, or ``close``, and the sale that is shown."""

    acts = param.List(default=[])  # the buttons: name, label and look of each
    shown = param.List(default=[])  # the sale's id, its HTML, and whether the keyboard goes there; empty for none

    _bundle = Path(__file__).with_name("sale_panel.js")

    def __init__(self, acts: Sequence[tuple[str, str, str]], on_act: Callable[[str, int], None]) -> None:
        sheet = Path(__file__).with_name("sale_panel.css").read_text(encoding="utf-8")
        super().__init__(acts=[list(each) for each in acts], margin=0, stylesheets=[theme.stylesheet(), sheet])
        self.on_msg(lambda event: heard(event.data, {CLOSE, *(name for name, *_ in acts)}, on_act))

    @property
    def sale_id(self) -> int | None:
        """The transaction_id of the sale that is shown."""
        return int(self.shown[0]) if self.shown else None

    def put(self, transaction_id: int, html: str, *, takes_focus: bool) -> None:
        """Shows HTML of a sale, in which every text is escaped."""
        self.shown = [transaction_id, html, takes_focus]

    def close(self) -> None:
        """Shows none."""
        self.shown = []
