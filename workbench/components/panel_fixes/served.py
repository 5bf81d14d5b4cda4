"""What Panel 1.9 and Bokeh 3.9 lack in the served app: each function mends one thing, and says when to delete it."""

from __future__ import annotations

import asyncio
import hashlib
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import param
from bokeh.core.has_props import is_DataModel
from bokeh.document import Document, document
from bokeh.models import ImportedStyleSheet, InlineStyleSheet
from bokeh.server.views.ws import WSHandler
from panel import reactive
from panel.custom import ReactiveESM
from panel.io import document as panel_document
from panel.io import resources
from panel.io.state import state
from panel.models.esm import ReactiveESM as ESMModel
from panel.reactive import Reactive
from panel_material_ui.base import MaterialComponent
from panel_material_ui.template.base import Page
from tornado.websocket import WebSocketClosedError

from workbench.components.inline import is_served

# Panel sends with each component what is the same for all of a page, and Bokeh with each page what other pages are
# made of: that was most of what a page is opened with.
#
# Nobody seems to have reported these. Delete each when its test in tests/unit/components/test_panel_fixes.py fails.

MATERIAL = "@mui/material/"
SHORT = 100  # characters of a style sheet that costs no more than a reference to a shared one
_defined: WeakKeyDictionary[Document, set[type]] = WeakKeyDictionary()  # the classes that a page was told of
_unused: ContextVar[frozenset[type]] = ContextVar("unused", default=frozenset())  # classes that a page leaves out
_sheets: WeakKeyDictionary[Document, dict[str, InlineStyleSheet]] = WeakKeyDictionary()


def send_once() -> None:
    """Mends all of it. Called once a process."""
    for mend in (send_at_once, share_style_sheets, define_what_is_used, name_scripts_by_content, leave_out_import_maps):
        mend()


def send_at_once() -> None:
    """Has what a page is told leave at once.

    Bokeh 3.9 writes a message in three parts; the second waits 40 ms until the browser has confirmed the first.
    """
    opened = WSHandler.open

    def open_without_delay(self: WSHandler, *given: Any) -> Any:
        self.set_nodelay(True)
        return opened(self, *given)

    WSHandler.open = open_without_delay  # type: ignore[method-assign]


def share_style_sheets() -> None:
    """Has components refer to one model of a style sheet, where Panel 1.9 sends its text with each of a page."""
    found = Reactive._get_properties

    def shared(self: Reactive, doc: Document | None) -> dict[str, Any]:
        properties = found(self, doc)
        if doc is not None and doc.session_context is not None and "stylesheets" in properties:
            sheets = _sheets.setdefault(doc, {})
            properties["stylesheets"] = [_shared(sheets, sheet) for sheet in properties["stylesheets"]]
        return properties

    Reactive._get_properties = shared  # type: ignore[method-assign]


class Own(str):
    """A style sheet of one component of a page: to share it would cost a model."""


def _shared(sheets: dict[str, InlineStyleSheet], sheet: Any) -> Any:
    if isinstance(sheet, Own):
        return str(sheet)
    if not isinstance(sheet, str) or len(sheet) < SHORT:
        return sheet
    if sheet not in sheets:
        sheets[sheet] = InlineStyleSheet(css=sheet)
    return sheets[sheet]


def define_what_is_used() -> None:
    """Has a page of `defined_late` define the classes of its components, where Bokeh 3.9 defines all of the process.

    What comes to a page later brings its definition along in the message that it is first in, as Panel's components
    can.
    """
    to_json, to_serializable = Document.to_json, ESMModel.to_serializable

    def with_its_own(self: Document, **options: Any) -> Any:
        if self not in _defined:
            return to_json(self, **options)
        _defined[self] = {type(model.data) for model in self.models if isinstance(model, ESMModel)}
        every = {vars(cls)["_data_model"] for cls in param.descendents(ReactiveESM) if "_data_model" in vars(cls)}
        token = _unused.set(frozenset(every - _defined[self]))
        try:
            return to_json(self, **options)
        finally:
            _unused.reset(token)

    def with_definition(self: Any, serializer: Any) -> Any:
        page = self.document or state.curdoc  # one that was just made belongs to none while models are frozen
        if page is not None and (defined := _defined.get(page)) is not None:
            kind = type(self.data)
            self._property_values["_defs"] = [] if kind in defined else [kind]  # is no change that would be sent
            defined.add(kind)
        return to_serializable(self, serializer)

    document.is_DataModel = lambda cls: is_DataModel(cls) and cls not in _unused.get()  # type: ignore[attr-defined]
    Document.to_json = with_its_own  # type: ignore[method-assign]
    ESMModel.to_serializable = with_definition  # type: ignore[method-assign]


