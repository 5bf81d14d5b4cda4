"""What mends Panel in the served app: each test fails once its mend is needed no longer."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import panel as pn
import panel_material_ui as pmui
import pytest
from bokeh.core.serialization import Serializer
from bokeh.document import Document, document
from bokeh.models import Column, ImportedStyleSheet
from bokeh.protocol import Protocol
from bokeh.server.connection import ServerConnection
from bokeh.server.protocol_handler import ProtocolHandler
from bokeh.server.session import ServerSession
from bokeh.server.views.ws import WSHandler
from panel import reactive
from panel.custom import ReactiveESM
from panel.io import document as panel_document
from panel.io import resources
from panel.models.esm import ReactiveESM as ESMModel
from panel.reactive import Reactive
from panel_material_ui.base import MaterialComponent
from tornado.websocket import WebSocketClosedError

from workbench.components.browser.page import Visibility
from workbench.components.panel_fixes import served
from workbench.components.panel_fixes.served import deliver_all_writes, keep_styles_local, leave_quietly


def over() -> Any:
    """Bokeh's side of a browser's connection that belongs to no session any more."""
    session: Any = ServerSession("id", Document())
    connection = ServerConnection(Protocol(), None, None, session)  # type: ignore[arg-type]
    connection.detach_session()
    return SimpleNamespace(handler=ProtocolHandler(), connection=connection, close_code=None, close_reason=None)


async def read_late() -> None:
    """A message of a connection that has been closed, as Bokeh's own handler takes it."""
    await WSHandler._handle(over(), Protocol().create("PULL-DOC-REQ"))


async def close_late() -> None:
    """Its end, which Tornado tells after Bokeh has found out; the error is one of Tornado's loop of messages."""
    try:
        WSHandler.on_close(over())
    except AssertionError:
        logging.error("Uncaught exception")


async def write_late() -> None:
    """A write that nobody waits for."""

    async def write() -> None:
        raise WebSocketClosedError

    task = asyncio.ensure_future(write())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    gc.collect()


