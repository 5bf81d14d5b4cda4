"""The basket: the items of a sale that is being entered, and what they add up to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import panel as pn

from workbench.catalogue.names import Names
from workbench.components.html import html_pane
from workbench.components.theme import esc, money
from workbench.forms.fields import MARGIN
from workbench.forms.item_entry import ItemEntry
from workbench.forms.named_ids import no_names
from workbench.forms.tabulator import TABLE_STYLE, row_button, sideways, wide
from workbench.sales.models import LineInput
from workbench.sales.service import Sales
from workbench.words import items_text, visible

COLUMNS = ("Code", "Product", "Category", "Quantity", "Unit Price", "Discount", "Total")


class Basket(pn.viewable.Viewer):
    """Items that can be added, changed and removed. ``lines`` is what ``parse_sale`` takes.

    ``on_change`` is called whenever items, or what is typed of one, may have changed.
    """

    def __init__(
        self,
        sales: Sales,
        on_change: Callable[[], None] = lambda: None,
        names: Callable[[], Names] = no_names,
        day: Callable[[], date] | None = None,
    ) -> None:
        super().__init__()
        self._on_change = on_change
        self._currency = sales.engines.settings.workbench_currency
        self.lines: list[dict[str, Any]] = []
        self.entry = ItemEntry(sales, self._add, on_change, names, day)
        self._table = sideways()
        self._totals = html_pane(margin=MARGIN)
        self._show()

    def load(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Replaces all items; what was being typed is cleared."""
        self.lines = [dict(line) for line in lines]
        self.entry.clear()
        self._show()

    def refuse_pending(self) -> bool:
        """True, with a message by the fields, when an item was typed that is not in the basket."""
        if self.entry.is_pending:
            self.entry.message.say("warning", "Add it, or clear it.", "This item is not in the basket yet.")
        return self.entry.is_pending

    def _add(self, line: LineInput, row: int | None) -> None:
        if row is None:
            self.lines.append(line.model_dump())
        else:
            self.lines[row] = line.model_dump()
        self._show()

    def _clicked(self, event: Any) -> None:
        if event.row >= len(self.lines):
            return  # a click on a row that a click before it has removed
        if event.column == "remove":
            self.remove(event.row)
        elif event.column == "edit":
            self.edit(event.row)

    def edit(self, row: int) -> None:
        """Takes an item into the fields, unless another waits there."""
        if not self.refuse_pending():
            self.entry.load(self.lines[row], row)

    def remove(self, row: int) -> None:
        """Takes an item out of the basket."""
        del self.lines[row]
        edited = self.entry.row
        if edited == row:  # what is being changed is not there any more: it would come back as a new item
            self.entry.clear()
        elif edited is not None and edited > row:
            self.entry.row = edited - 1
        self._show()

    def _show(self) -> None:
        # A new table each time: one that gets new rows before the browser has drawn it fails there.
        self._table.objects = [_table(self.lines, self._clicked)] if self.lines else []
        self._totals.object = _totals(self.lines, self._currency)
        self._on_change()

    def __panel__(self) -> pn.Column:
        return pn.Column(self.entry, self._table, self._totals, sizing_mode="stretch_width", margin=0)


def total(line: Mapping[str, Any]) -> Decimal:
    """What a line costs after its discount."""
    return line["quantity"] * line["unit_price"] - line["discount"]


def _table(lines: Sequence[Mapping[str, Any]], on_click: Callable[[Any], None]) -> pn.widgets.Tabulator:
    table = pn.widgets.Tabulator(
        pd.DataFrame([_row(line) for line in lines], columns=list(COLUMNS), dtype=object),
        show_index=False,
        disabled=True,
        sortable=False,
        selectable=False,
        layout="fit_columns",
        widths=dict(zip(COLUMNS, (110, 260, 130, 90, 110, 100, 120), strict=True)),
        styles=wide(900),
        stylesheets=[TABLE_STYLE],
        sizing_mode="stretch_width",
        margin=(6, 8),
        text_align=dict.fromkeys(COLUMNS[3:], "right"),
        header_align=dict.fromkeys(COLUMNS[3:], "right"),
        buttons={"edit": row_button("Edit"), "remove": row_button("Remove", "danger")},
    )
    table.on_click(on_click)
    return table


def _row(line: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        *(visible(line[name] or "") for name in ("product_code", "product_name", "category")),
        f"{line['quantity']:,}",
        money(line["unit_price"]),
        money(line["discount"]),
        money(total(line)),
    )


def _totals(lines: Sequence[Mapping[str, Any]], currency: str) -> str:
    if not lines:
        return '<p class="soft">No items yet. Type one above and add it.</p>'
    discount = sum((line["discount"] for line in lines), Decimal(0))
    amount = sum((total(line) for line in lines), Decimal(0))
    items = items_text([line["quantity"] for line in lines])
    return (
        f'<p class="number">{items} <span class="soft">· Discount {esc(money(discount, currency))}</span>'
        f" · <strong>Total {esc(money(amount, currency))}</strong></p>"
    )
