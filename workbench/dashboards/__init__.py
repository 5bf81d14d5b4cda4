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
    ),
    "customer_tables": (
        "Customers",
        "DiscountsByCategory",
        "DiscountsByStore",
    ),
    "heatmap": ("BusyHours",),
    "kpis": (
        "AvgTransaction",
        "ItemsSold",
        "TotalRevenue",
        "TotalTransactions",
    ),
    "over_time": ("RevenueOverTime",),
    "pipeline": ("PipelinePage",),
    "product_tables": (
        "Baskets",
        "ProductTable",
    ),
    "top_products": (
        "TopProductsByQuantity",
        "TopProductsByRevenue",
    ),
    "recent_sales": ("RecentSales",),
    "sale_list": ("SaleList",),
    "sales_dashboard": ("SalesDashboard",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workbench.dashboards' has no attribute {name!r}")
    return getattr(importlib.import_module(f"workbench.dashboards.{_HOMES[name]}"), name)