def unmended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives Bokeh its own methods back at the end of the test."""
    for name in ("_handle", "on_close"):
        monkeypatch.setattr(WSHandler, name, getattr(WSHandler, name))


@pytest.mark.parametrize("happens", [read_late, close_late, write_late])
@pytest.mark.parametrize("is_mended", [False, True])
def test_a_browser_that_leaves(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, happens: Callable[[], Any], *, is_mended: bool
) -> None:
    unmended(monkeypatch)

    async def run() -> None:
        if is_mended:
            leave_quietly()
        await happens()

    asyncio.run(run())
    errors = [record.message.splitlines()[0] for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == (0 if is_mended else 1), errors


def test_any_other_error_that_nobody_waits_for_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    unmended(monkeypatch)

    async def run() -> None:
        leave_quietly()
        asyncio.get_running_loop().call_exception_handler({"message": "other", "exception": ValueError()})

    asyncio.run(run())
    assert "other" in caplog.text


URL = f"{resources.LOCAL_DIST}css/loading.css"


@pytest.mark.parametrize("is_repaired", [False, True])
def test_a_sheet_of_a_component_whose_page_is_not_known(monkeypatch: pytest.MonkeyPatch, is_repaired: bool) -> None:
    monkeypatch.setattr(resources, "patch_stylesheet", resources.patch_stylesheet)
    monkeypatch.setattr(reactive, "patch_stylesheet", resources.patch_stylesheet)
    monkeypatch.setattr(served, "is_served", lambda: True)
    if is_repaired:
        keep_styles_local()
    sheet = ImportedStyleSheet(url=URL)
    vars(reactive)["patch_stylesheet"](sheet, resources.CDN_DIST)
    assert (sheet.url == URL) is is_repaired  # False: Panel has repaired it, drop ours


class Connection:
    """Takes messages as a connection to a browser does; ``_socket`` is what Panel looks at first."""

    def __init__(self) -> None:
        self._socket = object()
        self.texts: list[str] = []

    async def send(self, text: str) -> None:
        self.texts.append(text)


@pytest.mark.parametrize("is_repaired", [False, True])
def test_a_queued_message_without_its_mark(monkeypatch: pytest.MonkeyPatch, is_repaired: bool) -> None:
    monkeypatch.setattr(panel_document, "_dispatch_msgs", panel_document._dispatch_msgs)
    monkeypatch.setattr(panel_document, "_WRITE_MSGS", {})
    monkeypatch.setattr(panel_document, "_WRITE_BLOCK", {})
    monkeypatch.setattr(panel_document, "dispatch_django", lambda connection, msg: [connection.send(msg)])
    if is_repaired:
        deliver_all_writes()
    doc, connection = Document(), Connection()
    panel_document._WRITE_MSGS[doc] = {connection: ["message"]}
    asyncio.run(panel_document._dispatch_msgs(doc))
    assert connection.texts == (["message"] if is_repaired else [])  # False: Panel has repaired it, drop ours


SHEET = "p { color: red; }" * 20
both = pytest.mark.parametrize("is_mended", [False, True])


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Document]:
    """The document of a served page; what a test mends is as it was after it."""
    for owner, names in {
        Reactive: ["_get_properties"],
        ReactiveESM: ["_render_esm"],
        ESMModel: ["to_serializable"],
        MaterialComponent: ["_process_importmap"],
        Document: ["to_json"],
        document: ["is_DataModel"],
    }.items():
        for name in names:
            kept = vars(owner)[name] if name in vars(owner) else getattr(owner, name)
            monkeypatch.setattr(owner, name, kept)
    made = Document()
    context = SimpleNamespace(server_context=True)
    made._session_context = lambda: context  # type: ignore[assignment]
    monkeypatch.setattr(served, "is_served", lambda: True)
    yield made


def sent(page: Document, *components: Any) -> str:
    """What is sent of a page that has these components."""
    page.add_root(Column(children=[component.get_root(page) for component in components]))
    return json.dumps(page.to_json(deferred=False))


@both
def test_a_message_does_not_wait_for_its_first_part_by_a_stand_in(
    page: Document, monkeypatch: pytest.MonkeyPatch, is_mended: bool
) -> None:
    """What it is for was measured: a suggestion of the till took 47 ms at the median, and takes 12."""
    told: list[Any] = []
    monkeypatch.setattr(WSHandler, "open", lambda _handler: told.append("opened"))
    if is_mended:
        served.send_at_once()
    handler: Any = SimpleNamespace(set_nodelay=told.append)
    WSHandler.open(handler)
    assert told == ([True, "opened"] if is_mended else ["opened"])


@both
def test_a_style_sheet(page: Document, is_mended: bool) -> None:
    if is_mended:
        served.share_style_sheets()
    panes = [pn.pane.HTML("a", stylesheets=[SHEET]) for _ in range(3)]
    assert sent(page, *panes).count(SHEET) == (1 if is_mended else 3)


@both
def test_definitions_of_classes(page: Document, monkeypatch: pytest.MonkeyPatch, is_mended: bool) -> None:
    if is_mended:
        served.define_what_is_used()
        served.defined_late(page)
    pmui.TextInput().get_root()  # known to the process
    button, field = (f'"type": "model", "name": "{name}1"' for name in ("Button", "TextInput"))
    text = sent(page, pmui.Button())
    assert (text.count(button), text.count(field)) == ((1, 0) if is_mended else (1, 1))
    _never_sent, *later = [pmui.TextInput().get_root(page) for _ in range(3)]
    monkeypatch.setattr(type(served.state), "curdoc", page)
    patch = json.dumps([Serializer(deferred=False).encode(model) for model in later])
    assert patch.count(field) == (1 if is_mended else 0)
    page.add_root(Column(children=later))
    assert json.dumps(page.to_json(deferred=False)).count(field) == 1  # one that connects again knows nothing yet


def test_a_page_without_our_frame_is_told_of_all(page: Document) -> None:
    served.define_what_is_used()
    pmui.TextInput().get_root()
    assert '"name": "TextInput1"' in sent(page, pmui.Button())


@both
def test_a_script_is_named_by_its_content(page: Document, is_mended: bool) -> None:
    if is_mended:
        served.name_scripts_by_content()
    assert ("visibility.js?v=" in sent(page, Visibility())) is is_mended


@both
def test_an_import_map(page: Document, is_mended: bool) -> None:
    if is_mended:
        served.leave_out_import_maps()
    assert (sent(page, pmui.Button()).count("https://esm.sh/") == 1) is is_mended
