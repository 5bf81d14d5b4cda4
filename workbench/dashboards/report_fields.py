"""The fields of a report's parameters, each with what is wrong with it beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import panel_material_ui as pmui
from panel.viewable import Viewable, Viewer

from workbench import locale
from workbench.components.fields import CHOICE, Fields, field_grid
from workbench.errors import FieldError, ParameterRefused
from workbench.locale import _
from workbench.reports.library import Parameter, Value
from workbench.reports.texts import shown_day
from workbench.words import heading

MONTHS = 36  # that can be picked, the present one first
FIELD: dict[str, Any] = {"margin": 0, "width": None, "sizing_mode": "stretch_width", "size": "small"}


class ReportFields(Viewer):
    """A field for each parameter, holding what is proposed for ``today``. ``on_change`` is called when one changes."""

    def __init__(
        self, parameters: Sequence[Parameter], today: date, on_change: Callable[..., None] = lambda *_changed: None
    ) -> None:
        super().__init__()
        self._parameters, self._today = parameters, today
        self._fields = Fields({parameter.name: _widget(parameter, today) for parameter in parameters}, on_change)

    def texts(self) -> dict[str, str]:
        """What every field holds, as files have it: days as ISO has them, numbers without groups."""
        typed = self._typed()
        return {parameter.name: parameter.plain(typed[parameter.name]) for parameter in self._parameters}

    def _typed(self) -> dict[str, str]:
        return {name: _text(value).strip() for name, value in self._fields.texts().items()}

    def changed(self) -> dict[str, str]:
        """The texts of the fields that do not hold what is proposed, which moves with the days."""
        proposed = {parameter.name: _text(parameter.proposed(self._today)) for parameter in self._parameters}
        return {name: text for name, text in self.texts().items() if text != proposed[name]}

    def fill(self, texts: Mapping[str, str]) -> None:
        """Puts such texts into the fields."""
        self._fields.fill({each.name: _held(each, texts[each.name]) for each in self._parameters})

    def values(self) -> dict[str, Value] | None:
        """The value of each parameter; None after saying by the fields what is wrong with them."""
        found, errors, typed = dict[str, Value](), list[FieldError](), self._typed()
        for parameter in self._parameters:
            try:
                found[parameter.name] = parameter.parse(parameter.meant(typed[parameter.name], self._today))
            except ParameterRefused:
                errors.append(
                    FieldError(parameter.name, typed[parameter.name], _("give {allowed}", allowed=parameter.allowed))
                )
        self._fields.show(errors)
        return None if errors else found

    def __panel__(self) -> Viewable:
        row = field_grid(*self._fields.widgets.values(), width=220)
        row.styles = {**row.styles, "gap": "12px 16px"}
        return row


def _widget(parameter: Parameter, today: date) -> Any:
    value = parameter.proposed(today)
    named = {"label": heading(parameter.name), "helper_text": _(parameter.about), **FIELD}
    made: Any
    if parameter.kind == "choice":
        options = {heading(choice): choice for choice in parameter.choices}
        choices = ({"": None} if parameter.is_optional else {}) | options
        made = pmui.Select(options=choices, value=value, **named, **CHOICE)
    elif parameter.kind == "month":
        made = pmui.Select(options=_months(today, parameter.is_optional), value=value, **named, **CHOICE)
    else:  # a day too: a picker says nothing of a text that is none, and keeps the day before it
        hint = locale.day_hint() if parameter.kind == "date" else _("all") if parameter.is_optional else ""
        made = pmui.TextInput(value=_held(parameter, _text(value)), placeholder=hint, **named)
    return made


def _held(parameter: Parameter, text: str) -> str | None:
    """A text as the widget of this parameter holds it: a day as it is written here, a text as it is."""
    if parameter.kind in ("choice", "month"):
        return text or None
    return shown_day(text) if parameter.kind == "date" else text


def _months(today: date, is_optional: bool) -> dict[str, str | None]:
    found: dict[str, str | None] = {"": None} if is_optional else {}
    for back in range(MONTHS):
        number = today.year * 12 + today.month - 1 - back
        year, month = number // 12, number % 12 + 1
        found[locale.named_month(date(year, month, 1), is_whole=True)] = f"{year}-{month:02d}"
    return found


def _text(value: Any) -> str:
    return "" if value is None else str(value)
