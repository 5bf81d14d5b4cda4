"""Which tile of the page Analytics asks which of RisingWave's views, with no filter set."""

from __future__ import annotations

from contextlib import suppress

import pytest

from workbench import dashboards
from workbench.connection import Workbench
from workbench.dashboards.feed import Feed
from workbench.dashboards.tile import Tile
from workbench.errors import WorkbenchError
from workbench.live import Live
from workbench.metrics import views

_KEY_FIGURES = {"sales_by_store", "lines_by_category"}
ASKED = {
    "TotalTransactions": _KEY_FIGURES,
    "TotalRevenue": _KEY_FIGURES,
    "ItemsSold": _KEY_FIGURES,
    "AvgTransaction": _KEY_FIGURES,
    "RevenueOverTime": {"sales_by_store"},
    "RevenueByStore": {"sales_by_store"},
    "RevenueByPaymentMethod": {"sales_by_store"},
    "RevenueByCategory": {"lines_by_category"},
    "BusyHours": {"sales_by_hour"},
    "TopProductsByRevenue": {"lines_by_product"},
    "TopProductsByQuantity": {"lines_by_product"},
    "ProductTable": {"lines_by_product"},
    "DiscountsByStore": {"sales_by_store", "lines_by_category"},
    "DiscountsByCategory": {"lines_by_category"},
}


def asked_views(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """The views that each tile's figures were read from, by the tile's kind; tiles that asked none are left out."""
    asked: set[str] = set()
    sums = views.sums

    def noted(connection, of, grouping):  # type: ignore[no-untyped-def]
        asked.update(view.name for view in of)
        return sums(connection, of, grouping)

    monkeypatch.setattr(views, "sums", noted)
    found: dict[str, set[str]] = {}
    for kind in (getattr(dashboards, name) for name in dashboards.__all__):
        if not issubclass(kind, Tile) or kind is dashboards.SaleList:  # which lists sales, and has no figures
            continue
        asked.clear()
        feed = Feed(workbench, live=Live(workbench))  # of its own, or equal questions would be asked once
        with suppress(WorkbenchError):  # such as too few sales for baskets
            kind(feed).fetch(feed.moment())
        if asked:
            found[kind.__name__] = set(asked)
    return found
