"""What Panel has queued for a browser is written, also when its mark for it was cleared too early."""

from __future__ import annotations

import asyncio

import pytest
from bokeh.document import Document
from panel.io import document

from workbench.components.panel_fixes.pending_writes import deliver_all_writes


class Connection:
    """Takes messages as a connection to a browser does; ``_socket`` is what Panel looks at first."""

    def __init__(self) -> None:
        self._socket = object()
        self.texts: list[str] = []

    async def send(self, text: str) -> None:
        self.texts.append(text)


@pytest.mark.parametrize("is_repaired", [False, True])
def test_a_queued_message_without_its_mark(monkeypatch: pytest.MonkeyPatch, is_repaired: bool) -> None:
    monkeypatch.setattr(document, "_dispatch_msgs", document._dispatch_msgs)
    monkeypatch.setattr(document, "_WRITE_MSGS", {})
    monkeypatch.setattr(document, "_WRITE_BLOCK", {})
    monkeypatch.setattr(document, "dispatch_django", lambda connection, msg: [connection.send(msg)])
    if is_repaired:
        deliver_all_writes()
    doc, connection = Document(), Connection()
    document._WRITE_MSGS[doc] = {connection: ["message"]}
    asyncio.run(document._dispatch_msgs(doc))
    assert connection.texts == (["message"] if is_repaired else [])  # False: Panel has repaired it, drop ours
