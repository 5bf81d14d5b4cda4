"""One sale in a form: the field that picks it, its header and its basket, as Add, Edit and Delete share them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import date, datetime
from functools import partial
from typing import Any

import panel as pn
import panel_material_ui as pmui

from workbench import locale
from workbench.catalogue.names import KIND_OF, Names
from workbench.components.fields import CHOICE, LAYOUT, Fields, field_grid, text_field
from workbench.components.html import html_pane
from workbench.components.inline import read_aside
from workbench.components.messages import Message, failures_said
from workbench.components.theme import money
from workbench.errors import FieldError, SaleRefused
from workbench.forms.basket import Basket
from workbench.forms.named_ids import NamedIds, no_names
from workbench.locale import N_, _
from workbench.sales.fields import TYPED, Field
from workbench.sales.models import LineInput, Sale, SaleInput, parse_sale
from workbench.sales.service import Sales
from workbench.words import items_text


class SaleLoader:
    """Reads one sale at a time from the master; only the newest question counts.

    One that is about to be changed, as all are unless ``is_changed`` says otherwise, is opened to who may change it.
    """

    def __init__(self, sales: Sales, message: Message, *, is_changed: bool = True) -> None:
        self._sales, self._message, self._is_changed = sales, message, is_changed
        self._asked = 0

    async def load(self, transaction_id: int) -> Sale | None:
        """The sale; None when the message says why not, or when something else is wanted by now."""
        self.forget()
        asked = self._asked
        with failures_said(self._message, lambda: asked == self._asked):
            answer = await read_aside(partial(self._sales.get, for_edit=True), transaction_id)
            if self._is_changed:
                self._sales.refuse(answer.value)
            return answer.value if asked == self._asked else None
        return None

    def forget(self) -> None:
        """An answer that is still on its way is wanted no more."""
        self._asked += 1


LARGEST_ID = 2**63 - 1
WHAT_IT_IS = N_("it must be a whole number from 1 to {most}, such as 1234")


class SalePicker(pn.viewable.Viewer):
    """Which sale to load: ``on_pick`` gets its id. ``on_typing`` is called while another id is typed.

    ``message`` is what the form said last: an id that is none takes it away, as it is about another.
    """

    def __init__(
        self,
        on_pick: Callable[[int], Awaitable[None]],
        message: Message,
        on_typing: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self._on_pick, self._message = on_pick, message
        self._field = text_field("transaction_id")
        self._field.param.update(width=190, sizing_mode="fixed")
        self.fields = Fields({"transaction_id": self._field}, lambda _: on_typing() if on_typing else None)
        self._load = pmui.Button(label=_("Load"), variant="outlined", on_click=self._pick, margin=(6, 8))
        self._field.param.watch(self._pick, "enter_pressed")

    @property
    def transaction_id(self) -> int | None:
        """The id that the field holds; None when it is none."""
        text = self.fields.text("transaction_id").strip()
        is_id = text.isascii() and text.isdigit() and len(text) < 20 and 0 < int(text) <= LARGEST_ID
        return int(text) if is_id else None

    def put(self, transaction_id: int) -> None:
        """Puts the id into the field."""
        self.fields.fill({"transaction_id": str(transaction_id)})

    async def _pick(self, *_events: Any) -> None:
        picked = self.transaction_id
        if picked is None:
            self._message.clear()
            self.fields.show(
                [FieldError("transaction_id", self.fields.text("transaction_id"), _(WHAT_IT_IS, most=LARGEST_ID))]
            )
            return
        await self._on_pick(picked)

    def __panel__(self) -> pn.Row:
        return pn.Row(self._field, self._load, margin=0)


HEADER = tuple(field.name for field in TYPED)
CHOICES = tuple(field for field in TYPED if field.choices)
NAMED = tuple(field for field in TYPED if field.dimension in KIND_OF)
LINE = tuple(LineInput.model_fields)
SALE_FORM = "sale-form"  # the CSS class of what is around a form: in it Ctrl+Enter saves


class SaleForm(pn.viewable.Viewer):
    """One sale as it is typed. ``message`` is where it says what no single field can show.

    A new sale (``is_new``) needs no time: it gets the moment of saving. ``on_change`` is called when something in it
    may have changed, also by the program, ``on_save`` by Ctrl+Enter.
    """

    def __init__(
        self,
        sales: Sales,
        message: Message,
        on_change: Callable[[], None] = lambda: None,
        *,
        is_new: bool = False,
        names: Callable[[], Names] = no_names,
        on_save: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__()
        self._message, self._sales = message, sales
        self._on_change, self._is_said_empty = on_change, False
        time_hint = _("{zone} time", zone=sales.clock.name) + (_("; empty: when it is saved") if is_new else "")
        self.fields = Fields({field.name: _widget(field, time_hint) for field in TYPED}, lambda _name: on_change())
        self._named = NamedIds(self.fields, names, {field.name: field.dimension for field in NAMED})
        self.basket = Basket(sales, self._filled, names, self._day, on_save)
        self._loaded: dict[str, Any] = {}
        self.clear()

    def _day(self) -> date:
        """The day of the sale as it is typed, whose list prices hold: today where there is none."""
        text = self.fields.text("transaction_time").strip()
        for read in (locale.read_moment, locale.read_day):
            with suppress(ValueError):
                found = read(text)
                return found.date() if isinstance(found, datetime) else found
        return self._sales.clock.today()

    @property
    def is_changed(self) -> bool:
        """True when something is typed that was not loaded."""
        return self._texts() != self._loaded or self.basket.is_pending

    def clear(self) -> None:
        """Empties the form."""
        self.basket.clear_line()
        self.next()

    def next(self, kept: Iterable[str] = ()) -> None:
        """Begins a new sale, with the texts of these fields, and what has been typed into the item line since."""
        texts = {name: self.fields.text(name) for name in kept}
        self.basket.line.say()
        self.load(_empty() | texts)

    def repeat(self, sale: Sale) -> None:
        """Takes what another sale has, at no time yet, as if it had been typed."""
        copied = content(sale)
        lines = [line | {"item_id": None} for line in copied["lines"]]
        self.basket.clear_line()
        self.load(_empty(), copied | {"transaction_time": None, "lines": lines})
        what = _("The items of transaction {id}", id=sale.transaction_id)
        self.basket.line.say(told=_("{what} are in the basket.", what=what))

    def load(self, loaded: Mapping[str, Any], typed: Mapping[str, Any] | None = None) -> None:
        """Takes the content of a sale (see ``content``) into the form; with ``typed``, that as if it had been typed.

        A value that is no choice becomes one. Each field is filled once: of two texts in quick succession the
        browser may keep the first.
        """
        shown = loaded if typed is None else typed
        for field in CHOICES:
            values = [*field.choices, loaded[field.name], shown[field.name]]
            self.fields.widgets[field.name].options = list(dict.fromkeys(values))
        self.fields.fill(_header_texts(shown))
        self.fields.forgive()
        self.basket.load(shown["lines"])
        self._loaded = _header_texts(loaded) | {"lines": list(loaded["lines"])}

    def draft(self) -> dict[str, Any]:
        """What is typed, right or wrong, as ``restore`` takes it."""
        return {"fields": self.fields.texts(), "basket": self.basket.draft()}

    def restore(self, draft: Mapping[str, Any]) -> None:
        """Takes a draft into the form, over what was loaded. Raises SaleRefused when a line in it is none."""
        texts = {name: draft["fields"][name] for name in HEADER}
        for field in CHOICES:
            choice = self.fields.widgets[field.name]
            choice.options = list(dict.fromkeys([*choice.options, texts[field.name]]))
        self.fields.fill(texts)
        self.basket.restore(draft["basket"])

    def read(self) -> SaleInput | None:
        """The sale as typed; None when something is wrong, which is then shown where it is."""
        self._named.fill()
        is_pending = self.basket.refuse_pending()
        try:
            sale = parse_sale(self._texts())
        except SaleRefused as refusal:
            self.refuse(refusal.fields)
            return None
        return None if is_pending else sale

    def refuse(self, errors: list[FieldError]) -> None:
        """Shows each error by its field, and below the form what has no field here."""
        self.basket.rows.refuse([error for error in errors if error.field.count(".") == 2])
        without_field = self.fields.show(errors)
        self._is_said_empty = not self.basket.lines
        if self._is_said_empty:
            self._message.say("error", _("Add at least one item."), _("The basket is empty."))
        elif without_field:
            self._message.say("error", "; ".join(str(error) for error in without_field))

    def _filled(self) -> None:
        """What was said of an empty basket does not stay beside its first item."""
        if self._is_said_empty and self.basket.lines:
            self._message.clear()
            self._is_said_empty = False
        self._on_change()

    def _texts(self) -> dict[str, Any]:
        return self.fields.texts() | {"lines": self.basket.sold}

    def __panel__(self) -> pn.Column:
        return pn.Column(
            section(_("Sale"), field_grid(*self.fields.widgets.values(), width=190)),
            section(_("Items"), self.basket),
            sizing_mode="stretch_width",
            margin=0,
        )


def section(title: str, *objects: Any) -> pmui.Paper:
    """A titled part of a form. The title is the program's own text: it is not escaped."""
    heading = html_pane(f"<h2>{title}</h2>", margin=(4, 8))
    return pmui.Paper(
        heading, *objects, variant="outlined", sizing_mode="stretch_width", margin=(6, 8), sx={"padding": "8px"}
    )


