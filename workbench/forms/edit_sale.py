"""Edit: a sale as the master has it, changed, and saved unless somebody else was faster; and its history, undone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import panel as pn
import panel_material_ui as pmui

from workbench.catalogue.names import Names
from workbench.components.browser.page import Unsaved
from workbench.components.fields import MARGIN, actions
from workbench.components.html import html_pane
from workbench.components.inline import read_aside
from workbench.components.messages import Action, Message, Said, VisibleAfter
from workbench.components.theme import esc
from workbench.errors import SaleConflict, SaleRefused, WorkbenchError
from workbench.forms.before_saving import Confirmation, conflict_table, merge
from workbench.forms.named_ids import no_names
from workbench.forms.sale_form import SALE_FORM, SaleForm, SaleLoader, SalePicker, content, section, size
from workbench.forms.sale_history import SaleHistory
from workbench.locale import _
from workbench.sales.history import Change, as_before, as_version
from workbench.sales.models import Sale, SaleInput
from workbench.sales.returns import NOT_EDITED
from workbench.sales.service import Sales, Saved


class EditSale(pn.viewable.Viewer):
    """Loads a sale from the master and saves it at the version that was loaded. ``on_saved`` is called then.

    ``on_open`` is called when a sale is opened, or closed, ``on_return`` when items of it are to be given back.
    """

    def __init__(
        self,
        sales: Sales,
        on_saved: Callable[[Saved], None],
        on_open: Callable[[], None] = lambda: None,
        on_return: Callable[[int], None] | None = None,
        names: Callable[[], Names] = no_names,
    ) -> None:
        super().__init__()
        self._sales, self._on_saved, self._on_open = sales, on_saved, on_open
        self._base: Sale | None = None  # as it was loaded: what a save must still find
        self._sent: SaleInput | None = None
        self._request_id = uuid4()
        self._next_id = 0
        self.message = Message(timing=VisibleAfter())
        self._loader = SaleLoader(sales, self.message)
        self.unsaved = Unsaved("edit", self._draft, self._restore)
        self.form = SaleForm(sales, self.message, self.unsaved.changed, names=names, on_save=self._save_by_key)
        self._picker = SalePicker(self.load, self.message)
        self._title = html_pane(margin=MARGIN)
        self._history = SaleHistory(
            sales.clock, self.message, self._undo, self._take_version, names, can_undo=sales.may_undo
        )
        self._undoing: dict[int, UUID] = {}  # the request of each entry: sent again, it finds what it did
        self._unsaved = Message(_button(_("Discard changes"), self._discard), closeable=False)
        self._conflict: SaleConflict | None = None
        self._compared, self._comparison = Said(), html_pane(margin=MARGIN)
        self._choices = self._choices_in_conflict()
        self._button = pmui.Button(label=_("Save changes"), variant="contained", margin=(6, 8))
        self.save = Action(self._save, self.message, self._button)
        self.confirmation = Confirmation(sales, self.save.run)
        self._button.on_click(self.save.run)
        cancel = _button(_("Cancel"), self._cancel, variant="text")
        back = [_button(_("Return items"), lambda _: on_return(self.sale_id or 0))] if on_return else []
        self._body = pn.Column(
            self._title,
            self.form,
            actions(cancel, *back, self._button),
            css_classes=[SALE_FORM],
            sizing_mode="stretch_width",
            margin=0,
        )
        self._show(None)

    def _choices_in_conflict(self) -> pmui.Paper:
        return section(
            _("This sale was changed meanwhile"),
            self._compared,
            self._comparison,
            pn.Row(
                _button(_("Keep editing on top of theirs"), self.keep_mine),
                _button(_("Take theirs"), self.take_theirs),
                _button(_("Back to my changes"), self._hide_conflict, variant="text"),
            ),
        )

    @property
    def sale_id(self) -> int | None:
        """The transaction_id of the sale that is open."""
        return None if self._base is None else self._base.transaction_id

    async def open(self, transaction_id: int | None) -> None:
        """Has this sale open, as an address asks; None closes what is open unless something in it is unsaved."""
        if transaction_id is None and not self.form.is_changed:
            self._cancel(None)
        elif transaction_id is not None and transaction_id != self.sale_id:
            await self.load(transaction_id)

    def _draft(self) -> dict[str, Any] | None:
        """With what it is a change of, and the request that was sent last."""
        if self._base is None or not self.form.is_changed:
            return None
        sent = None if self._sent is None else self._sent.model_dump(mode="json")
        request = {"sent": sent, "request_id": str(self._request_id)}
        return self.form.draft() | request | {"base": self._base.model_dump(mode="json")}

    def _restore(self, draft: dict[str, Any]) -> None:
        base = Sale.model_validate(draft["base"])
        sent = None if draft["sent"] is None else SaleInput.model_validate(draft["sent"])
        self._loader.forget()
        self._picker.put(base.transaction_id)
        self._show(base)
        self.form.restore(draft)
        self._sent, self._request_id = sent, UUID(draft["request_id"])

    async def load(self, transaction_id: int) -> None:
        """Takes the sale into the form; asks first when that would lose what is typed there."""
        self.message.clear()
        self._picker.put(transaction_id)
        if self._base is not None and self.form.is_changed:
            self._next_id = transaction_id
            lead = _("Transaction {id} has changes that are not saved.", id=self._base.transaction_id)
            self._unsaved.say("warning", _("Save them, or discard them and load {id}.", id=transaction_id), lead)
            return
        self._history.say("")
        sale = await self._loader.load(transaction_id)
        if sale is not None and sale.return_of is not None:
            self._show(None)
            self.message.say("info", _(NOT_EDITED, of=sale.return_of), _("Transaction {id}", id=sale.transaction_id))
        elif sale is not None:
            self._show(sale)
        if self._picker.transaction_id == transaction_id:
            await self._tell_history(transaction_id)

    def _save_by_key(self) -> None:
        if self._base is not None:
            pn.state.execute(self.save.run)

    async def _save(self) -> None:
        base = self._base
        if base is None:
            return
        self.message.clear()
        await self.form.basket.settle()
        with self.form.basket.held():
            sale = self.form.read()
            if sale is not None:
                await self._send(base, sale)

    async def _send(self, base: Sale, sale: SaleInput) -> None:
        if content(sale) == content(base):
            self.message.say("info", _("Nothing was saved."), _("Nothing has been changed."))
            return
        if await self.confirmation.is_open(sale, base):
            return
        if sale != self._sent:  # the same content sent again is the same request, other content another
            self._sent, self._request_id = sale, uuid4()
            self.unsaved.tell()
        try:
            saved = await asyncio.to_thread(
                self._sales.update, base.transaction_id, base.version, sale, self._request_id
            )
        except SaleConflict as conflict:
            self._show_conflict(conflict, sale)
            return
        except SaleRefused as refusal:
            self.form.refuse(refusal.fields)
            return
        lead = _("Transaction {id} saved:", id=saved.transaction_id)
        self.message.say("success", f"{size(sale, self._sales)}.", lead, saved)
        self._on_saved(saved)
        await self._load_saved(base)

    async def _load_saved(self, base: Sale) -> None:
        """The next save must name the new version. When it cannot be read the form closes: nothing is unsaved."""
        try:
            now: Sale | None = (await asyncio.to_thread(self._sales.get, base.transaction_id, for_edit=True)).value
        except WorkbenchError:
            now = None
        if self._base is base:
            self._show(now)
            await self._tell_history(base.transaction_id)

    async def _tell_history(self, transaction_id: int) -> None:
        """Below the form, also of a sale that is gone; what cannot be read is no reason not to edit."""
        try:
            changes = (await read_aside(self._sales.history, transaction_id)).value
            returned = (await read_aside(self._sales.returns, transaction_id)).value
        except WorkbenchError as error:
            self._history.say(f'<p class="soft">{_("The history cannot be shown:")} {esc(error)}</p>')
            return
        is_there = self._base is not None
        if changes or is_there:
            self._history.tell(changes, returned, is_there=is_there)

    async def _undo(self, change: Change) -> None:
        """The change is taken back; when the sale has moved on since, mine is what it was before that change."""
        if self._is_refused_as_unsaved():
            return
        transaction_id = _id(change)
        request_id = self._undoing.setdefault(change.audit_id, uuid4())
        try:
            saved = await asyncio.to_thread(self._sales.undo, transaction_id, change.audit_id, request_id)
        except SaleConflict as conflict:
            mine = as_before(change)
            self._show(Sale.model_validate(change.after), typed=content(mine))
            self._show_conflict(conflict, mine)
            return
        what = (
            _("It is there again, with its lines.")
            if saved.operation == "restore"
            else _("It is as before that change.")
        )
        self._on_saved(saved)
        await self.load(transaction_id)
        self.message.say("success", what, _("Transaction {id}:", id=transaction_id), saved)

    async def _take_version(self, change: Change) -> None:
        """The sale as it was after that change stands in the form, to be looked at and saved."""
        if self._base is None or change.after is None or self._is_refused_as_unsaved():
            return
        self._show(self._base, typed=content(as_version(change.after, self._base)))
        self.message.say("info", _("That version stands in the form. Look at it, then save."), _("Not saved yet."))

    def _is_refused_as_unsaved(self) -> bool:
        self.message.clear()
        is_unsaved = self._base is not None and self.form.is_changed
        if is_unsaved:
            self.message.say("warning", _("Save or cancel them first."), _("There are changes that are not saved."))
        return is_unsaved

    def _show(self, sale: Sale | None, typed: dict[str, Any] | None = None) -> None:
        self._base = sale
        self._unsaved.clear()
        self.confirmation.forget()
        self._hide_conflict()
        self._body.visible = sale is not None
        if sale is None:
            self.form.clear()
        else:
            self._title.object = f"<h2>{_('Transaction {id}', id=sale.transaction_id)}</h2>"
            self.form.load(content(sale), typed)
        self._on_open()

    def _show_conflict(self, conflict: SaleConflict, mine: SaleInput) -> None:
        assert self._base is not None
        self._conflict = conflict
        self._comparison.object = conflict_table(content(self._base), content(mine), content(conflict.theirs))
        self._choices.visible = True
        self._compared.say(_("Nothing was overwritten. What differs from what it was is marked."))

    def _hide_conflict(self, _event: object = None) -> None:
        self._conflict = None
        self._choices.visible = False

    def take_theirs(self, _event: object = None) -> None:
        """After a conflict: drops my changes."""
        if self._conflict is not None:
            self._show(self._conflict.theirs)

    def keep_mine(self, _event: object = None) -> None:
        """After a conflict: my changes on top of theirs, for another look before they are saved."""
        mine = self.form.read()
        if self._conflict is None or self._base is None or mine is None:
            return
        theirs = self._conflict.theirs
        merged = merge(content(self._base), content(mine), content(theirs))
        self._show(theirs, typed=merged)
        self.message.say(
            "info", _("Your changes stand on top of theirs. Look at them, then save."), _("Not saved yet.")
        )

    async def _discard(self, _event: object) -> None:
        self._show(None)
        await self.load(self._next_id)

    def _cancel(self, _event: object) -> None:
        self.message.clear()
        self._history.say("")
        self._show(None)

    def __panel__(self) -> pn.Column:
        return pn.Column(
            self._picker,
            self._unsaved,
            self._body,
            self._choices,
            self.confirmation,
            self.message,
            self._history,
            sizing_mode="stretch_width",
            margin=0,
        )


def _id(change: Change) -> int:
    return int((change.before or change.after or {})["transaction_id"])


def _button(label: str, on_click: Callable, variant: str = "outlined") -> pmui.Button:
    return pmui.Button(label=label, on_click=on_click, variant=variant, margin=(6, 8))
