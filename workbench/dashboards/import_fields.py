"""The fields of the page Import that say how a file is read: its kind, its columns, and values for all rows."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, get_args

import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewable, Viewer

from workbench.components.fields import CHOICE, LAYOUT, field_grid
from workbench.components.html import html_pane
from workbench.imports import FIELDS, FileMapping
from workbench.imports.mapping import AMOUNTS, INVOICE, NEEDED, TOTAL, UNCLEAR, Dates, label
from workbench.imports.reading import DELIMITERS, ENCODINGS, Table
from workbench.locale import N_, _

NOT_THERE = N_("(not in the file)")
READ = ("encoding", "delimiter", "sheet")  # whose change has the file read again
SIGNS = {N_("point, as in 12.50"): ".", N_("comma, as in 12,50"): ","}


class ImportFields(Viewer):
    """Filled by ``fill`` with what was found out; ``mapping`` is what they say by now."""

    def __init__(self, read_again: Callable[[FileMapping], Coroutine[Any, Any, None]]) -> None:
        super().__init__()
        self._read_again = read_again
        self._found: dict[str, str | None] = {}  # how the file that is shown was read
        self._read = {
            "encoding": _select(_("Encoding"), {_(title): name for name, title in ENCODINGS.items()}),
            "delimiter": _select(_("Columns are separated by"), {_(title): sign for sign, title in DELIMITERS.items()}),
            "sheet": _select(_("Sheet"), {}),
            "decimals": _select(_("Decimal sign"), {_(title): sign for title, sign in SIGNS.items()}),
            "dates": _select(_("Dates are written"), {_(name): name for name in get_args(Dates)}),
        }
        self._columns = {name: _select(_titled(name), {}) for name in FIELDS}
        self._defaults = {
            name: pmui.TextInput(label=_("{field} if none", field=label(name)), **LAYOUT)
            for name in FIELDS
            if name not in (INVOICE, TOTAL)
        }
        self._shown = FileMapping()
        for name in READ:
            self._read[name].param.watch(partial(self._chosen, name), "value")

    def _chosen(self, name: str, event: Any) -> None:
        if event.new != self._found.get(name):  # else it shows what was found out
            self._found = {}
            pn.state.execute(partial(self._read_again, self.mapping))

    def fill(self, table: Table, mapping: FileMapping) -> None:
        """What a file has, and how it is read."""
        self._shown = mapping
        read = {name: getattr(table, name) or None for name in READ}
        self._found = read
        unclear = {_("not clear: please choose"): UNCLEAR} if mapping.dates == UNCLEAR else {}
        offered = {
            "sheet": {name: name for name in table.sheets},
            "dates": unclear | {_(name): name for name in get_args(Dates)},
        }
        columns = {_(NOT_THERE): ""} | {name: name for name in table.columns}
        with pn.io.hold():
            for name, value in (read | {"decimals": mapping.decimals, "dates": mapping.dates}).items():
                self._read[name].visible = bool(value)
                if not value:  # a select that is drawn holds one of its options, and would choose the first for None
                    continue
                options = offered.get(name, self._read[name].options)
                if value not in options.values():
                    options = options | {value: value}
                self._read[name].param.update(options=options, value=value)
            for name, select in self._columns.items():
                select.param.update(options=columns, value=mapping.columns.get(name, ""))
            for name, text in self._defaults.items():
                text.value = mapping.defaults.get(name, "")

    @property
    def mapping(self) -> FileMapping:
        """What is seen in them. What was found out of other texts is left open again."""
        columns = {name: select.value for name, select in self._columns.items() if select.value}
        texts = {name: (field.value_input or field.value or "").strip() for name, field in self._defaults.items()}
        read = {name: (select.visible and select.value) or "" for name, select in self._read.items()}
        for name, of in (("dates", ("transaction_time",)), ("decimals", AMOUNTS)):
            moved = not self._found or any(columns.get(field) != self._shown.columns.get(field) for field in of)
            if moved and read[name] == getattr(self._shown, name):
                read[name] = ""
        return FileMapping(columns, {name: text for name, text in texts.items() if text}, **read)

    def __panel__(self) -> Viewable:
        fields = [html_pane(f"<h3>{_('Columns')}</h3>"), field_grid(*self._columns.values(), width=210)]
        values = [
            html_pane(f"<h3>{_('Values for rows that name none')}</h3>"),
            field_grid(*self._defaults.values(), width=210),
        ]
        return pn.Column(
            field_grid(*self._read.values(), width=210), *fields, *values, margin=0, sizing_mode="stretch_width"
        )


def _select(title: str, options: dict[str, str]) -> pmui.Select:
    return pmui.Select(label=title, options=options, **LAYOUT, **CHOICE)


def _titled(name: str) -> str:
    return label(name) + (" *" if name in NEEDED else "")
