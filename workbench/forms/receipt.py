"""A receipt: a sale as it is handed to a customer, a document of its own that is 80 mm wide."""

from __future__ import annotations

from pathlib import Path

from panel.custom import JSComponent

from workbench import locale
from workbench.catalogue.names import Names
from workbench.components.theme import esc, money, store_time
from workbench.locale import _, language
from workbench.sales.models import Line, Sale

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
