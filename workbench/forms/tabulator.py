"""What the two Tabulators share: their look, the buttons in their rows, and how they fit a phone."""

from __future__ import annotations

import panel as pn

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
