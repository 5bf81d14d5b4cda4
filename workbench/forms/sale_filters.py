"""What narrows the table of sales, typed as text: a bad value is an error by its field, and the table stays."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

import panel as pn
import panel_material_ui as pmui

from workbench import locale
from workbench.catalogue.names import KIND_OF, Names
from workbench.components.fields import (
    CHOICE,
    LAYOUT,
    LOW_CHOICE,
    Fields,
    Filling,
    calendar_button,
    field_grid,
    text_field,
)
from workbench.errors import FieldError
from workbench.filters import CUSTOM, PERIODS, days_of, period_named, period_of
from workbench.forms.named_ids import NamedIds, no_names
from workbench.locale import N_, _
from workbench.metrics import KINDS, SaleWhere
from workbench.sales.fields import FILTERED, Field
from workbench.sales.models import EARLIEST, LATEST, MAX_TOTAL, with_point
from workbench.words import unstorable

KIND_OPTIONS = {N_("Sales and returns"): "", N_("Sales"): "sales", N_("Returns"): "returns"}
DAYS = ("date_from", "date_to")
LARGEST_ID = 2_147_483_647
CHOICES = tuple(field for field in FILTERED if field.choices)
NUMBERS = tuple(field for field in FILTERED if not field.choices)
PHONE = "@media (max-width: 600px)"
ONLY_PHONE = f":host {{ display: none; }} {PHONE} {{ :host {{ display: block; }} }}"
FOLDED = f"{PHONE} {{ :host {{ display: none !important; }} }}"
OTHERS = ("kind", "product", "amount_from", "amount_to")  # that no column of a sale has
WITH_FIELD = (*DAYS, *(field.filter for field in FILTERED), *OTHERS)
WITHOUT_FIELD = tuple(each.name for each in dataclass_fields(SaleWhere) if each.name not in WITH_FIELD)


class SaleFilters(pn.viewable.Viewer):
    """The fields of a SaleWhere. ``on_change`` gets the filter whenever Enter or the next field makes it another.

    Days are typed, also in words, chosen from a calendar, or both at once as a period, told from ``today``.
    """

    def __init__(
        self,
        on_change: Callable[[SaleWhere], Any],
        today: Callable[[], date],
        filters: SaleWhere = SaleWhere(),
        names: Callable[[], Names] = no_names,
    ) -> None:
        super().__init__()
        self.value = filters
        self._on_change, self._today = on_change, today
        self._filling = Filling()
        self._followed = ""  # the period that was chosen: its days are others after midnight
        self._fold = pmui.Button(variant="outlined", size="small", margin=(8, 8), stylesheets=[ONLY_PHONE])
        self._fold.on_click(lambda _: self._turn())
        self._shown: pn.Row | None = None  # the fields, once they are laid out
        self.fields = Fields(_widgets())
        self._period = pmui.Select(
            label=_("Period"), options={_(label): name for name, label in PERIODS.items()}, **LAYOUT, **CHOICE
        )
        self._calendars = {name: calendar_button(margin=(6, 8, 6, 0)) for name in DAYS}
        named = {field.filter: field.dimension for field in NUMBERS if field.dimension in KIND_OF}
        self._named = NamedIds(self.fields, names, named)
        self.fill(filters)
        for widget in self.fields.widgets.values():
            widget.param.watch(self._apply, "value")
        self._period.param.watch(self._choose_period, "value")
        for name, calendar in self._calendars.items():
            calendar.param.watch(partial(self._pick, name), "value")
        self._clear = pmui.Button(label=_("Clear filters"), variant="text", margin=(8, 8), on_click=self._reset)

    @property
    def others(self) -> str:
        """What narrows the table and has no field, in words: a dashboard narrows by more than is typed here."""
        texts = {name: _text(getattr(self.value, name)) for name in WITHOUT_FIELD}
        return "; ".join(f"{name.replace('_', ' ')} {text}" for name, text in texts.items() if text)

    def fill(self, filters: SaleWhere) -> None:
        """Puts a filter into the fields."""
        with self._filling:
            for field in CHOICES:
                choice = self.fields.widgets[field.filter]
                choice.options = list(dict.fromkeys([*choice.options, *getattr(filters, field.filter)]))
            self.fields.fill(filter_texts(filters))
            self._show_days(filters)
            self.fields.forgive()
        self._take(filters)

    def _take(self, filters: SaleWhere, followed: str = "") -> None:
        self.value, self._followed = filters, followed
        self._tell_fold()

    @property
    def _is_folded(self) -> bool:
        return self._shown is None or FOLDED in self._shown.stylesheets

    def _turn(self) -> None:
        """Folds the fields away, or shows them: on a phone alone."""
        if self._shown is not None:
            self._shown.stylesheets = [] if self._is_folded else [FOLDED]
            self._tell_fold()

    def _tell_fold(self) -> None:
        none = SaleWhere()
        active = sum(getattr(self.value, name) != getattr(none, name) for name in WITH_FIELD)
        self._fold.label = _("Show filters") if self._is_folded else _("Hide filters")
        self._fold.label += _(" ({n} active)", n=active) if active else ""

    def _show_days(self, filters: SaleWhere, bad: Collection[str] = ()) -> None:
        """Has days in the place of words, but for ``bad`` ones, and calendars and period show the same."""
        days = (filters.date_from, filters.date_to)
        self.fields.fill({name: _text(day) for name, day in zip(DAYS, days, strict=True) if name not in bad})
        for calendar, day in zip(self._calendars.values(), days, strict=True):
            calendar.value = day
        self._period.value = self._period_of(filters) if set(DAYS).isdisjoint(bad) else CUSTOM

    def _period_of(self, filters: SaleWhere) -> str:
        """What its days are called today; the period that was chosen, if it is one of several."""
        return period_of((filters.date_from, filters.date_to), self._today(), self._period.value)

    def tell_period(self) -> bool:
        """Whether a period that was chosen has other days by now, as today after midnight; it then has these.

        Days that were typed stay, and are called what they are called now.
        """
        first, last = days_of(self._followed, self._today(), (None, None)) if self._followed else (None, None)
        if self._followed and (first, last) != (self.value.date_from, self.value.date_to):
            followed = self._followed
            self.fill(replace(self.value, date_from=first, date_to=last))
            self._followed = followed
            return True
        if self._period.value != CUSTOM:
            with self._filling:
                self._period.value = self._period_of(self.value)
        return False

    def _choose_period(self, event: Any) -> None:
        if event.new != CUSTOM:
            days = days_of(event.new, self._today(), (None, None))
            self._put({name: _text(day) for name, day in zip(DAYS, days, strict=True)}, event.new)

    def _pick(self, name: str, event: Any) -> None:
        if event.new is not None:
            self._put({name: locale.day(event.new)})

    def _put(self, texts: Mapping[str, str], followed: str = "") -> None:
        """As if the texts had been typed."""
        if self._filling.is_on:
            return
        with self._filling:
            self.fields.fill(texts)
        self._apply(followed=followed)

    def _apply(self, _event: Any = None, *, followed: str = "") -> None:
        if self._filling.is_on:
            return
        with self._filling:
            self._named.fill()
            errors, typed = parse_filters(self.fields.texts(), self._today())
            self._show_days(typed, {error.field for error in errors})
        found = replace(self.value, **{name: getattr(typed, name) for name in self.fields.widgets})
        self.fields.show(errors, is_going_there=False)
        if errors:
            return
        is_changed = found != self.value
        days = (self.value.date_from, self.value.date_to)
        is_kept = not followed and (found.date_from, found.date_to) == days
        self._take(found, self._followed if is_kept else followed)
        if is_changed:
            self._on_change(found)

    def _reset(self, _event: Any) -> None:
        is_changed = self.value != SaleWhere()
        self.fill(SaleWhere())
        if is_changed:
            self._on_change(self.value)

    def _lay_out(self) -> pn.Row:
        days = [pn.Row(self.fields.widgets[name], calendar, margin=0) for name, calendar in self._calendars.items()]
        others = [widget for name, widget in self.fields.widgets.items() if name not in DAYS]
        shown = field_grid(self._period, *days, *others, self._clear, width=220)
        shown.margin = (8, 0, 0, 0)  # the first label floats above its field, clear of the tabs
        shown.stylesheets = [FOLDED]
        return shown

    def __panel__(self) -> pn.Column:
        self._shown = self._shown or self._lay_out()  # one, however often it is asked for: it is folded and unfolded
        return pn.Column(self._fold, self._shown, sizing_mode="stretch_width", margin=0)


def filter_texts(filters: SaleWhere, written: Callable[[Any], str] = locale.field_text) -> dict[str, Any]:
    """The text in each field, as ``parse_filters`` takes it; of choices a list."""
    chosen = {field.filter: list(getattr(filters, field.filter)) for field in CHOICES}
    return {name: _text(getattr(filters, name), written) for name in WITH_FIELD} | chosen


def parse_filters(texts: Mapping[str, Any], today: date | None = None) -> tuple[list[FieldError], SaleWhere]:
    """The filter that was typed, and a FieldError for each text that is none (the filter then lacks it).

    With ``today`` a day may be a period in words: of it the first is from its first day, the last until its last.
    """
    readers: dict[str, Callable[[str, str], Any]] = {
        **dict.fromkeys(DAYS, _day if today is None else partial(_day_in_words, today)),
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
        errors += [
            FieldError(field.filter, ascii(text), _("it must be text without {letter}", letter=letter))
            for text, letter in bad
        ]
        if not bad:
            found[field.filter] = tuple(texts[field.filter])
    for name, read in readers.items():
        text = texts[name].strip()
        try:
            if text:
                found[name] = read(name, text)
        except FieldError as error:
            errors.append(error)
    orders = {
        "date": N_("it must not be before the first"),
        "amount": N_("it must not be less than the first"),
    }
    for kind, wrong in orders.items():
        first, last = found.get(f"{kind}_from"), found.get(f"{kind}_to")
        if first is not None and last is not None and last < first:
            errors.append(FieldError(f"{kind}_to", texts[f"{kind}_to"], _(wrong)))
    return errors, SaleWhere(**found)


def _day(name: str, text: str) -> date:
    try:
        day = locale.read_day(text)
    except ValueError:
        raise FieldError(name, text, _("it must be a day such as {day}", day=locale.day(locale.A_MOMENT))) from None
    if not EARLIEST.date() <= day < LATEST.date():
        raise FieldError(name, text, _("it must be from {first} to {last}", first=EARLIEST.year, last=LATEST.year - 1))
    return day


def _day_in_words(today: date, name: str, text: str) -> date | None:
    if period := period_named(text):
        return days_of(period, today, (None, None))[DAYS.index(name)]
    try:
        return _day(name, text)
    except FieldError as error:
        raise FieldError(
            name, text, _("{allowed}, or today, yesterday, last week, this month ...", allowed=error.allowed)
        ) from None


def _id(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20 and 0 < int(text) <= LARGEST_ID):
        raise FieldError(name, text, _("it must be a whole number such as 7"))
    return int(text)


def _ids(name: str, text: str) -> tuple[int, ...]:
    try:
        return tuple(dict.fromkeys(_id(name, part.strip()) for part in text.split(",")))
    except FieldError:
        raise FieldError(name, text, _("it must be a whole number, or several as in 3, 7")) from None


def _amount(name: str, text: str) -> Decimal:
    try:
        amount = Decimal(with_point(text))
    except InvalidOperation:
        amount = Decimal(-1)
    except ValueError as error:  # a comma that may mean either
        raise FieldError(name, text, str(error)) from None
    if not (amount.is_finite() and 0 <= amount <= MAX_TOTAL):
        raise FieldError(
            name, text, _("it must be an amount such as {amount}", amount=locale.field_text(locale.AN_AMOUNT))
        )
    return amount


def _text(value: Any, written: Callable[[Any], str] = locale.field_text) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(each) for each in value)
    return "" if value is None else written(value)


def _widget(field: Field, layout: Mapping[str, Any]) -> Any:
    if field.choices:
        return pmui.MultiChoice(label=field.label, options=list(field.choices), stylesheets=[LOW_CHOICE], **layout)
    return text_field(field.name, **({"placeholder": "3, 7"} if field.kind == "id" else {}))


def _widgets() -> dict[str, Any]:
    day = {"placeholder": _("{day}, today", day=locale.day_hint())}
    layout = {name: value for name, value in LAYOUT.items() if name != "size"}  # it is a number of rows here
    return {
        "date_from": text_field("date_from", **day),
        "date_to": text_field("date_to", **day),
        **{field.filter: _widget(field, layout) for field in FILTERED},
        "kind": pmui.Select(
            label=_("Kind"), options={_(label): kind for label, kind in KIND_OPTIONS.items()}, **LAYOUT, **CHOICE
        ),
        "product": text_field("product", placeholder=_("Name or code")),
        "amount_from": text_field("amount_from"),
        "amount_to": text_field("amount_to"),
    }
