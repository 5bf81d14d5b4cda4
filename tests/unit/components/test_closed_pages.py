"""A browser that leaves between two messages is no error in the log; without the mend it is one (then drop it)."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from bokeh.document import Document
from bokeh.protocol import Protocol
from bokeh.server.connection import ServerConnection
from bokeh.server.protocol_handler import ProtocolHandler
from bokeh.server.session import ServerSession
from bokeh.server.views.ws import WSHandler
from tornado.websocket import WebSocketClosedError

from workbench.components.panel_fixes.closed_pages import leave_quietly


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
