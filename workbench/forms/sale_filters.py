"""What narrows the table of sales, typed as text: a bad value is an error by its field, and the table stays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import panel as pn
import panel_material_ui as pmui

from workbench.catalogue.names import KIND_OF, Names
from workbench.errors import FieldError
from workbench.forms.fields import CHOICE, LAYOUT, LOW_CHOICE, Fields, flow, text_field
from workbench.forms.named_ids import NamedIds, no_names
from workbench.metrics import KINDS, SaleWhere
from workbench.sales.fields import FILTERED, Field
from workbench.sales.models import EARLIEST, LATEST, MAX_TOTAL, with_point
from workbench.words import unstorable

KIND_OPTIONS = {"Sales and returns": "", "Sales": "sales", "Returns": "returns"}
LARGEST_ID = 2_147_483_647
CHOICES = tuple(field for field in FILTERED if field.choices)
NUMBERS = tuple(field for field in FILTERED if not field.choices)
OTHERS = ("kind", "product", "amount_from", "amount_to")  # that no column of a sale has
WITH_FIELD = ("date_from", "date_to", *(field.filter for field in FILTERED), *OTHERS)
WITHOUT_FIELD = tuple(each.name for each in dataclass_fields(SaleWhere) if each.name not in WITH_FIELD)


class SaleFilters(pn.viewable.Viewer):
    """The fields of a SaleWhere. ``on_change`` gets the filter whenever Enter or the next field makes it another."""

    def __init__(
        self,
        on_change: Callable[[SaleWhere], Any],
        filters: SaleWhere = SaleWhere(),
        names: Callable[[], Names] = no_names,
    ) -> None:
        super().__init__()
        self.value = filters
        self._on_change = on_change
        self._is_filling = False
        self.fields = Fields(_widgets())
        named = {field.filter: field.dimension for field in NUMBERS if field.dimension in KIND_OF}
        self._named = NamedIds(self.fields, names, named)
        self.fill(filters)
        for widget in self.fields.widgets.values():
            widget.param.watch(self._apply, "value")
        self._clear = pmui.Button(label="Clear filters", variant="text", margin=(8, 8), on_click=self._reset)

    @property
    def others(self) -> str:
        """What narrows the table and has no field, in words: a dashboard narrows by more than is typed here."""
        texts = {name: _text(getattr(self.value, name)) for name in WITHOUT_FIELD}
        return "; ".join(f"{name.replace('_', ' ')} {text}" for name, text in texts.items() if text)

    def fill(self, filters: SaleWhere) -> None:
        """Puts a filter into the fields."""
        self._is_filling = True
        try:
            for field in CHOICES:
                choice = self.fields.widgets[field.filter]
                choice.options = list(dict.fromkeys([*choice.options, *getattr(filters, field.filter)]))
            self.fields.fill(filter_texts(filters))
            self.fields.forgive()
        finally:
            self._is_filling = False
        self.value = filters

    def _apply(self, _event: Any) -> None:
        if self._is_filling:
            return
        self._is_filling = True
        self._named.fill()
        self._is_filling = False
        errors, typed = parse_filters(self.fields.texts())
        found = replace(self.value, **{name: getattr(typed, name) for name in self.fields.widgets})
        self.fields.show(errors, is_going_there=False)
        if not errors and found != self.value:
            self.value = found
            self._on_change(found)

    def _reset(self, _event: Any) -> None:
        is_changed = self.value != SaleWhere()
        self.fill(SaleWhere())
        if is_changed:
            self._on_change(self.value)

    def __panel__(self) -> pn.Row:
        return flow(*self.fields.widgets.values(), self._clear, width=220)


def filter_texts(filters: SaleWhere) -> dict[str, Any]:
    """The text in each field, as ``parse_filters`` takes it; of choices a list."""
    chosen = {field.filter: list(getattr(filters, field.filter)) for field in CHOICES}
    return {name: _text(getattr(filters, name)) for name in WITH_FIELD} | chosen


def parse_filters(texts: Mapping[str, Any]) -> tuple[list[FieldError], SaleWhere]:
    """The filter that was typed, and a FieldError for each text that is none (the filter then lacks it)."""
    readers: dict[str, Callable[[str, str], Any]] = {
        "date_from": _day,
        "date_to": _day,
        **{field.filter: _ids if field.kind == "id" else _id for field in NUMBERS},
        "amount_from": _amount,
        "amount_to": _amount,
    }
    errors: list[FieldError] = []
    found: dict[str, Any] = {"product": texts["product"].strip()}
    if (kind := texts.get("kind", "")) in ("", *KINDS):
        found["kind"] = kind
    else:
        errors.append(FieldError("kind", kind, f"it must be {' or '.join(KINDS)}"))
    for field in CHOICES:
        bad = [(text, letter) for text in texts[field.filter] if (letter := unstorable(text))]
        errors += [FieldError(field.filter, ascii(text), f"it must be text without {letter}") for text, letter in bad]
        if not bad:
            found[field.filter] = tuple(texts[field.filter])
    for name, read in readers.items():
        text = texts[name].strip()
        try:
            if text:
                found[name] = read(name, text)
        except FieldError as error:
            errors.append(error)
    for kind, wrong in (("date", "before"), ("amount", "less than")):
        first, last = found.get(f"{kind}_from"), found.get(f"{kind}_to")
        if first is not None and last is not None and last < first:
            errors.append(FieldError(f"{kind}_to", texts[f"{kind}_to"], f"it must not be {wrong} the first"))
    return errors, SaleWhere(**found)


def _day(name: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise FieldError(name, text, "it must be a day such as 2026-05-31") from None
    if not EARLIEST.date() <= day < LATEST.date():
        raise FieldError(name, text, f"it must be from {EARLIEST.year} to {LATEST.year - 1}")
    return day


def _id(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20 and 0 < int(text) <= LARGEST_ID):
        raise FieldError(name, text, "it must be a whole number such as 7")
    return int(text)


def _ids(name: str, text: str) -> tuple[int, ...]:
    try:
        return tuple(dict.fromkeys(_id(name, part.strip()) for part in text.split(",")))
    except FieldError:
        raise FieldError(name, text, "it must be a whole number, or several as in 3, 7") from None


def _amount(name: str, text: str) -> Decimal:
    try:
        amount = Decimal(with_point(text))
    except InvalidOperation:
        amount = Decimal(-1)
    except ValueError as error:  # a comma that may mean either
        raise FieldError(name, text, f"it {error}") from None
    if not (amount.is_finite() and 0 <= amount <= MAX_TOTAL):
        raise FieldError(name, text, "it must be an amount such as 12.50")
    return amount


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(each) for each in value)
    return "" if value is None else str(value)


def _widget(field: Field, layout: Mapping[str, Any]) -> Any:
    if field.choices:
        return pmui.MultiChoice(label=field.label, options=list(field.choices), stylesheets=[LOW_CHOICE], **layout)
    return text_field(field.name, **({"placeholder": "3, 7"} if field.kind == "id" else {}))


def _widgets() -> dict[str, Any]:
    day = {"placeholder": "YYYY-MM-DD"}
    layout = {name: value for name, value in LAYOUT.items() if name != "size"}  # it is a number of rows here
    return {
        "date_from": text_field("date_from", **day),
        "date_to": text_field("date_to", **day),
        **{field.filter: _widget(field, layout) for field in FILTERED},
        "kind": pmui.Select(label="Kind", options=KIND_OPTIONS, **LAYOUT, **CHOICE),
        "product": text_field("product", placeholder="Name or code"),
        "amount_from": text_field("amount_from"),
        "amount_to": text_field("amount_to"),
    }
