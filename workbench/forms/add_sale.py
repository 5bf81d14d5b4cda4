"""Add Transaction: a new sale, saved once however often it is asked for; the last one, repeated or printed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import panel as pn
import panel_material_ui as pmui

from workbench import locale
from workbench.catalogue.names import Names
from workbench.components.browser.page import Unsaved
from workbench.components.fields import actions
from workbench.components.messages import Action, Message, VisibleAfter
from workbench.errors import RequestReused, SaleRefused
from workbench.forms.before_saving import Confirmation
from workbench.forms.named_ids import no_names
from workbench.forms.sale_form import SALE_FORM, SaleForm, SaleLoader, size
from workbench.forms.sale_html import WIDTH_MM, Printing, receipt
from workbench.locale import _
from workbench.sales.models import SaleInput
from workbench.sales.service import Sales, Saved

KEPT = ("cashier_id", "store_id", "payment_method")  # for the next sale


class AddSale(pn.viewable.Viewer):
    """The form for a new sale, empty or with what another one has (``load``).

    ``on_saved`` is called after each one, the last of which can be repeated and printed.
    """

    def __init__(self, sales: Sales, on_saved: Callable[[Saved], None], names: Callable[[], Names] = no_names) -> None:
        super().__init__()
        self._sales, self._on_saved = sales, on_saved
        self._request_id = uuid4()  # kept until it succeeded: sent again, it makes no second sale
        self._refused: SaleInput | None = None
        self._last: tuple[int, SaleInput] | None = None
        self._next_id = 0
        self._names, self._printing = names, Printing()
        self.message = Message(timing=VisibleAfter())
        self._loader = SaleLoader(sales, self.message, is_changed=False)
        discard = pmui.Button(label=_("Discard it"), variant="outlined", margin=(6, 8), on_click=self._discard)
        self._question = Message(discard)
        self.unsaved = Unsaved("add", self._draft, self._restore)
        self.form = SaleForm(
            sales, self.message, self.unsaved.changed, is_new=True, names=names, on_save=self._save_by_key
        )
        self.form.basket.line.take_focus()
        self._button = pmui.Button(label=_("Create Transaction"), variant="contained", margin=(6, 8))
        self._clear = pmui.Button(label=_("Clear"), variant="text", margin=(6, 8), on_click=self._start_over)
        self._repeat = pmui.Button(label=_("Repeat last sale"), variant="text", margin=(6, 8), visible=False)
        self._receipt = pmui.Button(label=_("Print receipt"), variant="text", margin=(6, 8), visible=False)
        self._repeat.on_click(self.repeat)
        self._receipt.on_click(Action(self._print, self.message, self._receipt).run)
        self.save = Action(self._create, self.message, self._button)
        self.confirmation = Confirmation(sales, self.save.run)
        self._button.on_click(self.save.run)

    def _save_by_key(self) -> None:
        pn.state.execute(self.save.run)

    async def _create(self) -> None:
        self.message.clear()
        await self.form.basket.settle()
        with self.form.basket.held():
            sale = self.form.read()
            if sale is not None and not await self.confirmation.is_open(sale):
                await self._send(sale)

    async def _send(self, sale: SaleInput) -> None:
        try:
            saved = await asyncio.to_thread(self._sales.create, sale, self._id_for(sale))
        except RequestReused as reused:
            self._refused = sale
            earlier = _(
                "What you sent before, with other content, was saved as transaction {id}.", id=reused.transaction_id
            )
            self.message.say(
                "warning", f"{earlier} {_('Change that one under Edit, or clear the form.')}", _("Not saved.")
            )
            return
        except SaleRefused as refusal:
            self.form.refuse(refusal.fields)
            return
        self._request_id = uuid4()
        self._last = saved.transaction_id, sale
        self._repeat.visible = self._receipt.visible = True
        self.confirmation.forget()
        self._question.clear()
        self.form.next(KEPT)
        lead = _("Transaction {id} created:", id=saved.transaction_id)
        at = "" if saved.transaction_time is None else f", {locale.moment_seconds(saved.transaction_time)}"
        self.message.say("success", f"{size(sale, self._sales)}{at}.", lead, saved, takes_focus=False)
        self.form.basket.line.focus()
        self._on_saved(saved)

    async def load(self, transaction_id: int) -> None:
        """Begins a new sale with what this one has; asks first when that would lose what is typed here."""
        if self._asks(transaction_id):
            return
        sale = await self._loader.load(transaction_id)
        if sale is None or self._asks(transaction_id):  # something may have been typed meanwhile
            return
        self._start_over()
        if sale.return_of is not None:
            self.message.say(
                "info", _("It is a return, which is not repeated."), _("Transaction {id}:", id=transaction_id)
            )
        else:
            self.form.repeat(sale)

    def _asks(self, transaction_id: int) -> bool:
        """Whether something is typed that would be lost; it is asked about then."""
        self._question.clear()
        if self.form.is_changed:
            self._next_id = transaction_id
            why = _("Save it, or discard it and repeat transaction {id}.", id=transaction_id)
            self._question.say("warning", why, _("A sale that is not saved is here."))
        return self.form.is_changed

    async def _discard(self, _event: object) -> None:
        self.form.clear()
        await self.load(self._next_id)

    def repeat(self, _event: object = None) -> None:
        """Puts the items of the last sale into the basket, beside what is there."""
        if self._last is not None:
            self.form.basket.repeat(self._last[1].lines, _("The items of transaction {id}", id=self._last[0]))

    async def _print(self) -> None:
        """The last sale as the master has it, for the browser to print."""
        if self._last is not None:
            sale = (await asyncio.to_thread(self._sales.get, self._last[0], for_edit=True)).value
            page = receipt(sale, self._names(), self._sales.engines.settings.workbench_currency)
            self._printing.print(_("Receipt {id}", id=sale.transaction_id), page, WIDTH_MM)

    def _draft(self) -> dict[str, Any] | None:
        """With its request id: what was sent and maybe saved before the page was lost makes no second sale."""
        return self.form.draft() | {"request_id": str(self._request_id)} if self.form.is_changed else None

    def _restore(self, draft: dict[str, Any]) -> None:
        self.form.restore(draft)
        self._request_id = UUID(draft["request_id"])

    def _id_for(self, sale: SaleInput) -> UUID:
        if self._refused is not None and sale != self._refused:
            self._request_id, self._refused = uuid4(), None
        return self._request_id

    def _start_over(self, _event: object = None) -> None:
        self._request_id, self._refused = uuid4(), None
        self._loader.forget()
        self._question.clear()
        self.message.clear()
        self.confirmation.forget()
        self.form.clear()

    def __panel__(self) -> pn.Column:
        buttons = actions(self._receipt, self._repeat, self._clear, self._button)
        parts = (self._question, self.form, buttons, self.confirmation, self.message, self._printing)
        return pn.Column(*parts, css_classes=[SALE_FORM], sizing_mode="stretch_width", margin=0)
