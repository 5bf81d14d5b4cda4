"""Reports: notebooks that are found, run as the reader, and exported; and what their authors write them with.

Authors write ``from workbench.reports import Day, Month, ReportData, table``. Each name is looked up when it
is first used, so that finding reports and reading their parameters costs nothing that draws.
"""

from __future__ import annotations

import importlib
from typing import Any

_PLACES = {
    "data": (
        "ReportData",
        "answered",
        "comparability",
        "compare",
        "compare_by",
        "days_of_months",
        "earlier_month",
        "month_days",
        "within",
    ),
    "freeze": ("FrozenView",),
    "html": ("Chart", "Picture", "Table", "bars", "chart", "lines", "table"),
    "library": ("Between", "Day", "Month"),
    "reconciliations": ("reconcile",),
}
_MODULES = {name: module for module, names in _PLACES.items() for name in names}

__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
