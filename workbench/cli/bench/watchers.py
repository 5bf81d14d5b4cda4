"""What it costs to feed many open pages: pages without a browser, which get what a browser gets and draw nothing."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import uuid4

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from workbench.cli.bench.kinds import watched
from workbench.cli.bench.saves import example
from workbench.cli.bench.servers import App, app, p95
from workbench.config import Settings
from workbench.connection import connect
from workbench.errors import BenchFailed
from workbench.words import counted

WARM = 2  # pages of each process that are opened first, for what is loaded once
OPEN_SECONDS = 180
FIGURE = "figure number"  # in what a tile of a figure is sent
READY = {"type": "event", "name": "document_ready", "values": {"type": "map"}}


class Watcher:
    """A page on Analytics. ``seen`` is when, by time.perf_counter, it last got figures."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._socket: WebSocketClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self.seen = 0.0

    async def open(self) -> None:
        """Opens the page, and waits until it has figures."""
        answer = await AsyncHTTPClient().fetch(f"{self._url}/analytics", request_timeout=OPEN_SECONDS)
        token = re.search(r'"token":\s*"([^"]+)"', answer.body.decode())
        if token is None:
            raise BenchFailed("A page without a token of its session was served.")
        cookies = [text.partition(";")[0] for text in answer.headers.get_list("Set-Cookie")]
        address = self._url.replace("http", "ws") + "/analytics/ws"
        asked = HTTPRequest(address, headers={"Cookie": "; ".join(cookies)})
        self._socket = await websocket_connect(asked, subprotocols=["bokeh", token[1]], max_message_size=1 << 28)
        await self._socket.read_message()  # that the server is ready: what comes earlier it does not understand
        self._reading = asyncio.create_task(self._read(self._socket))
        await self._send("PULL-DOC-REQ", {})
        ready = {"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": READY}
        await self._send("PATCH-DOC", {"events": [ready]})
        await self.sees_since(0.0)

    async def _send(self, kind: str, content: dict[str, Any]) -> None:
        assert self._socket is not None
        for part in ({"msgid": uuid4().hex, "msgtype": kind}, {}, content):
            await self._socket.write_message(json.dumps(part))

    async def _read(self, socket: WebSocketClientConnection) -> None:
        while (frame := await socket.read_message()) is not None:
            if isinstance(frame, str) and FIGURE in frame:
                self.seen = time.perf_counter()
                self._news.set()

    async def sees_since(self, moment: float) -> float:
        """When it got figures after ``moment``. Raises TimeoutError."""
        async with asyncio.timeout(OPEN_SECONDS):
            while self.seen <= moment:
                self._news.clear()
                await self._news.wait()
        return self.seen

    async def close(self) -> None:
        """Leaves the page."""
        if self._socket is not None:
            self._socket.close()
        if self._reading is not None:
            await self._reading


def measured(
    settings: Settings, pages: int, processes: int, changes: int, rest: float, say: Callable[[str], None]
) -> Iterator[tuple[str, float]]:
    """The figures with so many ``pages`` open and so many sales saved, ``rest`` seconds one after the other."""
    with app(settings, processes) as served:
        try:
            found = asyncio.run(_measured(settings, served, pages, processes, changes, rest, say))
            yield from zip([kind.name for kind in watched(pages, processes)], found, strict=True)
        except TimeoutError:
            raise BenchFailed(f"With {counted(pages, 'page')} open one got nothing for {OPEN_SECONDS} s.") from None


async def _measured(
    settings: Settings,
    served: App,
    pages: int,
    processes: int,
    changes: int,
    rest: float,
    say: Callable[[str], None],
) -> tuple[float, float, float]:
    warm = WARM * processes
    watchers = [Watcher(served.url) for _ in range(warm + pages)]
    try:
        for watcher in watchers[:warm]:
            await watcher.open()
        before = served.memory()
        for number, watcher in enumerate(watchers[warm:], 1):
            await watcher.open()
            if number % 25 == 0:
                say(f"{number} of {counted(pages, 'page')} opened")
        memory = (served.memory() - before) / pages
        took, computed = await _changes(settings, served, watchers, changes, rest)
    finally:
        await asyncio.gather(*(watcher.close() for watcher in watchers))
    a_page = 1000 * computed / changes / len(watchers)
    return p95(took), a_page, memory


async def _changes(
    settings: Settings, served: App, watchers: Sequence[Watcher], changes: int, rest: float
) -> tuple[list[float], float]:
    """Seconds from each commit to the last page, and what the server computed for all of them beside its usual work."""
    took, workbench = [], connect(settings)
    sales = workbench.sales()
    try:
        await asyncio.to_thread(sales.create, example(), uuid4())  # connects
        await asyncio.sleep(2 * rest)
        before, began = served.computing(), time.perf_counter()
        await asyncio.sleep(rest)
        idle = (served.computing() - before) / (time.perf_counter() - began)
        before, began = served.computing(), time.perf_counter()
        for _ in range(changes):
            await asyncio.to_thread(sales.create, example(), uuid4())
            committed = time.perf_counter()
            took.append(max([await watcher.sees_since(committed) for watcher in watchers]) - committed)
            await asyncio.sleep(rest)
        return took, served.computing() - before - idle * (time.perf_counter() - began)
    finally:
        workbench.close()
