"""SalesManager: view, add, edit, return and delete sales, in one component that is usable alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

import panel as pn
import panel_material_ui as pmui

from workbench.accounts.actor import Actor
from workbench.catalogue.names import Names
from workbench.components.browser.page import AddressBar
from workbench.components.inline import done_at_once, is_notebook, is_served, read_position_of, when_shown
from workbench.components.messages import Message
from workbench.connection import Workbench
from workbench.forms.add_sale import AddSale
from workbench.forms.delete_sale import DeleteSale
from workbench.forms.edit_sale import EditSale
from workbench.forms.return_items import ReturnItems
from workbench.forms.sale_address import TABS, SalesView, from_query, to_query
from workbench.forms.sale_filters import WITHOUT_FIELD
from workbench.forms.sale_table import SaleTable
from workbench.live import shared_live
from workbench.locale import _
from workbench.metrics import SaleWhere
from workbench.notebook import connect
from workbench.sales.rights import WRITING
from workbench.sales.service import Saved

DAY_LOOK_MS = 5_000  # between two looks whether it is another day; Bokeh keeps a closed page as long
VIEW, ADD, EDIT, RETURN, DELETE = range(5)
FORM_WIDTH = 1200  # pixels at most: what is filled in together is seen together


class SalesManager(pn.viewable.Viewer):
    """Tabs View, Add Transaction, Edit, Return and Delete for one user, in a notebook or served; a viewer has View.

    ``workbench`` is opened when none is given; ``actor`` is whom the audit log names (none given: whoever acts here);
    ``filters`` narrows the table at the start. What is saved in one tab is seen in the others at once. Served, the
    address holds tab, filter, page and the sale that is open, and the browser what is typed and not saved yet.
    """

    def __init__(
        self,
        workbench: Workbench | None = None,
        *,
        actor: Actor | str = "",
        filters: SaleWhere | None = None,
        **params: Any,
    ) -> None:
        super().__init__(**params)
        workbench = workbench or connect()
        self.sales = workbench.sales(read_position_of(workbench), actor)
        may_write = self.sales.may_write
        self._reading = 1  # addresses, or the first content: what they change is no step of the user's
        live = shared_live(workbench)

        def names() -> Names:
            return live.names.now

        self.table = SaleTable(
            self.sales,
            live,
            self.open_sale,
            self.repeat_sale,
            self.return_items,
            self.confirm_delete,
            filters or SaleWhere(),
            on_move=self._stepped,
            can_write=may_write,
        )
        self.add = AddSale(self.sales, self._saved, names)
        self.edit = EditSale(self.sales, self._saved, self._stepped, self.return_items, names)
        self.back = ReturnItems(self.sales, self._saved, self._stepped, names)
        self.delete = DeleteSale(self.sales, self._saved, on_open=self._stepped, names=names)
        self._forms: dict[int, EditSale | ReturnItems | DeleteSale] = {}
        if may_write:
            self._forms = {EDIT: self.edit, RETURN: self.back, DELETE: self.delete}
        self._tabs = self._tabs_of(may_write)
        # The table stays, hidden: a Tabulator that gets new rows while it is being drawn anew fails in the browser.
        self._rows = pn.Column(self.table, sizing_mode="stretch_width", margin=0)
        self._address = AddressBar(self._went_back)
        self._said = Message()
        self._begin()

    def _tabs_of(self, may_write: bool) -> pmui.Tabs:
        named = {_("Add Transaction"): self.add, _("Edit"): self.edit, _("Return"): self.back, _("Delete"): self.delete}
        return pmui.Tabs(
            (_("View"), self.table.filters),
            *((name, _form(form)) for name, form in named.items() if may_write),
            # The fields of the other tabs are not on the page at all: each label is there once. In a notebook they are,
            # for there a tab that is brought later breaks the page's side (Panel 1.9: "context_menu is unset").
            dynamic=not is_notebook(),
            sizing_mode="stretch_width",
            sx={"& .MuiTab-root": {"minWidth": 0, "px": "clamp(6px, 1.6vw, 14px)"}},  # all five fit a phone
        )

    def _begin(self) -> None:
        """Takes the state from the address, and follows what is opened from now on."""
        location = pn.state.location if is_served() else None  # in a notebook it would be the notebook's own
        self._first = self._taken((location.search if location is not None else "") or self._query)
        self._rows.visible = self._tabs.active == VIEW
        self._tabs.param.watch(self._opened, "active")
        self._reading -= 1
        self._today = self.sales.clock.today()
        if is_served():
            pn.state.add_periodic_callback(self._look_at_the_day, period=DAY_LOOK_MS)  # type: ignore[arg-type]
        if not done_at_once(self._load):
            when_shown(self._load)

    def open_sale(self, transaction_id: int) -> None:
        """Opens the sale under Edit, as when its row's button is pressed."""
        pn.state.execute(partial(self._open, EDIT, transaction_id))

    def repeat_sale(self, transaction_id: int) -> None:
        """Opens Add Transaction with what the sale has, as a new one that is not saved."""
        pn.state.execute(partial(self._open, ADD, transaction_id))

    def return_items(self, transaction_id: int) -> None:
        """Opens the sale under Return, to give back items of it."""
        pn.state.execute(partial(self._open, RETURN, transaction_id))

    def confirm_delete(self, transaction_id: int) -> None:
        """Opens the sale under Delete and asks whether it shall go."""
        pn.state.execute(partial(self._open, DELETE, transaction_id))

    async def _open(self, tab: int, transaction_id: int) -> None:
        """The tab and its sale, as one step; for a viewer neither is there, whatever the browser sends."""
        if not self._forms:
            return
        self._reading += 1
        try:
            self._tabs.active = tab
            await (self.add if tab == ADD else self._forms[tab]).load(transaction_id)
        finally:
            self._reading -= 1
        self._stepped()

    async def _load(self) -> None:
        await self._show(self._first)
        self._address.put(self._query, is_step=False)
        await self._load_products()

    async def _look_at_the_day(self) -> None:
        """After midnight a period that was chosen has other days, also on a page that nobody touches."""
        if (today := self.sales.clock.today()) == self._today:
            return
        self._today = today
        self._reading += 1
        try:
            await self.table.reload()
        finally:
            self._reading -= 1
        self._address.put(self._query, is_step=False)

    @property
    def _query(self) -> str:
        form = self._forms.get(self._tabs.active)
        sale_id = (form or self.table).sale_id if self._tabs.active != ADD else None
        return to_query(SalesView(TABS[self._tabs.active], sale_id, self.table.filters.value, self.table.place))

    def _stepped(self) -> None:
        if not self._reading:
            self._address.put(self._query, is_step=True)

    def _went_back(self, query: str) -> None:
        pn.state.execute(partial(self._show, self._taken(query)))

    def _taken(self, query: str) -> SalesView:
        """What an address asks for, with tab, filter and place of the table already taken from it."""
        view, problems = from_query(query)
        kept = {name: getattr(self.table.filters.value, name) for name in WITHOUT_FIELD}
        self._reading += 1
        try:
            self.table.put(replace(view.filters, **kept), view.place)
            may_open = view.tab == TABS[VIEW] or bool(self._forms)
            self._tabs.active = TABS.index(view.tab) if may_open else VIEW
        finally:
            self._reading -= 1
        self._said.clear()
        if not may_open:
            problems.append(_("{what} needs the role editor or admin: here are the sales to look at.", what=_(WRITING)))
        if problems:
            self._said.say("warning", " ".join(problems))
        return view if may_open else replace(view, tab=TABS[VIEW], sale_id=None)

    async def _show(self, view: SalesView) -> None:
        """Opens the sale that an address asks for, and reads the table's page."""
        form = self._forms.get(self._tabs.active)
        self._reading += 1
        try:
            if form is not None:
                await form.open(view.sale_id)
            await self.table.reload()
            await self.table.show_sale(view.sale_id if view.tab == TABS[VIEW] else None)
        finally:
            self._reading -= 1

    async def _load_products(self) -> None:
        await asyncio.gather(*(form.basket.load_products() for form in (self.add.form, self.edit.form)))

    def _saved(self, saved: Saved) -> None:
        is_new = saved.operation == "create"
        pn.state.execute(partial(self.table.reload, is_first=is_new))
        if saved.operation != "delete":
            pn.state.execute(self._load_products)

    def _opened(self, event: Any) -> None:
        if event.new == VIEW:
            pn.state.execute(self.table.reload)  # others write too
        else:
            self.table.close_sale()
        self._rows.visible = event.new == VIEW
        self._stepped()

    def __panel__(self) -> pn.Column:
        drafts = [self.add.unsaved, self.edit.unsaved, self.back.unsaved] if self._forms else []
        kept = [self._address, *drafts] if is_served() else []  # in the browser
        return pn.Column(self._said, self._tabs, self._rows, *kept, sizing_mode="stretch_width", margin=0)


def _form(form: pn.viewable.Viewer) -> pn.Column:
    return pn.Column(form, sizing_mode="stretch_width", max_width=FORM_WIDTH, margin=0)
