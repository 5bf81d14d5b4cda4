"""The columns of the table of sales: their titles, widths, formats and types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import panel as pn
from bokeh.models.widgets.tables import NumberFormatter

from workbench.components.inline import is_notebook
from workbench.forms.tables import NARROW_STYLE, TABLE_STYLE, row_button, wide
from workbench.metrics.sale_pages import COLUMNS
from workbench.words import visible

TITLES = {
    "transaction_id": "ID",
    "transaction_time": "Time",
    "store_id": "Store",
    "cashier_id": "Cashier",
    "payment_method": "Payment Method",
    "customer_id": "Customer",
    "total_discount": "Discount",
    "total_amount": "Total",
    "edit": "",
    "delete": "",
}
SHOWN = tuple(name for name in COLUMNS if name in TITLES)
MONEY = ("total_discount", "total_amount")
WIDTHS = {
    "transaction_id": 90,
    "transaction_time": 160,
    "store_id": 76,
    "cashier_id": 96,
    "payment_method": 165,
    "customer_id": 106,
    "total_discount": 106,
    "total_amount": 96,
}
NARROW = {
    "transaction_id": 72,
    "transaction_time": 150,
    "store_id": 62,
    "cashier_id": 80,
    "payment_method": 106,
    "customer_id": 90,
    "total_discount": 86,
    "total_amount": 80,
}
NEWEST_FIRST = [{"field": "transaction_time", "dir": "desc"}]


def empty_table(row_content: Callable[[pd.Series], Any]) -> pn.widgets.Tabulator:
    """The table without a row yet; a row opens to what ``row_content`` gives for it."""
    widths, buttons = (NARROW, 66) if is_notebook() else (WIDTHS, 76)
    numbers = dict.fromkeys(("transaction_id", "store_id", "cashier_id", "customer_id", *MONEY), "right")
    return pn.widgets.Tabulator(
        page_rows(pd.DataFrame(columns=list(COLUMNS))),
        sorters=NEWEST_FIRST,
        row_content=row_content,
        titles=TITLES,
        disabled=True,
        selectable=False,
        layout="fit_columns",
        configuration={"columnDefaults": {"minWidth": buttons, "headerWordWrap": True}},  # their width cannot be named
        widths=widths,
        styles=wide(sum(widths.values()) + 3 * buttons),
        stylesheets=[TABLE_STYLE, NARROW_STYLE] if is_notebook() else [TABLE_STYLE],
        sizing_mode="stretch_width",
        margin=(6, 8),
        text_align=numbers | {"transaction_time": "left"},
        header_align=numbers,
        formatters={
            **{name: NumberFormatter(format="0,0.00") for name in MONEY},
            **{name: NumberFormatter(format="0") for name in ("transaction_id", "store_id", "cashier_id")},
            "customer_id": NumberFormatter(format="0", nan_format="–"),
        },
        buttons={"edit": row_button("Edit"), "delete": row_button("Delete", "danger")},
    )


def page_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """One page as the browser gets it. It sorts the page once more by itself, so each column has its own type."""
    typed = rows[list(SHOWN)].astype(
        {
            "transaction_id": "int64",
            "transaction_time": "datetime64[us]",
            "store_id": "int64",
            "cashier_id": "int64",
            "customer_id": "float64",
            **dict.fromkeys(MONEY, "float64"),  # exact to the cent: numeric(12, 2) has fewer digits than a double
        }
    )
    typed["payment_method"] = typed["payment_method"].map(visible)
    return typed.set_index("transaction_id")
