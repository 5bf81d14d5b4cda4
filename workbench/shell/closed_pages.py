"""A page that is closed goes from memory. Panel 1.9.4 and panel-material-ui 0.16.6 hold on to it in two places; charts
have a third one (``workbench.dashboards.chart.forget``). `make soak` fails without any one of the three.
"""

from __future__ import annotations

from typing import Any

from panel.io.state import state
from panel_material_ui.template.base import Page


def without_busy(page: Page) -> Page:
    """Takes the page's watcher off Panel's global state."""
    for watcher in list(state.param.watchers.get("busy", {}).get("value", [])):
        if getattr(getattr(watcher.fn, "__self__", None), "self", None) is page:
            state.param.unwatch(watcher)
    return page


def forget_views(session_context: Any) -> None:
    """Takes what was drawn in a session off Panel's global state: the area of its messages stays there otherwise."""
    closed = session_context._document
    for ref, (_, _, document, _) in list(state._views.items()):
        if document is closed:
            del state._views[ref]
