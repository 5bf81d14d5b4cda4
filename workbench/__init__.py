"""Sales workbench. In a notebook: ``from workbench import connect, SalesManager, SalesDashboard, TotalRevenue``.

Importing the package imports nothing that costs: each name below is looked up when it is first used (PEP 562), so the
command and the served app pay for nothing, and a notebook is made ready to draw before anything that draws is imported.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from workbench import dashboards

_COMPONENTS = {"SalesManager": "workbench.forms", **dict.fromkeys(dashboards.__all__, "workbench.dashboards")}
_OTHERS = {
    "connect": "workbench.notebook",
    "sql": "workbench.notebook",
    "MetricError": "workbench.errors",
    "Filters": "workbench.filters",
    "Where": "workbench.metrics",
    "WorkbenchError": "workbench.errors",
}
_MODULES = {
    "figures": "workbench.figures",
    "inline": "workbench.components.inline",
    "insights": "workbench.metrics.insights",
}
_MOVED = {
    "cluster": "servers.cluster",
    "insights": "metrics.insights",
    "look": "components.theme",
    "metrics.filters": "metrics.where",
    "models": "sales.models",
    "positions": "database.positions",
    "replication": "database.replication",
}

__all__ = [*_COMPONENTS, *_OTHERS, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _COMPONENTS:
        importlib.import_module("workbench.components.inline").prepare()
        return getattr(importlib.import_module(_COMPONENTS[name]), name)
    if name in _OTHERS:
        return getattr(importlib.import_module(_OTHERS[name]), name)
    if name in _MODULES:
        return importlib.import_module(_MODULES[name])
    raise AttributeError(f"module 'workbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__


class _Moved:
    """Refuses to import a module from where notebooks had it before version 0.2, and says where it is."""

    @staticmethod
    def find_spec(name: str, *_: Any) -> None:
        module = name.removeprefix("workbench.")
        if name != module and module in _MOVED:
            raise ModuleNotFoundError(f"{name} has moved: import workbench.{_MOVED[module]}", name=name)


sys.meta_path.insert(0, _Moved)  # first: an update may have left an empty folder of the old name
