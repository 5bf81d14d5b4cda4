"""Several processes of the app behind one port.

This one accepts connections, looks at the first request of each, and hands it to the process whose cookie it brings:
whole, so that nothing passes through here afterwards. A process that ends is started again.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import signal
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from workbench.cli.shared import say, serve_command
from workbench.config import Settings, child_environment
from workbench.errors import ServeFailed
from workbench.shell.shared_port import COOKIE, READY, VARIABLE

NAMED = re.compile(rb"[ ;?&]%s=(\d+)" % COOKIE.encode())  # in a cookie, or in the address: /metrics?workbench_process=2
HEAD_BYTES = 16_384
HEAD_END = b"\r\n\r\n"
SILENT_SECONDS = 60.0  # browsers open connections before they need them
PATIENCE_SECONDS = 2.0  # with a head that comes in pieces
LOOK_SECONDS = 0.02
REST_SECONDS = 3.0  # before a process that has ended is started again
STOP_SECONDS = 10.0
BACKLOG = 512


@dataclass
class _Process:
    """A running process, and the channel by which it is given connections."""

    process: asyncio.subprocess.Process
    channel: socket.socket
    is_ready: bool = False


def serve(settings: Settings, port: int, address: str, count: int) -> None:
    """Serves the app on a port by ``count`` processes, until Ctrl-C or SIGTERM.

    Raises ServeFailed when one of them does not start.
    """
    with socket.create_server((address, port), backlog=BACKLOG) as listening:
        run = serve_command(port, settings, address, listens=False)
        asyncio.run(_SharedPort(run, child_environment(settings), listening, count).run())


class _SharedPort:
    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], listening: socket.socket, count: int
    ) -> None:
        self._command, self._environment, self._listening, self._count = command, environment, listening, count
        self._running: dict[int, _Process] = {}
        self._next = itertools.cycle(range(1, count + 1))
        self._given: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until a signal ends it."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        for one in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(one, ended.set)
        serving, stop = asyncio.create_task(self._serve()), asyncio.create_task(ended.wait())
        try:
            await asyncio.wait([serving, stop], return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
        finally:
            for task in (serving, stop, *self._given):
                task.cancel()
            await asyncio.gather(*(_ended(one.process) for one in self._running.values()))

    async def _serve(self) -> None:
        await self._start(1)  # what keeps one from starting keeps them all: it is said once
        address, port = self._listening.getsockname()[:2]
        say(f"Serving on http://{address}:{port} by {self._count} processes  (Ctrl-C stops them)")
        await asyncio.gather(self._accept(), *map(self._keep, range(1, self._count + 1)))

    async def _start(self, number: int) -> None:
        """Returns when the process takes connections."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            variables = {**self._environment, VARIABLE: f"{theirs.fileno()} {number}"}
            process = await asyncio.create_subprocess_exec(*self._command, env=variables, pass_fds=[theirs.fileno()])
        self._running[number] = started = _Process(process, ours)
        started.is_ready = await asyncio.get_running_loop().sock_recv(ours, 1) == READY
        if not started.is_ready:
            raise ServeFailed(f"Process {number} of the app did not start: what it said stands above.")

    async def _keep(self, number: int) -> None:
        """Has a process that ends started again; its browsers go to another one meanwhile, and stay there."""
        if number not in self._running:
            await self._start(number)
        while True:
            one = self._running[number]
            code = await one.process.wait()
            one.is_ready = False
            one.channel.close()
            say(f"Process {number} of the app ended ({code}) and is started again.")
            await asyncio.sleep(REST_SECONDS)
            with suppress(ServeFailed):  # it has ended, and is waited for no longer
                await self._start(number)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        self._listening.setblocking(False)
        while True:
            connection, _ = await loop.sock_accept(self._listening)
            task = asyncio.create_task(self._hand_over(connection))
            self._given.add(task)
            task.add_done_callback(self._given.discard)

    async def _hand_over(self, connection: socket.socket) -> None:
        with connection:
            try:
                async with asyncio.timeout(SILENT_SECONDS):
                    head = await _head(connection)
            except (TimeoutError, OSError):
                return
            for number in self._in_order(head) if head else ():
                one = self._running.get(number)
                if one is not None and one.is_ready:
                    with suppress(OSError):  # it takes nothing any more: another one does
                        socket.send_fds(one.channel, [b"c"], [connection.fileno()])
                        return

    def _in_order(self, head: bytes) -> Iterator[int]:
        """The process that the request names, then the others, each time another first."""
        if named := NAMED.search(head):
            yield int(named[1])
        for _ in range(self._count):
            yield next(self._next)


async def _head(connection: socket.socket) -> bytes:
    """What the connection's first request begins with; it is left there for who is given the connection."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(connection, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(connection)
    end = loop.time() + PATIENCE_SECONDS
    while True:
        head = connection.recv(HEAD_BYTES, socket.MSG_PEEK)
        if HEAD_END in head or len(head) in (0, HEAD_BYTES) or loop.time() > end:
            return head
        await asyncio.sleep(LOOK_SECONDS)


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
