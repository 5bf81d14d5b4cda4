"""Sales workbench. In a notebook: ``from workbench import connect, SalesManager, SalesDashboard, TotalRevenue``.

Importing the package imports nothing else: each name below is looked up when it is first used (PEP 562), so the command
and the served app pay for nothing, and a notebook is made ready to draw before anything that draws is imported.
"""

from __future__ import annotations

import importlib
from typing import Any

_DASHBOARDS = "workbench.dashboards"
_COMPONENTS = {
    "SalesManager": "workbench.forms",
    **dict.fromkeys(
        (
            "SalesDashboard",
            "PipelinePage",
            "TotalTransactions",
            "TotalRevenue",
            "ItemsSold",
            "AvgTransaction",
            "RevenueOverTime",
            "TopProductsByRevenue",
            "TopProductsByQuantity",
            "RevenueByStore",
            "RevenueByCategory",
            "RevenueByPaymentMethod",
            "RevenueByCashier",
            "BusyHours",
            "RecentSales",
            "ProductTable",
            "Baskets",
            "Customers",
            "DiscountsByCategory",
            "DiscountsByStore",
            "SaleList",
        ),
        _DASHBOARDS,
    ),
}
_OTHERS = {
    "connect": "workbench.notebook",
    "sql": "workbench.notebook",
    "figures": "workbench.figures",
    "MetricError": "workbench.errors",
    "Filters": "workbench.filters",
    "Where": "workbench.metrics",
    "WorkbenchError": "workbench.errors",
}

__all__ = [*_COMPONENTS, *_OTHERS]


def __getattr__(name: str) -> Any:
    if name in _COMPONENTS:
        importlib.import_module("workbench.inline").prepare()
        return getattr(importlib.import_module(_COMPONENTS[name]), name)
    if name in _OTHERS:
        module = importlib.import_module(_OTHERS[name])
        return module if _OTHERS[name] == f"workbench.{name}" else getattr(module, name)
    raise AttributeError(f"module 'workbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
