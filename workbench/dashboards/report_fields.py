"""The fields of a report's parameters: a widget for each kind, and errors next to the field."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import panel_material_ui as pmui
from panel.viewable import Viewable, Viewer

from workbench.errors import ParameterRefused
from workbench.reports.parameters import Parameter, Value
from workbench.reports.tables import label

MONTHS = 36  # that can be picked, the present one first
FIELD: dict[str, Any] = {"margin": 0, "width": 240, "size": "small"}


class ReportFields(Viewer):
    """A field for each parameter, holding what is proposed for ``today``. ``on_change`` is called when one changes."""

    def __init__(
        self, parameters: Sequence[Parameter], today: date, on_change: Callable[..., None] = lambda *_: None
    ) -> None:
        super().__init__()
        self._parameters = parameters
        self.widgets = {parameter.name: _widget(parameter, today) for parameter in parameters}
        for widget in self.widgets.values():
            widget.param.watch(on_change, "value")

    def texts(self) -> dict[str, str]:
        """What every field holds, as text."""
        return {name: _text(widget.value) for name, widget in self.widgets.items()}

    def fill(self, texts: Mapping[str, str]) -> None:
        """Puts texts into the fields. Raises ValueError for one that a field cannot hold."""
        for name, widget in self.widgets.items():
            text = texts[name]
            if isinstance(widget, pmui.DatePicker):
                widget.value = date.fromisoformat(text) if text else None
            else:
                widget.value = text if text or isinstance(widget, pmui.TextInput) else None

    def values(self) -> dict[str, Value] | None:
        """The value of each parameter; None after saying by the fields what is wrong with them."""
        found: dict[str, Value] = {}
        for parameter in self._parameters:
            widget = self.widgets[parameter.name]
            try:
                found[parameter.name] = parameter.parse(_text(widget.value))
            except ParameterRefused as error:
                widget.param.update(error_state=True, **_below(widget, str(error)))
                if len(found) == self._parameters.index(parameter):
                    widget.focus()  # the first that is wrong
            else:
                widget.param.update(error_state=False, **_below(widget, parameter.about))
        return found if len(found) == len(self._parameters) else None

    def __panel__(self) -> Viewable:
        layout = {"gap": "16px", "flexWrap": "wrap", "alignItems": "flex-start"}
        return pmui.Row(*self.widgets.values(), sx=layout, margin=0, sizing_mode="stretch_width")


def _widget(parameter: Parameter, today: date) -> Any:
    value = parameter.proposed(today)
    named = {"label": label(parameter.name), **FIELD}
    made: Any
    if parameter.kind == "choice":
        options = {label(choice): choice for choice in parameter.choices}
        made = pmui.Select(options=({"": None} if parameter.is_optional else {}) | options, value=value, **named)
    elif parameter.kind == "month":
        made = pmui.Select(options=_months(today, parameter.is_optional), value=value, **named)
    elif parameter.kind == "date":
        day = None if value is None else date.fromisoformat(str(value))
        made = pmui.DatePicker(value=day, clearable=parameter.is_optional, **named)
    else:
        made = pmui.TextInput(value=_text(value), placeholder="all" if parameter.is_optional else "", **named)
    made.param.update(**_below(made, parameter.about))
    return made


def _below(widget: Any, text: str) -> dict[str, str]:
    """The line of help below a widget, as this kind of widget calls it."""
    return {"helper_text": text} if "helper_text" in widget.param else {"description": text}


def _months(today: date, is_optional: bool) -> dict[str, str | None]:
    found: dict[str, str | None] = {"": None} if is_optional else {}
    for back in range(MONTHS):
        number = today.year * 12 + today.month - 1 - back
        year, month = number // 12, number % 12 + 1
        found[f"{calendar.month_name[month]} {year}"] = f"{year}-{month:02d}"
    return found


def _text(value: Any) -> str:
    return "" if value is None else str(value)
