"""SalesDashboard: the tiles that follow one set of filters, and one another."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewable, Viewer

from workbench import look
from workbench.connection import Workbench
from workbench.dashboards import bars, insight_tables, kpis, products
from workbench.dashboards.address_bar import AddressBar
from workbench.dashboards.feed import LOOK_MS, Feed
from workbench.dashboards.filter_bar import FilterBar
from workbench.dashboards.heatmap import BusyHours
from workbench.dashboards.over_time import RevenueOverTime
from workbench.dashboards.recent_sales import RecentSales
from workbench.dashboards.sales_tab import SalesTab
from workbench.dashboards.tile import Tile, card, html
from workbench.filters import Filters, from_query, to_query

TABS = {"overview": "Overview", "products": "Products", "customers": "Customers and discounts", "sales": "Sales"}
KPIS = (kpis.TotalTransactions, kpis.TotalRevenue, kpis.ItemsSold, kpis.AvgTransaction)
BARS = (bars.RevenueByStore, bars.RevenueByCategory, bars.RevenueByPaymentMethod, bars.RevenueByCashier)


class SalesDashboard(Viewer):
    """Page "Analytics", usable alone in a notebook: ``SalesDashboard(workbench)``.

    The address holds its whole state. What an address asks that cannot be is left out, and said.
    """

    def __init__(self, workbench: Workbench, filters: Filters | None = None) -> None:
        super().__init__()
        self.feed = Feed(workbench, filters)
        self._is_stepping = False
        self._address = AddressBar(self._go_back)
        self._said = pmui.Alert(severity="warning", visible=False, margin=0, sizing_mode="stretch_width")
        self.sales = SalesTab(self.feed, self._write_address)
        self._live = pmui.Switch(label="Live", value=True, margin=0)
        if pn.state.location is not None and pn.state.location.search:
            self._read_address(pn.state.location.search)
        self.bar = FilterBar(self.feed)
        self.tiles = self._made()
        self._tabs = self._made_tabs()
        self._show_tab()
        self._connect()
        self._write_address(is_step=False)

    def _made(self) -> dict[str, list[Tile]]:
        """The tiles of each tab."""
        kinds: dict[str, tuple[Any, ...]] = {
            "overview": (*KPIS, RevenueOverTime, products.TopProductsByRevenue, products.TopProductsByQuantity, *BARS,
                         BusyHours, RecentSales),
            "products": (insight_tables.ProductTable, insight_tables.Baskets),
            "customers": (insight_tables.Customers, insight_tables.DiscountsByCategory, insight_tables.DiscountsByStore),
        }  # fmt: skip
        found = {name: [kind(self.feed) for kind in of_tab] for name, of_tab in kinds.items()}
        return {**found, "sales": [self.sales.list]}
