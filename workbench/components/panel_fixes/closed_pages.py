"""A page that is closed goes from memory, and is no error.

Panel 1.9.4 and panel-material-ui 0.16.6 hold on to it in two places; `make soak` fails without either mend. Bokeh 3.9.2
and Tornado 6.5 log an error with its traceback when a browser leaves between two messages.

Delete `forget_views` when `make soak` passes without it (holoviz/panel issue 8605), `without_busy` when
panel-material-ui's Page unwatches `state.param.busy`, and the rest when tests/unit/components/test_closed_pages.py
fails.
"""

from __future__ import annotations

import asyncio
from typing import Any

from bokeh.server.views.ws import WSHandler
from panel.io.state import state
from panel_material_ui.template.base import Page
from tornado.websocket import WebSocketClosedError


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


def leave_quietly() -> None:
    """Makes it no error that a browser leaves. Called once a process, in its event loop."""
    _drop_late_messages()
    _drop_lost_writes(asyncio.get_running_loop())


def _is_over(handler: WSHandler) -> bool:
    """Whether its connection has been taken from its session already."""
    connection: Any = handler.connection
    return connection is not None and connection._session is None


def _drop_late_messages() -> None:
    """What a browser sent last, and that it left, may be read when its connection belongs to no session any more."""
    handle, close = WSHandler._handle, WSHandler.on_close

    async def handle_open(self: WSHandler, message: Any) -> Any:
        return None if _is_over(self) else await handle(self, message)

    def close_open(self: WSHandler) -> None:
        if not _is_over(self):
            close(self)

    WSHandler._handle = handle_open  # type: ignore[method-assign]
    WSHandler.on_close = close_open  # type: ignore[method-assign]


def _drop_lost_writes(loop: asyncio.AbstractEventLoop) -> None:
    """Of several messages of one write Panel looks at those alone that came before the connection was closed."""
    tell = loop.get_exception_handler() or type(loop).default_exception_handler

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), WebSocketClosedError):
            tell(loop, context)

    loop.set_exception_handler(handle)
