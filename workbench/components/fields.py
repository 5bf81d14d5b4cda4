"""Text fields that keep what was typed and show what is wrong with it right there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import panel as pn
import panel_material_ui as pmui
from panel.util.parameters import edit_readonly

from workbench.errors import FieldError, field_label

MARGIN = (6, 8)
WIDEST = 360  # pixels of a field
LAYOUT: dict[str, Any] = {"size": "small", "width": None, "sizing_mode": "stretch_width", "margin": MARGIN}
# A MultiChoice as low as the fields beside it, until what is chosen needs more.
LOW_CHOICE = """
.MuiSelect-select { min-height: 23px !important; padding: 8.5px 14px !important; box-sizing: content-box !important; }
.MuiInputLabel-root { background: transparent !important; }
.MuiInputLabel-root:not(.MuiInputLabel-shrink) { transform: translate(14px, 9px) !important; }
.MuiSelect-select:has(.MuiChip-root) { padding-block: 7px !important; min-height: 26px !important; }
.MuiSelect-select .MuiChip-root { height: 24px; margin: 0; }
"""
BUTTON_ALONE = """
fieldset, .MuiPickersSectionList-root, button[title="Clear"] { display: none !important; }
.MuiPickersInputBase-root { padding: 0 !important; height: 40px; }
.MuiInputAdornment-root { margin: 0 !important; }
.MuiInputAdornment-root button { color: inherit !important; }
"""
# A small Select is lower than a small TextInput; two beside one another on a phone have little room for what is chosen.
NARROW_CHOICE = {"fontSize": "13px", "paddingLeft": "10px !important", "paddingRight": "24px !important"}
CHOICE = {"sx": {"minHeight": "40px", "@media (max-width: 480px)": {"& .MuiSelect-select": NARROW_CHOICE}}}


class Filling:
    """``with`` it the program puts values into fields: ``is_on`` meanwhile, so that they are not taken for typed."""

    is_on = False

    def __enter__(self) -> None:
        self.is_on = True

    def __exit__(self, *_of_an_error: object) -> None:
        self.is_on = False


def text_field(name: str, hint: str = "", **params: Any) -> pmui.TextInput:
    """A field labelled after ``name``. Numbers are typed as text too: a spinner would swallow what is no number."""
    return pmui.TextInput(label=field_label(name), helper_text=hint, **LAYOUT, **params)


def calendar_button(margin: Any = 0) -> pmui.DatePicker:
    """The button of a calendar alone: the field beside it is typed into, and read when it is left."""
    return pmui.DatePicker(
        label="", views=["year", "month", "day"], open_to="day", width=40, margin=margin, stylesheets=[BUTTON_ALONE]
    )


def field_grid(*objects: Any, width: int = 170) -> pn.Row:
    """Fields side by side, as many in a row as fit with at least ``width`` pixels each, two on a phone; none is wider
    than WIDEST on a wide screen."""
    columns = f"repeat(auto-fit, minmax(min({width}px, 45%), 1fr))"
    return pn.Row(
        *objects,
        sizing_mode="stretch_width",
        styles={
            "display": "grid",
            "grid-template-columns": columns,
            "align-items": "start",
            "max-width": f"{len(objects) * WIDEST}px",
        },
    )


def actions(*buttons: Any) -> pn.Row:
    """Buttons at the right end, below one another where they are wider than the screen: some languages' are long."""
    return pn.Row(pn.HSpacer(), *buttons, sizing_mode="stretch_width", margin=0, styles={"flex-wrap": "wrap"})


class Fields:
    """The named inputs of a form: their text as typed, and their errors."""

    def __init__(self, widgets: Mapping[str, Any], on_change: Callable[[str], None] | None = None) -> None:
        self.widgets = dict(widgets)
        self._hints = {name: getattr(widget, "helper_text", "") for name, widget in self.widgets.items()}
        self._own_hints = dict(self._hints)
        self._on_change = on_change
        for name, widget in self.widgets.items():
            changed = "value_input" if "value_input" in widget.param else "value"
            # A copy of the parameter for this widget alone: making it writable for a moment must not meet another user.
            _ = widget.param[changed]
            widget.param.watch(lambda event, name=name: self._changed(name), changed)

    def text(self, name: str) -> Any:
        """What the field holds now. ``value`` lags behind the keyboard until Enter or the next field."""
        widget = self.widgets[name]
        return (widget.value_input or "") if "value_input" in widget.param else widget.value

    def texts(self) -> dict[str, Any]:
        """What every field holds now, by name."""
        return {name: self.text(name) for name in self.widgets}

    def fill(self, texts: Mapping[str, Any]) -> None:
        """Puts texts into fields, all at once: one that came later would overwrite what is typed there meanwhile."""
        with pn.io.hold():
            for name, text in texts.items():
                self._fill(self.widgets[name], text)

    @staticmethod
    def _fill(widget: Any, text: Any) -> None:
        widget.value = text
        if "value_input" in widget.param:
            with edit_readonly(widget):
                widget.value_input = text

    def show(self, errors: Iterable[FieldError], *, is_going_there: bool = True) -> list[FieldError]:
        """Shows each error by its field and goes to the first; returns those that have no field here."""
        self.forgive()
        without_field = []
        for error in errors:
            widget = self.widgets.get(error.field)
            if widget is None:
                without_field.append(error)
                continue
            widget.param.update(error_state=True, helper_text=error.beside)
            if is_going_there:
                widget.focus()
                is_going_there = False
        return without_field

    def hint(self, name: str, text: str) -> None:
        """Says something below a field, its own hint when the text is empty; an error stays."""
        self._hints[name] = text or self._own_hints[name]
        if not self.widgets[name].error_state:
            self.widgets[name].helper_text = self._hints[name]

    def forgive(self, name: str = "") -> None:
        """Takes the errors back, of one field or of all."""
        for each in [name] if name else self.widgets:
            if self.widgets[each].error_state:
                self.widgets[each].param.update(error_state=False, helper_text=self._hints[each])

    def _changed(self, name: str) -> None:
        self.forgive(name)
        if self._on_change is not None:
            self._on_change(name)
