"""The list of sales, and in its place the form of the one that was opened."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import panel_material_ui as pmui
from panel.viewable import Viewable, Viewer

from workbench.dashboards.feed import Feed
from workbench.dashboards.sale_list import SaleList
from workbench.dashboards.tile import card
from workbench.forms.edit_sale import EditSale
from workbench.inline import when_shown


class SalesTab(Viewer):
    """``sale_id`` is the sale that is open, or None. ``on_change`` is called when a person opens or closes one."""

    def __init__(self, feed: Feed, on_change: Callable[[], None]) -> None:
        super().__init__()
        self.sale_id: int | None = None
        self._on_change = on_change
        self.list = SaleList(feed, on_open=self._opened)
        self.list_card = pmui.Column(self.list, margin=0, sizing_mode="stretch_width")
        self.edit = EditSale(feed.workbench.sales(feed.session), lambda _saved: feed.renew())
        back = pmui.Button(label="Back to the list", icon="arrow_back", variant="text", margin=0, on_click=self._closed)
        self._form = card(back, self.edit)
        self._form.visible = False

    def open(self, sale_id: int | None) -> None:
        """Opens this sale's form, or the list for None."""
        is_other = sale_id != self.sale_id
        self.sale_id = sale_id
        self._form.visible, self.list_card.visible = sale_id is not None, sale_id is None
        if is_other and sale_id is not None:
            when_shown(partial(self.edit.load, sale_id))

    def _opened(self, sale_id: int) -> None:
        self.open(sale_id)
        self._on_change()

    def _closed(self, _event: object) -> None:
        self.open(None)
        self._on_change()

    def __panel__(self) -> Viewable:
        return pmui.Column(self.list_card, self._form, sizing_mode="stretch_width")
