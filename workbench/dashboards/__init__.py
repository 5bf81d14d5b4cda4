"""The dashboards: Panel components that read, usable alone in a notebook.

Each name is looked up when it is first used: what a page does not show cannot break it.
"""

from __future__ import annotations

import importlib
from typing import Any

_MODULES: dict[str, tuple[str, ...]] = {
    "bars": (
        "RevenueByCashier",
        "RevenueByCategory",
        "RevenueByPaymentMethod",
        "RevenueByStore",
        "TopProductsByQuantity",
        "TopProductsByRevenue",
    ),
    "explore": ("Explore",),
    "heatmap": ("BusyHours",),
    "kpis": (
        "AvgTransaction",
        "ItemsSold",
        "TotalRevenue",
        "TotalTransactions",
    ),
    "over_time": ("RevenueOverTime",),
    "pipeline": ("PipelinePage",),
    "sale_list": ("SaleList",),
    "sales_dashboard": ("SalesDashboard",),
    "tables": (
        "Baskets",
        "Customers",
        "DiscountsByCategory",
        "DiscountsByStore",
        "ProductTable",
        "RecentSales",
    ),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workbench.dashboards' has no attribute {name!r}")
    return getattr(importlib.import_module(f"workbench.dashboards.{_HOMES[name]}"), name)
