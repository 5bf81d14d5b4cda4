"""Delete: what will go, why, and a confirmation that holds for that sale at that version alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import panel as pn
import panel_material_ui as pmui

from workbench.catalogue.names import Names
from workbench.components.fields import MARGIN, Fields, text_field
from workbench.components.html import html_pane
from workbench.components.messages import Action, Message, VisibleAfter
from workbench.errors import SaleConflict, SaleNotFound, SaleRefused
from workbench.forms.named_ids import no_names
from workbench.forms.sale_form import SaleLoader, SalePicker, size
from workbench.forms.sale_html import sale_summary
from workbench.locale import _
from workbench.sales.models import Sale
from workbench.sales.service import Sales, Saved


class DeleteSale(pn.viewable.Viewer):
    """Loads a sale from the master, shows it, and deletes it when that is confirmed, for a reason. ``on_saved`` is
    called then.

    ``on_open`` is called when a sale is shown, or withdrawn.
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
        self._sale: Sale | None = None
        self._names = names
        self._going: int | None = None  # the sale that is being deleted
        self._request_id = uuid4()  # of the confirmation that is shown: sent again, it finds what it did
        self.message = Message(timing=VisibleAfter())
        self._loader = SaleLoader(sales, self.message)
        self._picker = SalePicker(self.load, self.message, self._typed)
        self._shown = html_pane(margin=MARGIN)
        self._question = Message(closeable=False)
        self._why = text_field("reason", _("Kept in the sale's history"), visible=False)
        self.reason = Fields({"reason": self._why})
        self._button = pmui.Button(label=_("Delete"), color="error", variant="contained", margin=(6, 8))
        self._cancel = pmui.Button(label=_("Cancel"), variant="text", margin=(6, 8), on_click=self._keep)
        self._buttons = pn.Row(self._button, self._cancel, visible=False)
        self.confirm = Action(self._delete, self.message, self._button)
        self._button.on_click(self.confirm.run)

    @property
    def sale_id(self) -> int | None:
        """The transaction_id of the sale that is shown."""
        return None if self._sale is None else self._sale.transaction_id

    async def open(self, transaction_id: int | None) -> None:
        """Shows this sale, as an address asks; none for None."""
        if transaction_id is None:
            self._withdraw()
        elif transaction_id != self.sale_id:
            await self.load(transaction_id)

    async def load(self, transaction_id: int) -> None:
        """Shows the sale as the master has it and asks; a confirmation asked before is withdrawn."""
        self._withdraw()
        self.message.clear()
        self._picker.put(transaction_id)
        sale = await self._loader.load(transaction_id)
        if sale is not None:
            self._show(sale)

    async def _delete(self) -> None:
        sale = self._sale
        if sale is None:
            return
        self.message.clear()
        self._going = sale.transaction_id
        try:
            await self._end(sale)
        finally:
            self._going = None

    async def _end(self, sale: Sale) -> None:
        why = self.reason.text("reason")
        try:
            saved = await asyncio.to_thread(
                self._sales.delete, sale.transaction_id, sale.version, self._request_id, why
            )
        except SaleRefused as refusal:
            self.reason.show(refusal.fields)
            return
        except SaleConflict as conflict:
            if self.sale_id != sale.transaction_id:  # another was asked for meanwhile
                self.message.say("warning", _("Nothing was deleted."), str(conflict))
                return
            self._show(conflict.theirs)
            self.message.say(
                "warning", _("Below is how it is now. Delete it only if you still want to."), str(conflict)
            )
            return
        except SaleNotFound as error:
            self._answered(sale)
            self.message.say("info", str(error))
            return
        self._answered(sale)
        lead = _("Transaction {id} deleted:", id=saved.transaction_id)
        self.message.say("success", f"{size(sale, self._sales)}.", lead, saved)
        self._on_saved(saved)

    def _answered(self, sale: Sale) -> None:
        """The question about this sale has had its answer; one about another, asked meanwhile, stays."""
        if self.sale_id == sale.transaction_id:
            self._withdraw()

    def _keep(self, *_events: Any) -> None:
        sale = self._sale
        if sale is None:
            return
        if sale.transaction_id == self._going:
            self.message.say(
                "info", _("Its answer will be here."), _("Transaction {id} is being deleted.", id=sale.transaction_id)
            )
            return
        self._withdraw()
        self.message.say("info", _("Transaction {id} was not deleted.", id=sale.transaction_id))

    def _show(self, sale: Sale) -> None:
        self._sale, self._request_id = sale, uuid4()
        self._shown.object = sale_summary(sale, self._sales.engines.settings.workbench_currency, self._names())
        text = f"{size(sale, self._sales)}. {_('Its history keeps it, and brings it back.')}"
        self._question.say("warning", text, _("Delete transaction {id}?", id=sale.transaction_id))
        self._why.visible = self._buttons.visible = True
        self._on_open()

    def _withdraw(self) -> None:
        self._sale = None
        self._loader.forget()
        self._shown.object = ""
        self._question.clear()
        self._why.visible = self._buttons.visible = False
        self.reason.fill({"reason": ""})
        self.reason.forgive()
        self._on_open()

    def _typed(self) -> None:
        if self._sale is not None and self._picker.transaction_id != self._sale.transaction_id:
            self._withdraw()

    def __panel__(self) -> pn.Column:
        return pn.Column(
            self._picker,
            self.message,
            self._shown,
            self._question,
            self._why,
            self._buttons,
            sizing_mode="stretch_width",
            margin=0,
        )
