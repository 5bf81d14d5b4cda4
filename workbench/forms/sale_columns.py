"""The columns of the table of sales, from the fields of a sale; and which are shown, as the browser keeps it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import panel as pn
import panel_material_ui as pmui
import param
from bokeh.models.widgets.tables import DateFormatter, NumberFormatter
from panel.custom import JSComponent

from workbench import locale
from workbench.catalogue.names import NO_NAMES, Names
from workbench.components.inline import is_notebook, is_served
from workbench.components.theme import esc
from workbench.forms.tabulator import CARD_STYLE, NARROW_STYLE, TABLE_STYLE, row_button, wide
from workbench.locale import N_, _
from workbench.sales.fields import FIELDS, Field
from workbench.sales.returns import ReturnNote
from workbench.words import visible

NOTE = "note"  # what there is to say of a sale besides its fields; nobody sorts by it
BUTTONS = {"edit": (N_("Edit"), ""), "return": (N_("Return"), ""), "delete": (N_("Delete"), "danger")}
MENU = "menu"  # the button of a row's menu
MENU_WIDTH = 52


def titles(currency: str = "") -> dict[str, str]:
    """The head of each column, ``Total (USD)`` where a currency is given."""
    named = {name: titled(field, currency) for name, field in FIELDS.items()}
    return named | {NOTE: _("Returns"), MENU: ""} | dict.fromkeys(BUTTONS, "")


def titled(field: Field, currency: str) -> str:
    """The head of a field's column; amounts have their currency there, said once for all rows."""
    return f"{field.label} ({currency})" if field.kind == "money" and currency else field.label


NUMBERS = [name for name, field in FIELDS.items() if field.is_number]
# The browser sorts the page once more by itself, so each column has its own type. A double is exact to the cent:
# numeric(12, 2) has fewer digits.
TYPES: dict[str, str] = {"id": "int64", "optional id": "float64", "time": "datetime64[us]", "money": "float64"}
FORMATS: dict[str, dict[str, Any]] = {
    "id": {"format": "0"},
    "optional id": {"format": "0", "nan_format": "–"},
}
WIDENED = ("store_id", "cashier_id", "payment_method", NOTE)  # of names: they share what a wide screen has left
CHOICE_WIDTH = 40  # of the boxes that choose rows
BUTTON_WIDTH = 66  # as a default: that of their columns alone cannot be named
# The names of those boxes, as shell/tables.js reads them.
BOXES = {"row": N_("Choose transaction {id}"), "all": N_("Choose all on this page")}
NEWEST_FIRST = [{"field": "transaction_time", "dir": "desc"}]


def empty_table(
    row_content: Callable[[pd.Series], Any],
    *,
    has_buttons: bool = True,
    names: Names = NO_NAMES,
    key: str = "",
    currency: str = "",
) -> pn.widgets.Tabulator:
    """The table without a row yet; the browser keeps the widths of its columns under ``key``.

    On a page each row has a menu; in a notebook buttons, and it opens to what ``row_content`` gives for it.
    """
    is_narrow = is_notebook()
    # A notebook has no room for returns: Edit leads there, and an opened row tells of them.
    buttons = (
        {name: row_button(_(text), look) for name, (text, look) in BUTTONS.items() if name != "return"}
        if is_narrow and has_buttons
        else {}
    )
    widths = _widths(is_narrow, has_buttons)
    named = [name for name, field in FIELDS.items() if names.may_name(field.dimension)]
    numbers = {name: "right" for name in NUMBERS if name not in named}
    html = {name: {"type": "html"} for name in (NOTE, MENU, *named)}
    more = (1 + len(buttons)) * BUTTON_WIDTH if is_narrow else CHOICE_WIDTH
    return pn.widgets.Tabulator(
        page_rows(pd.DataFrame(columns=list(FIELDS)), names=names),
        sorters=NEWEST_FIRST,
        row_content=row_content if is_narrow else None,
        titles=titles(currency),
        disabled=True,
        editors=dict.fromkeys(titles()),  # else each cell is a stop of the keyboard
        selectable=False if is_narrow else "checkbox",
        layout="fit_columns",
        configuration=_configuration(BUTTON_WIDTH if is_narrow else 44, key),
        hidden_columns=[NOTE, MENU] if is_narrow else [],
        widths=widths if is_narrow else {name: width for name, width in widths.items() if name not in WIDENED},
        stylesheets=[
            wide(sum(widths.values()) + more),
            TABLE_STYLE,
            NARROW_STYLE if is_narrow else card_style(currency),
        ],
        sizing_mode="stretch_width",
        margin=(6, 8),
        text_align=numbers | {"transaction_time": "left"},
        header_align=numbers,
        sortable={NOTE: False, MENU: False},
        formatters={name: formatter for name, field in FIELDS.items() if (formatter := _formatter(field))} | html,
        buttons=buttons,
    )


