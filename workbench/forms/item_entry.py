"""The details of one item, completed from known products, on their way into the basket."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import panel as pn
import panel_material_ui as pmui

from workbench import locale
from workbench.catalogue.names import Names
from workbench.components.fields import Fields, actions, field_grid, text_field
from workbench.components.messages import Message
from workbench.components.theme import money
from workbench.errors import FieldError, SaleRefused, ServerUnavailable
from workbench.forms.item_line import plain_amount
from workbench.forms.named_ids import no_names
from workbench.locale import N_, _, english
from workbench.sales.models import LineInput, parse_line, with_point
from workbench.sales.products import find_product
from workbench.sales.service import Sales
from workbench.words import visible

log = logging.getLogger(__name__)

EMPTY = {"product_code": "", "product_name": "", "category": "", "quantity": "1", "unit_price": "", "discount": ""}
COMPLETED = ("product_name", "category", "unit_price")
PAUSE_SECONDS = 0.2
DOUBLE_CLICK_SECONDS = 0.5


class ItemEntry(pn.viewable.Viewer):
    """An item being typed. ``on_add`` gets it once it is right, and the row of the basket that it changes or None."""

    def __init__(
        self,
        sales: Sales,
        on_add: Callable[[LineInput, int | None], None],
        on_change: Callable[[], None] | None = None,
        names: Callable[[], Names] = no_names,
        day: Callable[[], date] | None = None,
        on_empty: Callable[..., None] = lambda **_: None,
    ) -> None:
        super().__init__()
        self._sales, self._on_add, self._on_change, self._on_empty = sales, on_add, on_change, on_empty
        self._currency = sales.engines.settings.workbench_currency
        self._names, self._day = names, day or sales.clock.today
        self._untouched: dict[str, Any] = dict(EMPTY)  # what the fields held when nobody had typed yet
        self._completed = {"product_code": ""}  # what was filled in for the user, who may since have changed it
        self._item_id: int | None = None
        self.row: int | None = None  # of the basket, while one of its items is being changed
        self._changes, self._added_at = 0, 0.0
        self.fields = Fields(_widgets(self._currency), self._changed)
        self.message = Message()
        self._add = pmui.Button(label=_("Add item"), icon="add", variant="outlined", on_click=self.add, margin=(6, 8))
        self._clear = pmui.Button(label=_("Clear item"), variant="text", on_click=lambda _: self.clear(), margin=(6, 8))
        for widget in self.fields.widgets.values():
            widget.param.watch(self.add, "enter_pressed")
        self.fields.fill(EMPTY)

    @property
    def is_pending(self) -> bool:
        """True while the fields hold something that is in no basket yet."""
        return self.fields.texts() != self._untouched

    def load(self, line: Mapping[str, Any], row: int) -> None:
        """Takes an item of the basket to be changed; ``Add item`` becomes ``Update item``."""
        self._start({name: locale.field_text(line[name]) for name in EMPTY}, N_("Update item"))
        self._item_id, self.row = line.get("item_id"), row
        self.fields.widgets["quantity"].focus()

    def draft(self) -> dict[str, Any]:
        """What is typed, and which item of the basket it changes."""
        return {"texts": self.fields.texts(), "row": self.row, "item_id": self._item_id}

    def restore(self, draft: Mapping[str, Any]) -> None:
        """Takes a draft into the fields; it is as pending as it was."""
        self._item_id, self.row = draft["item_id"], draft["row"]
        self.fields.fill({name: draft["texts"][name] for name in EMPTY})
        self._completed = {name: draft["texts"][name] for name in ("product_code", *COMPLETED)}
        if self.row is not None:
            self._add.label = _("Update item")

    def take(self, texts: Mapping[str, str], errors: Sequence[FieldError]) -> None:
        """Takes what is known of an item that cannot be added yet, with what is missing or wrong by each field."""
        self._start(EMPTY)
        self.fields.fill(texts)
        self.fields.show(errors, is_going_there=False)

    def clear(self) -> None:
        """Empties the fields for a new item."""
        self._start(EMPTY)
        self._on_empty(is_added=False)

    async def add(self, *_events: Any) -> None:
        """Hands the item over, or shows what is wrong with it."""
        if time.monotonic() - self._added_at < DOUBLE_CLICK_SECONDS and not self.is_pending:
            return  # the second click of a double click, on fields that the first one has emptied
        await self.complete()
        texts = self.fields.texts()
        amounts = {name: plain_amount(texts[name], self._currency) for name in ("unit_price", "discount")}
        try:
            line = parse_line(texts | amounts | {"item_id": self._item_id, "discount": amounts["discount"] or "0"})
            self._on_add(line, self.row)
        except SaleRefused as refusal:
            self.fields.show([FieldError(e.field, texts.get(e.field, e.value), e.allowed) for e in refusal.fields])
            return
        self._added_at = time.monotonic()
        self._start(EMPTY)
        self._on_empty(is_added=True)

    async def complete(self) -> None:
        """Fills in name, category and price of a known code, except where the user has typed something else."""
        code = self.fields.text("product_code").strip()
        if code == self._completed["product_code"]:
            return
        try:
            answer = await asyncio.to_thread(find_product, self._sales.reader, self._sales.read_position, code)
        except ServerUnavailable as error:
            log.warning("Product %r is not completed: %s", code, english(error))
            return
        if code == self.fields.text("product_code").strip():  # else it was typed on meanwhile
            known = {name: getattr(answer.value, name, None) for name in COMPLETED} | self._listed(code)
            self._fill_in(code, {name: locale.field_text(value) for name, value in known.items()})
            self._tell_price()

    def _listed(self, code: str) -> dict[str, Any]:
        """What the catalogue has of a product: name, category and the list price of the day."""
        names = self._names()
        name, category, _unit = names.products.get(code, (None, None, None))
        listed = {"product_name": name, "category": category, "unit_price": names.list_price(code, self._day())}
        return {name: value for name, value in listed.items() if value is not None}

    def _tell_price(self) -> None:
        """Below the price, what the list says, and by how much this one differs."""
        code, names = self.fields.text("product_code").strip(), self._names()
        unit = names.products[code].unit or "" if code in names.products else ""
        listed = names.list_price(code, self._day())
        text = unit and _("For one {unit}", unit=visible(unit))
        if listed is not None:
            text = price_hint(listed, self.fields.text("unit_price"), unit)
        self.fields.hint("unit_price", text)

    def _fill_in(self, code: str, texts: Mapping[str, str]) -> None:
        before = self._completed
        self._completed = {"product_code": code, **texts}
        for name, text in texts.items():
            if self.fields.text(name) in ("", before.get(name, "")):
                self.fields.fill({name: text})

    def _start(self, texts: Mapping[str, Any], label: str = N_("Add item")) -> None:
        self._item_id = self.row = None
        self._untouched = dict(texts)
        self._completed = {name: texts[name] for name in ("product_code", *COMPLETED)}
        self.fields.fill(texts)
        self.fields.forgive()
        self.message.clear()
        self._add.label = _(label)

    def _changed(self, name: str) -> None:
        self._changes += 1
        if self._on_change is not None:
            self._on_change()
        self.message.clear()
        if name in ("product_code", "unit_price"):
            self._tell_price()
        if self.fields.text("product_code").strip() != self._completed["product_code"]:
            pn.state.execute(self._complete_after_pause)

    async def _complete_after_pause(self) -> None:
        """Completing while keys are still on their way would overwrite them in the browser."""
        changes = self._changes
        await asyncio.sleep(PAUSE_SECONDS)
        if changes == self._changes:
            await self.complete()

    def __panel__(self) -> pn.Column:
        buttons = actions(self._clear, self._add)
        return pn.Column(
            field_grid(*self.fields.widgets.values()), self.message, buttons, sizing_mode="stretch_width", margin=0
        )


def price_hint(listed: Decimal, typed: str, unit: str = "") -> str:
    """``List price 4.50 for one cup``, with the difference where another price is typed."""
    text = _("List price {price}", price=money(listed)) + (_(" for one {unit}", unit=visible(unit)) if unit else "")
    try:
        price = Decimal(with_point(typed))
    except (InvalidOperation, ValueError):
        return text
    if not price.is_finite() or price == listed:
        return text
    apart = _("this is {amount} more") if price > listed else _("this is {amount} less")
    return f"{text}: {apart.format(amount=money(abs(price - listed)))}"


def _widgets(currency: str) -> dict[str, Any]:
    return {
        "product_code": text_field("product_code"),
        "product_name": text_field("product_name"),
        "category": text_field("category", _("Optional")),
        "quantity": text_field("quantity"),
        "unit_price": text_field("unit_price", _("{currency} for one", currency=currency)),
        "discount": text_field("discount", _("{currency} off the line; empty is none", currency=currency)),
    }