def defined_late(page: Document) -> None:
    """Lets a page do so; it must have the script not_sent_back.js, without which it could not name what came late."""
    _defined[page] = set()


def name_scripts_by_content() -> None:
    """Has a browser keep the script of a component for as long as it stays the same: its address says which one it is.

    Panel 1.9 serves it by its name alone, and a browser guesses how long it is fresh.
    """
    found = ReactiveESM._render_esm.__func__  # type: ignore[attr-defined]

    def named(cls: type[ReactiveESM], compiled: Any = True, server: bool = False) -> str:
        esm = str(found(cls, compiled=compiled, server=server))
        return f"{esm}?v={_digest(cls._bundle_path)}" if f"/{resources.COMPONENT_PATH}" in esm[:99] else esm

    ReactiveESM._render_esm = classmethod(named)  # type: ignore[assignment]


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def leave_out_import_maps() -> None:
    """Has panel-material-ui 0.16 name one of its imports on a served page: that any is Material's is all that is read.

    The others say where modules are found that its bundle, which is served, has in itself.
    """
    found = MaterialComponent._process_importmap.__func__  # type: ignore[attr-defined]

    def first(cls: type[MaterialComponent]) -> dict[str, Any]:
        return {"imports": {MATERIAL: cls._importmap["imports"][MATERIAL]}} if is_served() else dict(found(cls))

    MaterialComponent._process_importmap = classmethod(first)  # type: ignore[assignment]


# A page that is closed goes from memory, and is no error.
#
# Panel 1.9.4 and panel-material-ui 0.16.6 hold on to it in two places; `make soak` fails without either mend. Bokeh
# 3.9.2 and Tornado 6.5 log an error with its traceback when a browser leaves between two messages.
#
# Delete `forget_views` when `make soak` passes without it (holoviz/panel issue 8605), `without_busy` when
# panel-material-ui's Page unwatches `state.param.busy`, and the rest when tests/unit/components/test_panel_fixes.py
# fails.


def without_busy(page: Page) -> Page:
    """Takes the page's watcher off Panel's global state."""
    for watcher in list(state.param.watchers.get("busy", {}).get("value", [])):
        if getattr(getattr(watcher.fn, "__self__", None), "self", None) is page:
            state.param.unwatch(watcher)
    return page


def forget_views(session_context: Any) -> None:
    """Takes what was drawn in a session off Panel's global state: the area of its messages stays there otherwise."""
    closed = session_context._document
    for ref, (_, _, shown_in, _) in list(state._views.items()):
        if shown_in is closed:
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


# Panel 1.9 takes a style sheet of this server's for one of its network's wherever it does not know the page of a
# component, as of one that is restyled when it has just left it. Sheets are shared by all that is on the page, which
# then asks another machine for them and loses its look. Delete when tests/unit/components/test_panel_fixes.py fails;
# nobody seems to have reported it.


def keep_styles_local() -> None:
    """Leaves a sheet of this server's where it is, on a page that is served. Called once a process."""
    patch = resources.patch_stylesheet

    def patch_unless_local(stylesheet: ImportedStyleSheet, dist_url: str) -> None:
        if dist_url != resources.CDN_DIST or not is_served():
            patch(stylesheet, dist_url)

    for module in (reactive, resources):
        vars(module)["patch_stylesheet"] = patch_unless_local


# Panel 1.9 now and then leaves what it has queued for a browser until the next change: a button stays busy, a message
# does not come. Its writer clears the mark "there is more to write" after waiting for the socket, also when more was
# queued in that time; the run that was started for it then finds no mark and does nothing. Delete when
# tests/unit/components/test_panel_fixes.py fails; nobody seems to have reported it.


def deliver_all_writes() -> None:
    """Sets the mark again whenever something is queued. Called once a process."""
    dispatch = panel_document._dispatch_msgs

    async def dispatch_all(doc: Document) -> None:
        if doc in panel_document._WRITE_MSGS:
            panel_document._WRITE_BLOCK[doc] = True
        await dispatch(doc)

    panel_document._dispatch_msgs = dispatch_all