def _widths(is_narrow: bool, has_buttons: bool) -> dict[str, int]:
    widths = {name: field.narrow if is_narrow else field.width for name, field in FIELDS.items()}
    if not is_narrow:
        return widths | {NOTE: 120, MENU: MENU_WIDTH}
    if not has_buttons:
        widths.pop("payment_method")  # it takes their room
    return widths


def _configuration(least_width: int, key: str) -> dict[str, Any]:
    """What Tabulator itself is told; ``boxes`` and ``persistenceID`` are read by shell/tables.js."""
    boxes = {"field": "transaction_id"} | {part: _(text) for part, text in BOXES.items()}
    configuration = {
        "columnDefaults": {"minWidth": least_width, "headerWordWrap": True},
        "langs": {"default": {"boxes": boxes}},
    }
    return configuration | ({"persistenceID": key} if key else {})


def _formatter(field: Field) -> Any:
    """How the browser writes a column's values; None where it does so by itself."""
    now = locale.conventions()
    if field.kind == "money":
        return {"type": "money", "decimal": now.decimal, "thousand": now.group, "precision": 2}
    if field.kind == "time":
        return DateFormatter(format=f"{now.day} {now.seconds}")
    return NumberFormatter(**FORMATS[field.kind]) if field.kind in FORMATS else None


def card_style(currency: str) -> str:
    """Of a sale on a phone: box, time, total and menu first, then the other fields with their names."""
    first = {"transaction_time": "2 !important; flex: 1 0 auto", "total_amount": "3", MENU: "4"}
    lines = [
        f".pnx-tabulator.tabulator .tabulator-table .tabulator-row [tabulator-field={name}].tabulator-cell"
        f" {{ order: {order} !important; font-weight: 700; font-size: 15px !important; }}"
        for name, order in first.items()
    ]
    box = ".pnx-tabulator.tabulator .tabulator-row .tabulator-cell:has(> input) { order: 1 !important; }"
    names = [
        f'[tabulator-field={name}].tabulator-cell::before {{ content: "{titled(field, currency)} "; opacity: 0.75; }}'
        for name, field in FIELDS.items()
        if name not in first
    ]
    if currency:  # where the locale has it
        names += [
            f'[tabulator-field=total_amount].tabulator-cell::{place} {{ content: "{text}"; }}'
            for place, text in zip(("before", "after"), locale.around_money(currency), strict=True)
            if text
        ]
    return CARD_STYLE + "@media (max-width: 600px) {" + "\n".join([*lines, box, *names]) + "}"


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
    typed[MENU] = [menu_html(int(sale)) for sale in rows["transaction_id"]]
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


def menu_html(transaction_id: int) -> str:
    """The button that opens the menu of a row."""
    label = _("Actions of transaction {id}", id=transaction_id)
    return (
        f'<button type="button" class="menu" aria-haspopup="menu" aria-expanded="false" aria-label="{label}">⋯</button>'
    )


CHOSEN = [name for name in (*FIELDS, NOTE) if name != "transaction_id"]  # the id tells a row


class KeptColumns(JSComponent):
    """What the browser has of it."""

    key = param.String()
    hidden = param.List(default=[])

    _bundle = Path(__file__).with_name("column_choice.js")


class ColumnChoice(pn.viewable.Viewer):
    """A button and its dialog; ``on_change`` gets the names of the columns that are not shown."""

    def __init__(self, key: str, on_change: Callable[[list[str]], Any]) -> None:
        super().__init__()
        self._on_change = on_change
        self._kept = KeptColumns(key=key, width=0, height=0, margin=0)
        self._boxes = pmui.CheckBoxGroup(options={titles()[name]: name for name in CHOSEN}, value=CHOSEN, margin=(0, 8))
        self._boxes.param.watch(self._ticked, "value")
        self._kept.param.watch(self._read, "hidden")
        close = pmui.Button(label=_("Done"), variant="contained", margin=(6, 8))
        reset = pmui.Button(label=_("Reset columns and widths"), variant="text", margin=(6, 8))
        reset.on_click(lambda _: self._kept._send_msg("reset"))
        self._inside = [self._boxes, pn.Row(reset, close, margin=0)]
        self._dialog = pmui.Dialog(title=_("Columns"), title_variant="h6", width_option="xs", close_on_click=True)
        close.on_click(self._close)
        self.button = pmui.Button(label=_("Columns"), icon="view_column", variant="text", size="small", margin=(2, 0))
        self.button.on_click(self._open)

    def _open(self, _event: Any) -> None:
        if not self._dialog.objects:  # what is in it is drawn the first time
            self._dialog.objects = self._inside
        self._dialog.open = True

    def _close(self, _event: Any) -> None:
        self._dialog.open = False

    def _ticked(self, event: Any) -> None:
        self._kept.hidden = [name for name in CHOSEN if name not in event.new]

    def _read(self, event: Any) -> None:
        """A browser says whatever somebody has put there."""
        hidden = [name for name in CHOSEN if name in event.new]
        self._boxes.value = [name for name in CHOSEN if name not in hidden]
        self._on_change(hidden)

    def __panel__(self) -> pn.Row:
        return pn.Row(self.button, self._dialog, self._kept, margin=0)
