"""The fields of the page Import that say how a file is read: its kind, its columns, and values for all rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewable, Viewer

from workbench.components.html import html_pane
from workbench.forms.fields import CHOICE, LAYOUT, flow
from workbench.imports import FIELDS, FileMapping
from workbench.imports.mapping import AMOUNTS, INVOICE, NEEDED, TOTAL, UNCLEAR, Dates, label
from workbench.imports.reading import DELIMITERS, ENCODINGS, Table
from workbench.locale import N_, _

NOT_THERE = N_("(not in the file)")
READ = ("encoding", "delimiter", "sheet")  # whose change has the file read again
SIGNS = {N_("point, as in 12.50"): ".", N_("comma, as in 12,50"): ","}


class ImportFields(Viewer):
    """Filled by ``fill`` with what was found out; ``mapping`` is what they say by now."""

    def __init__(self, read_again: Callable[[], Any]) -> None:
        super().__init__()
        self._read_again, self._is_filling = read_again, False
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
            self._read[name].param.watch(lambda _event: None if self._is_filling else self._read_again(), "value")

    def fill(self, table: Table, mapping: FileMapping) -> None:
        """What a file has, and how it is read."""
        self._shown, self._is_filling = mapping, True
        kinds = {"encoding": table.encoding, "delimiter": table.delimiter, "sheet": table.sheet}
        dates = {_("not clear: please choose"): UNCLEAR} if mapping.dates == UNCLEAR else {}
        columns = {_(NOT_THERE): ""} | {name: name for name in table.columns}
        with pn.io.hold():
            self._read["sheet"].options = {name: name for name in table.sheets}
            self._read["dates"].options = dates | {_(name): name for name in get_args(Dates)}
            for name, value in (kinds | {"decimals": mapping.decimals, "dates": mapping.dates}).items():
                of = self._read[name]
                if value and value not in of.options.values():
                    of.options = of.options | {value: value}
                of.param.update(value=value or None, visible=bool(value))
            for name, select in self._columns.items():
                select.param.update(options=columns, value=mapping.columns.get(name, ""))
            for name, text in self._defaults.items():
                text.value = mapping.defaults.get(name, "")
        self._is_filling = False

    @property
    def mapping(self) -> FileMapping:
        """What they say. What was found out of another column's texts is left open again."""
        columns = {name: select.value for name, select in self._columns.items() if select.value}
        texts = {name: (field.value_input or field.value or "").strip() for name, field in self._defaults.items()}
        read = {name: select.value or "" for name, select in self._read.items()}
        for name, of in (("dates", ("transaction_time",)), ("decimals", AMOUNTS)):
            moved = any(columns.get(field) != self._shown.columns.get(field) for field in of)
            if moved and read[name] == getattr(self._shown, name):
                read[name] = ""
        return FileMapping(columns, {name: text for name, text in texts.items() if text}, **read)

    def __panel__(self) -> Viewable:
        fields = [html_pane(f"<h3>{_('Columns')}</h3>"), flow(*self._columns.values(), width=210)]
        values = [
            html_pane(f"<h3>{_('Values for rows that name none')}</h3>"),
            flow(*self._defaults.values(), width=210),
        ]
        return pn.Column(flow(*self._read.values(), width=210), *fields, *values, margin=0, sizing_mode="stretch_width")


def _select(title: str, options: dict[str, str]) -> pmui.Select:
    return pmui.Select(label=title, options=options, **LAYOUT, **CHOICE)


def _titled(name: str) -> str:
    return label(name) + (" *" if name in NEEDED else "")
