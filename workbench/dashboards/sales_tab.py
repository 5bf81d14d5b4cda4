"""The list of sales, and in its place the form of the one that was opened: each is made when it is first shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial

import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewable, Viewer

from workbench.components.inline import when_shown
from workbench.dashboards.feed import Feed
from workbench.dashboards.sale_list import SaleList
from workbench.dashboards.tile import card
from workbench.forms.edit_sale import EditSale


class SalesTab(Viewer):
    """``sale_id`` is the sale that is open, or None. ``on_change`` is called when a person opens or closes one.

    ``kept`` belongs outside of the tabs: it holds what asks before unsaved work is left, whichever tab is shown.
    """

    def __init__(self, feed: Feed, on_change: Callable[[], None]) -> None:
        super().__init__()
        self.sale_id: int | None = None
        self._feed, self._on_change = feed, on_change
        self._sales = feed.workbench.sales(feed.session)
        self._list, self._form = _place(), _place()
        self.kept = _place()

    @cached_property
    def list(self) -> SaleList:
        """The sales that the filters leave."""
        made = SaleList(self._feed, on_open=self._opened if self._sales.may_write else None)
        self._list.append(made)
        return made

    @cached_property
    def edit(self) -> EditSale:
        """The form of the sale that is open."""
        made = EditSale(self._sales, lambda _saved: self._feed.renew(), names=lambda: self._feed.live.names.now)
        back = pmui.Button(label="Back to the list", icon="arrow_back", variant="text", margin=0, on_click=self._closed)
        self._form.append(card(back, made))
        self.kept.append(made.unsaved)
        return made

    def open(self, sale_id: int | None) -> None:
        """Opens this sale's form, or the list for None; for a viewer there is no form."""
        sale_id = sale_id if self._sales.may_write else None
        is_other = sale_id != self.sale_id
        self.sale_id = sale_id
        self._form.visible, self._list.visible = sale_id is not None, sale_id is None
        if is_other and sale_id is not None:
            when_shown(partial(self.edit.load, sale_id))

    def _opened(self, sale_id: int) -> None:
        self.open(sale_id)
        self._on_change()

    def _closed(self, _event: object) -> None:
        self.open(None)
        self._on_change()

    def __panel__(self) -> Viewable:
        return pn.Column(self._list, self._form, sizing_mode="stretch_width")


def _place() -> pn.Column:
    return pn.Column(sizing_mode="stretch_width", margin=0)
