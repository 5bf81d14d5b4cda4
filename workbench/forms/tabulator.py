"""What tables share: their look, the buttons in their rows, how they fit a phone, and going from page to page."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param

from workbench import locale
from workbench.components.theme import esc, money
from workbench.locale import N_, _
from workbench.metrics.facts import Counted
from workbench.metrics.sale_pages import PAGE_SIZES, Move, SalePage

# Columns of buttons have no field: nothing to sort by, but Tabulator offers it. The table's own height is computed
# before the content of an opened row arrives, and would cut it off.
TABLE_STYLE = """
.pnx-tabulator.tabulator { height: auto !important; font-size: 14px; }
.tabulator .tabulator-tableholder { height: auto !important; overflow-y: hidden; }
.tabulator .tabulator-cell { font-variant-numeric: tabular-nums; }
.tabulator .tabulator-row.tabulator-selectable:hover,
.tabulator .tabulator-row.tabulator-selectable:hover .tabulator-cell {
  background: color-mix(in srgb, var(--panel-primary-color, #00609a) 8%, var(--panel-surface-color, #ffffff));
  color: var(--panel-on-background-color, #17212b); cursor: default;
}
.pnx-tabulator.tabulator .tabulator-tableholder .tabulator-table .tabulator-row.tabulator-row-even {
  color: inherit; background-color: color-mix(in srgb, currentColor 3%, transparent); /* JupyterLab's is grey on grey */
}
.pnx-tabulator.tabulator .tabulator-tableholder .tabulator-table .tabulator-row.tabulator-selected,
.pnx-tabulator.tabulator .tabulator-tableholder .tabulator-table .tabulator-row.tabulator-selected .tabulator-cell {
  background: color-mix(in srgb, var(--panel-primary-color, #00609a) 14%, var(--panel-surface-color, #ffffff));
  color: var(--panel-on-background-color, #17212b);
}
.tabulator-col:not([tabulator-field]) { pointer-events: none; }
.tabulator-col:has(input[type=checkbox]) { pointer-events: auto; }
.tabulator-col:not([tabulator-field]) .tabulator-arrow { display: none; }
.pnx-tabulator.tabulator .tabulator-cell:has(> button) { padding-inline: 4px; text-overflow: clip; }
.tabulator-cell button {
  font: inherit; font-size: 13px; font-weight: 600; line-height: 1; padding: 5px 10px; cursor: pointer;
  color: var(--panel-primary-color, #00609a); background: transparent;
  border: 1px solid color-mix(in srgb, currentColor 40%, transparent); border-radius: 6px;
}
.tabulator-cell button:hover { background: color-mix(in srgb, currentColor 10%, transparent); }
.pnx-tabulator.tabulator .tabulator-cell:is(:has(> input), :has(> .named)) { text-overflow: clip; }
.tabulator-cell .named { white-space: normal; font-size: 13px; line-height: 1.15; display: inline-block; }
.tabulator-cell .chip {
  padding: 2px 8px; border-radius: 10px; font-size: 12px; white-space: nowrap;
  background: color-mix(in srgb, currentColor 12%, transparent);
}
.tabulator-cell .chip a { color: inherit; }
.tabulator-row:not(.tabulator-group):focus { outline: none; }
.tabulator-row:focus-visible {
  outline: 2px solid var(--panel-primary-color, #00609a) !important; outline-offset: -2px;
}
.tabulator-cell button.menu { border-color: transparent; font-size: 18px; padding: 1px 8px; color: inherit; }
.tabulator-cell button.danger { color: var(--danger-bg-color, #b3261e); }
"""

# A notebook beside JupyterLab's list of files is 935 px wide on a screen of 1400.
NARROW_STYLE = """
.pnx-tabulator.tabulator { font-size: 13px; }
.pnx-tabulator.tabulator .tabulator-tableholder .tabulator-table .tabulator-row .tabulator-cell { padding: 6px; }
.pnx-tabulator.tabulator .tabulator-header .tabulator-col .tabulator-col-content { padding: 6px; }
.tabulator-cell button { font-size: 12px; padding: 4px 6px; }
"""

# On a phone a row is a card: what is told apart stands in its first line, the rest below it.
CARD_STYLE = """
@media (max-width: 600px) {
  :host { min-width: 0 !important; }
  .pnx-tabulator.tabulator .tabulator-header { display: none; }
  .pnx-tabulator.tabulator .tabulator-tableholder .tabulator-table {
    min-width: 0 !important; width: 100% !important; display: block;
  }
  .pnx-tabulator.tabulator .tabulator-tableholder .tabulator-table .tabulator-row {
    display: flex !important; flex-wrap: wrap; align-items: center; align-content: flex-start; gap: 0 10px;
    width: auto; padding: 8px 10px !important; box-sizing: border-box;
  }
  .pnx-tabulator.tabulator .tabulator-tableholder .tabulator-table .tabulator-row .tabulator-cell {
    order: 9; position: static !important; width: auto !important; min-width: 0 !important; height: auto !important;
    padding: 2px 0 !important; border: 0; font-size: 13px; white-space: normal; background: none;
    flex: 0 0 auto; max-width: 100%; text-align: left !important;
  }
  .tabulator-row .tabulator-cell > div { display: inline !important; }
  .tabulator-row::after { content: ""; order: 5; flex: 0 0 100%; }
  .tabulator-row :is(.tabulator-col-resize-handle, .empty, .tabulator-cell:empty) { display: none !important; }
  .tabulator-cell button.menu { padding: 6px 10px; }
}
"""

# Without ``contain`` the table's width would become the page's.
SIDEWAYS = {"overflow-x": "auto", "contain": "inline-size"}


def row_button(label: str, kind: str = "") -> str:
    """The HTML of a button that the keyboard reaches too; label and kind are the program's own words."""
    return f"<button type='button' class='{kind}'>{label}</button>"


def wide(pixels: int) -> str:
    """The sheet of a table that is never narrower. Panel's min_width would make everything around it as wide.

    Of its own the browser's side writes a ``min-width`` of 0 into the element, over that of ``styles``.
    """
    return f":host {{ min-width: {pixels}px !important; }}"


def sideways(*tables: pn.widgets.Tabulator) -> pn.Column:
    """A frame that scrolls a table sideways where the screen is narrower."""
    return pn.Column(*tables, sizing_mode="stretch_width", margin=0, styles=SIDEWAYS)


BUTTONS: dict[Move, str] = {"first": N_("First"), "previous": N_("Previous"), "next": N_("Next"), "last": N_("Last")}


class Pager(pn.viewable.Viewer):
    """The buttons below a table. ``on_move`` gets where to go, and ``first`` when the number of rows is changed;
    money is in ``currency``."""

    size: Any = param.Selector(default=20, objects=list(PAGE_SIZES))  # rows of a page
    number = param.Integer(default=1)  # counted from the first page; 0 or less, from the last one, where nobody knows

    def __init__(self, on_move: Callable[[Move], Any], currency: str = "") -> None:
        super().__init__()
        self._on_move = on_move
        self._buttons = {
            move: pmui.Button(label=_(label), variant="outlined", size="small", margin=(4, 0, 4, 8))
            for move, label in BUTTONS.items()
        }
        for move, button in self._buttons.items():
            button.on_click(partial(_go, on_move, move))
        self._size = pmui.Select.from_param(
            self.param.size, label=_("Rows per page"), size="small", width=120, margin=(4, 8)
        )
        self._text = pn.pane.HTML("", margin=(10, 8))
        self._total, self._currency = pn.pane.HTML("", margin=(10, 8)), currency

    @param.depends("size", watch=True)
    def _start_anew(self) -> None:
        self._on_move("first")

    def go_on(self, number: int, size: int) -> None:
        """The page that comes next is the one of this ``number``, with ``size`` rows; whoever says so loads it."""
        with param.parameterized.discard_events(self):
            self.param.update(number=number, size=size)
        self._size.value = size

    @property
    def text(self) -> str:
        """Which page this is: ``Page 2 of 3``."""
        return self._text.object

    def place(self, page: SalePage, move: Move | None) -> None:
        """Shows where ``page`` is, reached by ``move`` (None: the same page, read again)."""
        self._buttons["first"].disabled = self._buttons["previous"].disabled = not page.has_previous
        self._buttons["next"].disabled = self._buttons["last"].disabled = not page.has_next
        self._count_on(page, move)
        self._text.object = self._where(page)
        self._total.object = total_html(page.counted, self._currency)

    def _count_on(self, page: SalePage, move: Move | None) -> None:
        n_pages = max(-(-page.count // self.size), 1)
        step = {"next": 1, "previous": -1}.get(move or "", 0)
        if not page.has_previous:
            self.number = 1
        elif move == "last":
            self.number = 0 if page.is_estimate else n_pages
        elif self.number > 0:
            self.number = max(self.number + step, 2)
        else:
            self.number = min(self.number + step, 0)

    def _where(self, page: SalePage) -> str:
        n_pages = max(-(-page.count // self.size), 1)
        if self.number <= 0:
            return _("{n} before the last page", n=-self.number) if self.number else _("Last page")
        text = _("Page {n} of about {of}") if page.is_estimate else _("Page {n} of {of}")
        return text.format(n=locale.number(self.number), of=locale.number(max(n_pages, self.number)))

    def __panel__(self) -> pn.Column:
        return pn.Column(
            *self._buttons.values(),
            self._text,
            self._size,
            self._total,
            sizing_mode="stretch_width",
            margin=0,
            styles={"display": "flex", "flex-flow": "row wrap", "align-items": "center"},
        )


def total_html(counted: Counted, currency: str) -> str:
    """``45 in all, USD 1,234.50``; without an amount where the number is an estimate."""
    if counted.amount is None:
        return _("about {n} in all", n=locale.number(counted.count))
    amount = f'<strong title="{_("Net of returns")}">{esc(money(counted.amount, currency))}</strong>'
    return _("{n} in all, {amount}", n=locale.number(counted.count), amount=amount)


def _go(on_move: Callable[[Move], Any], move: Move, _event: Any) -> None:
    on_move(move)
