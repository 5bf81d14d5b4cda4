"""One of several processes behind one port: `workbench serve --processes` accepts connections, which this one serves.

Each browser stays with one process, by a cookie: a page and its session are made by the same. Where a proxy sends the
requests of several browsers over one connection, a page may come from another process than its session, which costs
twice the work and no more.
"""

from __future__ import annotations

import os
import signal
import socket
from typing import Any

from bokeh.server.server import BaseServer
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream
from tornado.web import OutputTransform

VARIABLE = "WORKBENCH_SHARED_PORT"  # of a process that is given connections: number of its channel, its own number
COOKIE = "workbench_process"
MOST_AT_ONCE = 64
READY = b"r"


def serve_given_connections() -> None:
    """Has the server of a process that was started for it serve what comes by its channel, and listen nowhere."""
    given = os.environ.pop(VARIABLE, None)
    if given is None:
        return
    channel, number = given.split()
    start = BaseServer.start

    def start_and_take(server: BaseServer) -> None:
        start(server)
        server._http.stop()
        server._tornado.transforms.append(_kept_by(number))
        _take_from(socket.socket(fileno=int(channel)), server._http)

    BaseServer.start = start_and_take  # type: ignore[assignment, method-assign]


def _take_from(channel: socket.socket, server: HTTPServer) -> None:
    def take(*_: Any) -> None:
        said, numbers, *_rest = socket.recv_fds(channel, MOST_AT_ONCE, MOST_AT_ONCE)
        if not said:  # whoever accepts connections is gone
            loop.remove_handler(channel)
            os.kill(os.getpid(), signal.SIGTERM)
        for number in numbers:
            _serve(socket.socket(fileno=number), server)

    loop = IOLoop.current()
    loop.add_handler(channel, take, IOLoop.READ)
    channel.sendall(READY)


def _serve(connection: socket.socket, server: HTTPServer) -> None:
    try:
        address = connection.getpeername()
    except OSError:  # who asked has left
        connection.close()
        return
    sizes = {"max_buffer_size": server.max_buffer_size, "read_chunk_size": server.read_chunk_size}
    server.handle_stream(IOStream(connection, **sizes), address)


def _kept_by(number: str) -> type[OutputTransform]:
    class Kept(OutputTransform):
        """Tells a browser that has no process yet which one is its own from now on."""

        def __init__(self, request: HTTPServerRequest) -> None:
            named = request.cookies.get(COOKIE)
            self._is_ours = named is not None and named.value == number

        def transform_first_chunk(
            self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
        ) -> tuple[int, HTTPHeaders, bytes]:
            """The answer; one to another process's browser ends its connection, so that the next finds its own."""
            if not self._is_ours and status_code != 101:
                headers.add("Set-Cookie", f"{COOKIE}={number}; Path=/; HttpOnly; SameSite=Lax")
                headers["Connection"] = "close"
            return status_code, headers, chunk

    return Kept
