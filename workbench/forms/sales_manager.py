"""SalesManager: view, add, edit and delete sales, in one component that is usable alone."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import panel as pn
import panel_material_ui as pmui

from workbench.connection import Workbench
from workbench.forms.add_sale import AddSale
from workbench.forms.delete_sale import DeleteSale
from workbench.forms.edit_sale import EditSale
from workbench.forms.sale_table import SaleTable
from workbench.inline import done_at_once, is_notebook, session_of, when_shown
from workbench.notebook import connect
from workbench.sale_pages import SaleFilter
from workbench.sales import Saved

VIEW, ADD, EDIT, DELETE = range(4)


class SalesManager(pn.viewable.Viewer):
    """Tabs View, Add Transaction, Edit and Delete for one user, in a notebook or served.

    ``workbench`` is opened when none is given; ``actor`` is whom the audit log names; ``filters`` narrows the table
    at the start. What is saved in one tab is seen in the others at once.
    """

    def __init__(
        self, workbench: Workbench | None = None, *, actor: str = "", filters: SaleFilter | None = None, **params: Any
    ) -> None:
        super().__init__(**params)
        workbench = workbench or connect()
        self.sales = workbench.sales(session_of(workbench), actor)
        self.table = SaleTable(self.sales, self.open_sale, self.confirm_delete, filters or SaleFilter())
        self.add = AddSale(self.sales, self._saved)
        self.edit = EditSale(self.sales, self._saved)
        self.delete = DeleteSale(self.sales, self._saved)
        self._tabs = pmui.Tabs(
            ("View", self.table.filters),
            ("Add Transaction", self.add),
            ("Edit", self.edit),
            ("Delete", self.delete),
            # The fields of the other tabs are not on the page at all: each label is there once. In a notebook they are,
            # for there a tab that is brought later breaks the page's side (Panel 1.9: "context_menu is unset").
            dynamic=not is_notebook(),
            sizing_mode="stretch_width",
            sx={"& .MuiTab-root": {"minWidth": 0, "px": "14px"}},  # all four fit a phone
        )
        # The table stays, hidden: a Tabulator that gets new rows while it is being drawn anew fails in the browser.
        self._rows = pn.Column(self.table, sizing_mode="stretch_width", margin=0)
        self._tabs.param.watch(self._opened, "active")
        if not done_at_once(self._load):
            when_shown(self._load)

    def open_sale(self, transaction_id: int) -> None:
        """Opens the sale under Edit, as when its row's button is pressed."""
        self._tabs.active = EDIT
        pn.state.execute(partial(self.edit.load, transaction_id))

    def confirm_delete(self, transaction_id: int) -> None:
        """Opens the sale under Delete and asks whether it shall go."""
        self._tabs.active = DELETE
        pn.state.execute(partial(self.delete.load, transaction_id))

    async def _load(self) -> None:
        await self.table.go("first")
        await self._load_products()

    async def _load_products(self) -> None:
        await asyncio.gather(*(form.basket.entry.load_products() for form in (self.add.form, self.edit.form)))

    def _saved(self, saved: Saved) -> None:
        is_new = saved.operation == "create"
        pn.state.execute(partial(self.table.reload, is_first=is_new))
        if saved.operation != "delete":
            pn.state.execute(self._load_products)

    def _opened(self, event: Any) -> None:
        if event.new == VIEW:
            pn.state.execute(self.table.reload)  # others write too
        self._rows.visible = event.new == VIEW

    def __panel__(self) -> pn.Column:
        return pn.Column(self._tabs, self._rows, sizing_mode="stretch_width", margin=0)
