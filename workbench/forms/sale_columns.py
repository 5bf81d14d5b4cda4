"""The columns of the table of sales, from the fields of a sale."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd
import panel as pn
from bokeh.models.widgets.tables import NumberFormatter

from workbench.catalogue.names import NO_NAMES, Names
from workbench.components.inline import is_notebook, is_served
from workbench.components.theme import esc
from workbench.forms.tabulator import NARROW_STYLE, TABLE_STYLE, row_button, wide
from workbench.sales.fields import FIELDS, Field
from workbench.sales.returns import ReturnNote
from workbench.words import visible

NOTE = "note"  # what there is to say of a sale besides its fields; nobody sorts by it
BUTTONS = {"edit": row_button("Edit"), "return": row_button("Return"), "delete": row_button("Delete", "danger")}
TITLES = {name: field.label for name, field in FIELDS.items()} | {NOTE: "Returns"} | dict.fromkeys(BUTTONS, "")
NUMBERS = [name for name, field in FIELDS.items() if field.is_number]
# The browser sorts the page once more by itself, so each column has its own type. A double is exact to the cent:
# numeric(12, 2) has fewer digits.
TYPES: dict[str, str] = {"id": "int64", "optional id": "float64", "time": "datetime64[us]", "money": "float64"}
FORMATS: dict[str, dict[str, Any]] = {
    "id": {"format": "0"},
    "optional id": {"format": "0", "nan_format": "–"},
    "money": {"format": "0,0.00"},
}
CHOICE_WIDTH = 40  # of the boxes that choose rows
NEWEST_FIRST = [{"field": "transaction_time", "dir": "desc"}]


def empty_table(
    row_content: Callable[[pd.Series], Any], *, has_buttons: bool = True, names: Names = NO_NAMES
) -> pn.widgets.Tabulator:
    """The table without a row yet; a row opens to what ``row_content`` gives for it."""
    is_narrow = is_notebook()
    # A notebook has no room for returns: Edit leads there, and an opened row tells of them.
    buttons = {name: BUTTONS[name] for name in BUTTONS if not is_narrow or name != "return"}
    button_width = 66  # as a default: that of their columns alone cannot be named
    widths = {name: field.narrow if is_narrow else field.width for name, field in FIELDS.items()}
    if not is_narrow:
        widths[NOTE] = 120
    if not has_buttons:
        widths.pop("payment_method")  # it takes their room
    named = [name for name, field in FIELDS.items() if names.may_name(field.dimension)]
    numbers = {name: "right" for name in NUMBERS if name not in named}
    html = {name: {"type": "html"} for name in (NOTE, *named)}
    return pn.widgets.Tabulator(
        page_rows(pd.DataFrame(columns=list(FIELDS)), names=names),
        sorters=NEWEST_FIRST,
        row_content=row_content,
        titles=TITLES,
        disabled=True,
        selectable="checkbox",
        layout="fit_columns",
        configuration={"columnDefaults": {"minWidth": button_width, "headerWordWrap": True}},
        hidden_columns=[NOTE] if is_narrow else [],
        widths=widths,
        styles=wide(sum(widths.values()) + (1 + len(buttons)) * button_width + CHOICE_WIDTH),
        stylesheets=[TABLE_STYLE, NARROW_STYLE] if is_narrow else [TABLE_STYLE],
        sizing_mode="stretch_width",
        margin=(6, 8),
        text_align=numbers | {"transaction_time": "left"},
        header_align=numbers,
        sortable={NOTE: False},
        formatters={
            name: NumberFormatter(**FORMATS[field.kind]) for name, field in FIELDS.items() if field.kind in FORMATS
        }
        | html,
        buttons=buttons if has_buttons else {},
    )


def page_rows(
    rows: pd.DataFrame, notes: Mapping[int, ReturnNote] = MappingProxyType({}), names: Names = NO_NAMES
) -> pd.DataFrame:
    """One page as the browser gets it, with the notes that there are of its sales, and ids by their names."""
    types = {name: TYPES[field.kind] for name, field in FIELDS.items() if field.kind in TYPES}
    typed = rows[list(FIELDS)].astype(types)
    for name, field in FIELDS.items():
        if field.kind == "choice":
            typed[name] = typed[name].map(visible)
        if names.may_name(field.dimension):
            typed[name] = [named_html(names, field, number) for number in rows[name]]
    typed[NOTE] = [note_html(notes.get(int(sale))) for sale in rows["transaction_id"]]
    return typed.set_index("transaction_id")


def named_html(names: Names, field: Field, number: int) -> str:
    """The name of an id, which sorts as the id does: the browser sorts the page by these texts."""
    text, title = names.name(field.dimension, number, str(number)), f"{field.label} {number}"
    return f'<span class="named" data-id="{number:010d}" title="{title}">{esc(text)}</span>'


def note_html(note: ReturnNote | None) -> str:
    """``return of 123``, which leads there where there is a page, or ``2 items returned``."""
    if note is None:
        return ""
    text = esc(note.text)
    if note.return_of is not None and is_served():
        text = f'<a href="sales?tab=edit&amp;sale={note.return_of:d}">{text}</a>'
    return f'<span class="chip">{text}</span>'