def content(sale: Sale | SaleInput) -> dict[str, Any]:
    """What of a sale can be edited: the header's values by name, and ``lines`` as dicts with their item_id."""
    header = {name: getattr(sale, name) for name in HEADER}
    return header | {"lines": [{name: getattr(line, name) for name in LINE} for line in sale.lines]}


def size(sale: Sale | SaleInput, sales: Sales) -> str:
    """``6 items on 3 lines, USD 12.50``."""
    items = items_text([line.quantity for line in sale.lines])
    return f"{items}, {money(sale.total_amount, sales.engines.settings.workbench_currency)}"


def _empty() -> dict[str, Any]:
    choices = {field.name: field.choices[0] for field in CHOICES}
    return dict.fromkeys(HEADER) | choices | {"lines": []}


def _header_texts(sale: Mapping[str, Any]) -> dict[str, str]:
    return {name: locale.field_text(sale[name]) for name in HEADER}


def _widget(field: Field, time_hint: str) -> Any:
    if field.choices:
        return pmui.Select(label=field.label, options=list(field.choices), **LAYOUT, **CHOICE)
    if field.kind == "time":
        return text_field(field.name, time_hint, placeholder=locale.moment_hint())
    return text_field(field.name, _("Optional") if field.kind == "optional id" else "")
