"""Return: what of a sale is left to give back, and how many of it are given back, saved as a sale of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import panel as pn
import panel_material_ui as pmui
from pydantic import TypeAdapter

from workbench.catalogue.names import Names
from workbench.components.browser.page import Unsaved
from workbench.components.fields import CHOICE, LAYOUT, MARGIN, Fields, actions, field_grid, text_field
from workbench.components.html import html_pane
from workbench.components.inline import read_aside
from workbench.components.messages import Action, Message, VisibleAfter, failures_said
from workbench.components.theme import esc, money
from workbench.errors import FieldError, SaleRefused
from workbench.forms.named_ids import NamedIds, no_names
from workbench.forms.sale_form import NAMED, SalePicker, section
from workbench.forms.sale_html import to_the_second
from workbench.locale import _
from workbench.sales.models import PAYMENT_METHODS, ReturnInput, Sale, parse_return
from workbench.sales.returns import Returnable, left_text
from workbench.sales.service import Sales, Saved
from workbench.words import counted, visible

NOTHING_CHOSEN = "how many pieces are given back, of one item at least"
HEADER = ("cashier_id", "store_id", "payment_method")
_FOUND = TypeAdapter(list[Returnable])


class ReturnItems(pn.viewable.Viewer):
    """Loads a sale from the master, with what was returned of it, and saves a return. ``on_saved`` is called then.

    ``on_open`` is called when a sale is shown, or none any more.
    """

    def __init__(
        self,
        sales: Sales,
        on_saved: Callable[[Saved], None],
        on_open: Callable[[], None] = lambda: None,
        names: Callable[[], Names] = no_names,
    ) -> None:
        super().__init__()
        self._sales, self._on_saved, self._on_open = sales, on_saved, on_open
        self._currency = sales.engines.settings.workbench_currency
        self._sale: Sale | None = None
        self._found: list[Returnable] = []
        self._sent: ReturnInput | None = None
        self._request_id = uuid4()
        self._asked = self._next_id = 0
        self._start: dict[str, str] = {}  # of the header, before anybody typed
        self.message = Message(timing=VisibleAfter())
        self.unsaved = Unsaved("return", self._draft, self._restore)
        discard = pmui.Button(label=_("Discard them"), variant="outlined", margin=(6, 8), on_click=self._discard)
        self._unsaved = Message(discard, closeable=False)
        self._picker = SalePicker(self.load, self.message)
        self._title = html_pane(margin=MARGIN)
        payment = pmui.Select(label=_("Payment Method"), options=list(PAYMENT_METHODS), **LAYOUT, **CHOICE)
        header = {name: payment if name == "payment_method" else text_field(name) for name in HEADER}
        self.header = Fields(header, self.unsaved.changed)
        self._names = names
        self._named = NamedIds(self.header, names, {field.name: field.dimension for field in NAMED})
        self.quantities = Fields({})  # that are given back, by the place of the item
        self._items = pn.Column(sizing_mode="stretch_width", margin=0)
        self._total = html_pane(margin=MARGIN)
        self._button = pmui.Button(label=_("Return items"), variant="contained", margin=(6, 8))
        self.save = Action(self._save, self.message, self._button)
        self._button.on_click(self.save.run)
        everything = pmui.Button(label=_("All that is left"), variant="outlined", margin=(6, 8), on_click=self.take_all)
        cancel = pmui.Button(label=_("Cancel"), variant="text", margin=(6, 8), on_click=self._cancel)
        self._body = pn.Column(
            self._title,
            section(_("Items to give back"), self._items, self._total),
            section(_("Return"), field_grid(*self.header.widgets.values(), width=190)),
            actions(cancel, everything, self._button),
            sizing_mode="stretch_width",
            margin=0,
            visible=False,
        )

    @property
    def sale_id(self) -> int | None:
        """The transaction_id of the sale that is shown."""
        return None if self._sale is None else self._sale.transaction_id

    async def open(self, transaction_id: int | None) -> None:
        """Shows this sale, as an address asks; None closes what is shown unless something in it is unsaved."""
        if transaction_id is None and not self.is_changed:
            self._show(None, [])
        elif transaction_id is not None and transaction_id != self.sale_id:
            await self.load(transaction_id)

    @property
    def is_changed(self) -> bool:
        """Whether something is typed that is not saved."""
        return self._sale is not None and bool(self._typed() or self.header.texts() != self._start)

    def _draft(self) -> dict[str, Any] | None:
        """With the sale as it was loaded, and the request that was sent last."""
        if self._sale is None or not self.is_changed:
            return None
        return {
            "sale": self._sale.model_dump(mode="json"),
            "found": _FOUND.dump_python(self._found, mode="json"),
            "header": self.header.texts(),
            "quantities": self.quantities.texts(),
            "sent": None if self._sent is None else self._sent.model_dump(mode="json"),
            "request_id": str(self._request_id),
        }

    def _restore(self, draft: dict[str, Any]) -> None:
        sale, found = Sale.model_validate(draft["sale"]), _FOUND.validate_python(draft["found"])
        sent = None if draft["sent"] is None else ReturnInput.model_validate(draft["sent"])
        self._asked += 1  # the sale of the address, which is being read, would take what is typed away
        self._picker.put(sale.transaction_id)
        self._show(sale, found, draft["header"], draft["quantities"])
        self._sent, self._request_id = sent, UUID(draft["request_id"])

    async def load(self, transaction_id: int) -> None:
        """Shows what of the sale is left, as the master has it; asks first when that would lose what is typed."""
        self.message.clear()
        self._picker.put(transaction_id)
        if self.is_changed:
            self._next_id = transaction_id
            lead = _("What is typed to give back items of transaction {id} is not saved.", id=self.sale_id)
            self._unsaved.say("warning", _("Save it, or discard it and load {id}.", id=transaction_id), lead)
            return
        self._show(None, [])
        await self._read(transaction_id)

    async def _read(self, transaction_id: int) -> None:
        self._asked += 1
        asked = self._asked
        with failures_said(self.message, lambda: asked == self._asked, is_saving=False):
            answer = await read_aside(self._sales.returnable, transaction_id)
            if asked == self._asked:
                self._show(*answer.value)

    def take_all(self, *_events: Any) -> None:
        """Types all that is left of each item."""
        self.quantities.fill({name: str(each.left) for name, each in self._open.items()})
        self._changed()

    @property
    def _open(self) -> dict[str, Returnable]:
        return {str(place): each for place, each in enumerate(self._found) if each.left}

    def _show(
        self,
        sale: Sale | None,
        found: list[Returnable],
        header: Mapping[str, str] | None = None,
        quantities: Mapping[str, str] | None = None,
    ) -> None:
        """The sale, with what is typed where it is given: each field is filled once: a browser may keep the first."""
        self._sale, self._found = sale, found
        self._unsaved.clear()
        self._body.visible = sale is not None
        self.quantities = Fields({name: _field(each) for name, each in self._open.items()}, lambda _: self._changed())
        self.quantities.fill(dict.fromkeys(self._open, "0") if quantities is None else quantities)
        gone = "".join(f"<li>{esc(_named(each))}: {esc(left_text(each))}.</li>" for each in found if not each.left)
        self._items.objects = [
            field_grid(*self.quantities.widgets.values(), width=230),
            html_pane(f'<ul class="soft">{gone}</ul>' if gone else "", margin=MARGIN),
        ]
        if sale is not None:
            self._title.object = _title(sale, self._currency, self._names())
            methods = list(dict.fromkeys([*PAYMENT_METHODS, sale.payment_method]))
            self.header.widgets["payment_method"].options = methods
            self._start = {"cashier_id": "", "store_id": str(sale.store_id), "payment_method": sale.payment_method}
            self.header.fill(self._start if header is None else header)
        self.header.forgive()
        self._changed()
        self._on_open()

    def _typed(self) -> list[tuple[str, str]]:
        """Which items are given back, and the pieces as they are typed."""
        texts = {name: self.quantities.text(name).strip() for name in self.quantities.widgets}
        return [(name, text) for name, text in texts.items() if text not in ("", "0")]

    def _changed(self) -> None:
        self._tell_total()
        self.unsaved.changed()

    def _tell_total(self) -> None:
        given = [(self._open[name], int(text)) for name, text in self._typed() if text.isascii() and text.isdigit()]
        lines = [each.line(count) for each, count in given if 0 < count <= each.left]
        amount = sum((line["quantity"] * line["unit_price"] - line["discount"] for line in lines), Decimal("0.00"))
        items = counted(-sum(line["quantity"] for line in lines), "item")
        self._total.object = (
            f'<p class="number">{items} <span class="soft">{_("to give back")}</span>'
            f" · <strong>{esc(money(-amount, self._currency))}</strong></p>"
        )

    async def _save(self) -> None:
        sale = self._sale
        if sale is None:
            return
        self.message.clear()
        taken = self._parsed(sale)
        if taken is None:
            return
        if taken != self._sent:  # the same content sent again is the same request, other content another
            self._sent, self._request_id = taken, uuid4()
            self.unsaved.tell()
        try:
            saved = await asyncio.to_thread(self._sales.give_back, taken, self._request_id)
        except SaleRefused as refusal:
            self._refuse(refusal.fields)
            return
        self._sent = None
        items = counted(sum(line.quantity for line in taken.lines), "item")
        lead = _("Transaction {id} recorded:", id=saved.transaction_id)
        self._on_saved(saved)
        await self._read(sale.transaction_id)
        self.message.say(
            "success", _("{items} of transaction {id} returned.", items=items, id=sale.transaction_id), lead, saved
        )

    def _parsed(self, sale: Sale) -> ReturnInput | None:
        lines = [
            {"product_code": self._open[name].product_code, "unit_price": self._open[name].unit_price, "quantity": text}
            for name, text in self._typed()
        ]
        self._named.fill()
        try:
            return parse_return(self.header.texts() | {"return_of": sale.transaction_id, "lines": lines})
        except SaleRefused as refusal:
            self._refuse(refusal.fields)
            return None

    def _refuse(self, errors: list[FieldError]) -> None:
        """Each error by its field: those of lines by the item that was typed at this place."""
        names = [name for name, _ in self._typed()]
        of_lines = [
            FieldError(names[int(error.field.split(".")[1])], error.value, error.allowed)
            for error in errors
            if error.field.startswith("lines.")
        ]
        others = self.header.show([error for error in errors if not error.field.startswith("lines.")])
        self.quantities.show(of_lines)
        if any(error.field == "lines" for error in others):
            self.message.say("error", f"Type {NOTHING_CHOSEN}.", _("Nothing is given back yet."))
        elif others:
            self.message.say("error", "; ".join(map(str, others)))

    async def _discard(self, _event: object) -> None:
        self._show(None, [])
        await self.load(self._next_id)

    def _cancel(self, _event: object) -> None:
        self.message.clear()
        self._show(None, [])

    def __panel__(self) -> pn.Column:
        shown = (self._picker, self._unsaved, self._body, self.message)
        return pn.Column(*shown, sizing_mode="stretch_width", margin=0)


def _named(each: Returnable) -> str:
    return _("{product} at {price}", product=visible(each.product_name), price=money(each.unit_price))


def _field(each: Returnable) -> pmui.TextInput:
    return pmui.TextInput(label=_named(each), helper_text=f"{each.product_code}: {left_text(each)}", **LAYOUT)


def _title(sale: Sale, currency: str, names: Names) -> str:
    store = names.called("store", sale.store_id)
    told = f"{to_the_second(sale.transaction_time)} · {store} · {money(sale.total_amount, currency)}"
    return f'<h2>{_("Items of transaction {id}", id=sale.transaction_id)}</h2><p class="soft">{esc(told)}</p>'
