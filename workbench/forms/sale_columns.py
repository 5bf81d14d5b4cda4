"""The columns of the table of sales, from the fields of a sale."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import panel as pn
from bokeh.models.widgets.tables import NumberFormatter

from workbench.components.inline import is_notebook
from workbench.forms.tables import NARROW_STYLE, TABLE_STYLE, row_button, wide
from workbench.sales.fields import FIELDS
from workbench.words import visible

TITLES = {name: field.label for name, field in FIELDS.items()} | {"edit": "", "delete": ""}
NUMBERS = [name for name, field in FIELDS.items() if field.is_number]
# The browser sorts the page once more by itself, so each column has its own type. A double is exact to the cent:
# numeric(12, 2) has fewer digits.
TYPES: dict[str, str] = {"id": "int64", "optional id": "float64", "time": "datetime64[us]", "money": "float64"}
FORMATS: dict[str, dict[str, Any]] = {
    "id": {"format": "0"},
    "optional id": {"format": "0", "nan_format": "–"},
    "money": {"format": "0,0.00"},
}
NEWEST_FIRST = [{"field": "transaction_time", "dir": "desc"}]


def empty_table(row_content: Callable[[pd.Series], Any], *, has_buttons: bool = True) -> pn.widgets.Tabulator:
    """The table without a row yet; a row opens to what ``row_content`` gives for it."""
    is_narrow = is_notebook()
    buttons = 66 if is_narrow else 76
    widths = {name: field.narrow if is_narrow else field.width for name, field in FIELDS.items()}
    if not has_buttons:
        widths.pop("payment_method")  # it takes their room
    numbers = dict.fromkeys(NUMBERS, "right")
    return pn.widgets.Tabulator(
        page_rows(pd.DataFrame(columns=list(FIELDS))),
        sorters=NEWEST_FIRST,
        row_content=row_content,
        titles=TITLES,
        disabled=True,
        selectable=False,
        layout="fit_columns",
        configuration={"columnDefaults": {"minWidth": buttons, "headerWordWrap": True}},  # their width cannot be named
        widths=widths,
        styles=wide(sum(widths.values()) + 3 * buttons),
        stylesheets=[TABLE_STYLE, NARROW_STYLE] if is_narrow else [TABLE_STYLE],
        sizing_mode="stretch_width",
        margin=(6, 8),
        text_align=numbers | {"transaction_time": "left"},
        header_align=numbers,
        formatters={
            name: NumberFormatter(**FORMATS[field.kind]) for name, field in FIELDS.items() if field.kind in FORMATS
        },
        buttons={"edit": row_button("Edit"), "delete": row_button("Delete", "danger")} if has_buttons else {},
    )


def page_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """One page as the browser gets it."""
    types = {name: TYPES[field.kind] for name, field in FIELDS.items() if field.kind in TYPES}
    typed = rows[list(FIELDS)].astype(types)
    for name, field in FIELDS.items():
        if field.kind == "choice":
            typed[name] = typed[name].map(visible)
    return typed.set_index("transaction_id")
