"""Panel sends with each component what is the same for all of a page, and Bokeh with each page what other pages are
made of: that was most of what a page is opened with.

Nobody seems to have reported these. Delete each when its test in tests/unit/components/test_sent_once.py fails.
"""

from __future__ import annotations

import hashlib
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import param
from bokeh.core.has_props import is_DataModel
from bokeh.document import Document, document
from bokeh.models import InlineStyleSheet
from bokeh.server.views.ws import WSHandler
from panel.custom import ReactiveESM
from panel.io import resources
from panel.io.state import state
from panel.models.esm import ReactiveESM as ESMModel
from panel.reactive import Reactive
from panel_material_ui.base import MaterialComponent

from workbench.components.inline import is_served

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
