"""Connections that give up: a limit on every statement and commit, also when the server hangs without a word.

libpq takes what it is not told from such variables, and some (PGSERVICE, PGTZ) no argument overrules. They are meant
for other servers: to the embedded ones they bring another time zone, a service that is not there, a certificate that
those lack; and what holds for a configured server in one process, a report's process would not have.

A pooled connection to a stopped or unreachable server is not covered by connect_timeout, statement_timeout or
keepalives: libpq waits in a read. One watchdog thread shuts the socket at the deadline, which wakes that read.
A statement may take long, a server or a connection that is gone need not be waited for as long: while a statement takes
longer than usual the server is asked beside it whether it is there at all, and whether it works for this connection.
The socket is shut once it does not answer, or waits for us while nothing arrives: then something was lost on the way.
``time_limit`` is one deadline over many such calls: each gets what is left of it.

Ctrl-C and the interrupt of a kernel reach the main thread alone, and not while it waits in libpq: a statement of that
thread is run in another one, and is ended at the server when they come.
"""

from __future__ import annotations

import heapq
import itertools
import math
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from functools import partial
from typing import Any, TypeVar

import psycopg2
from psycopg2.extensions import STATUS_READY, ConnectionInfo, connection, cursor

from workbench.database.sql_files import read_sql

PREFIX = "PG"

_changing = threading.Lock()
_connecting = 0  # attempts that are being made: the last one to end gives the variables back


@contextmanager
def without_variables() -> Iterator[None]:
    """Inside the block libpq finds no ``PG*`` variable.

    Only the C library's environment changes. ``os.environ`` stays as it is, so Python code and its children see no
    difference, and the analyst's own connections find their variables a moment later.
    """
    global _connecting
    with _changing:
        _connecting += 1
        for name in _names():
            os.unsetenv(name)
    try:
        yield
    finally:
        with _changing:
            _connecting -= 1
            if not _connecting:
                for name in _names():
                    os.putenv(name, os.environ[name])


def _names() -> list[str]:
    return [name for name in os.environ if name.startswith(PREFIX)]


READER_SECONDS = 8
WRITER_SECONDS = 10
PING_SECONDS = 2.0
CONNECT_SECONDS = 2
LATE_SECONDS = 1.0  # a statement that takes longer is slow, or its server is gone
ANSWER_SECONDS = 1.5  # what a server takes at most to say that it is there
_IS_TLS_SPOKEN = struct.pack("!ii", 8, 80877103)  # the one question that every server answers before any password
_RECEIVED = struct.Struct("128xQ")  # tcpi_bytes_received of Linux's tcp_info
CANCEL_SECONDS = 2.0  # a server that does not answer an interrupt by then is left
_SHORTEST_SECONDS = 0.05  # what a call gets when nothing is left: it ends, and is not begun for nothing

T = TypeVar("T")
_ends_at: ContextVar[float] = ContextVar("ends_at", default=math.inf)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """All that the block asks of servers, connecting too, ends within ``seconds``, and within a limit around it."""
    before = _ends_at.set(min(_ends_at.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _ends_at.reset(before)


def seconds_left() -> float:
    """What is left of the time limit that this runs in; infinity when it runs in none."""
    return _ends_at.get() - time.monotonic()


def wait_until(question: Callable[[], T], seconds: float, pause: float) -> T:
    """Asks again and again, ``pause`` apart: the first answer that is true, or the last one after ``seconds``."""
    end = time.monotonic() + seconds
    while not (answer := question()) and time.monotonic() < end:
        time.sleep(pause)
    return answer


class _Watchdog:
    """One thread for all connections: shuts the sockets whose time is up."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Callable[[], object], list[bool]]] = []
        self._changed = threading.Condition()
        self._number = itertools.count()
        self._thread: threading.Thread | None = None

    @contextmanager
    def limit(self, descriptor: int, seconds: float, peer: _Peer | None = None) -> Iterator[None]:
        """Shuts the socket behind ``descriptor`` unless the block ends within ``seconds``.

        Once it is late also as soon as its ``peer`` does not answer, or twice waits for us and nothing has arrived.
        """
        over = [False]
        with self._changed:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="database-deadlines", daemon=True)
                self._thread.start()
            self._add(seconds, partial(_shut, descriptor), over)
            if peer is not None and seconds > LATE_SECONDS + ANSWER_SECONDS:
                self._add(LATE_SECONDS, partial(self._begin_to_look, descriptor, peer, over), over)
        try:
            yield
        finally:
            with self._changed:  # held while a socket is shut: the descriptor cannot be another connection's by then
                over[0] = True

    def _add(self, seconds: float, act: Callable[[], object], over: list[bool]) -> None:
        entry = (time.monotonic() + seconds, next(self._number), act, over)
        heapq.heappush(self._waiting, entry)
        if self._waiting[0] is entry:
            self._changed.notify()

    def _begin_to_look(self, *at: Any) -> None:
        threading.Thread(target=self._look, args=at, name="late", daemon=True).start()

    def _look(self, descriptor: int, peer: _Peer, over: list[bool]) -> None:
        before = None  # what had arrived when the server waited for us, if it did
        heard_at = time.monotonic()
        while not over[0]:
            is_silent = not peer.answers()
            if not is_silent:
                heard_at = time.monotonic()
            is_gone = is_silent and time.monotonic() - heard_at >= peer.silent_seconds
            arrived = _received(descriptor) if not is_silent and peer.waits_for_us() else None
            if is_gone or (arrived is not None and arrived == before):
                with self._changed:
                    if not over[0]:
                        _shut(descriptor)
                return
            before = arrived
            time.sleep(LATE_SECONDS)

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                while self._waiting and (self._waiting[0][3][0] or self._waiting[0][0] <= now):
                    _, _, act, over = heapq.heappop(self._waiting)
                    if not over[0]:
                        act()
                self._changed.wait(self._waiting[0][0] - now if self._waiting else None)


class _Peer:
    """The server of a connection, which is asked from beside it while a statement is late."""

    silent_seconds = 0.0  # how long it may say nothing: one that is starved of processors is not gone

    def __init__(self, info: ConnectionInfo, tells_of_clients: bool) -> None:
        """Takes down who and where it is: ``info`` must not be asked while the connection waits."""
        self._server, self._pid = (info.host, info.port), info.backend_pid
        self._tells_of_clients = tells_of_clients
        limits = {"password": info.password, "connect_timeout": CONNECT_SECONDS}
        self._parameters: dict[str, Any] = {**info.dsn_parameters, **limits}

    def answers(self) -> bool:
        """Whether anything speaks PostgreSQL's protocol at its address."""
        try:
            with socket.create_connection(self._server, ANSWER_SECONDS) as asked:
                asked.settimeout(ANSWER_SECONDS)
                asked.sendall(_IS_TLS_SPOKEN)
                return asked.recv(1) != b""
        except OSError:
            return False

    def waits_for_us(self) -> bool:
        """Whether it waits for a statement, or until more of its answer is received. False also where nobody knows.

        RisingWave does not tell of its connections, and a pooler gives them numbers of its own.
        """
        if not self._tells_of_clients:
            return False
        try:
            with without_variables():
                asked = psycopg2.connect("", **self._parameters)
            with closing(asked), limited(asked.fileno(), ANSWER_SECONDS), asked.cursor() as cursor:
                cursor.execute(read_sql("queries/waits_for_client"), {"pid": self._pid})
                return bool(cursor.fetchall())
        except psycopg2.Error:
            return False  # it is there, if only to say no


def _received(descriptor: int) -> int | None:
    """How many bytes have ever arrived at the socket. None where the system does not tell (Linux does)."""
    try:
        with socket.socket(fileno=os.dup(descriptor)) as handle:
            state = handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _RECEIVED.size)
            return int(_RECEIVED.unpack(state)[0])
    except (OSError, AttributeError, struct.error):
        return None


def _shut(descriptor: int) -> None:
    try:
        handle = socket.socket(fileno=os.dup(descriptor))
    except OSError:
        return  # already closed
    try:
        handle.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the other side has gone: that is what was wanted
    finally:
        handle.close()


_watchdog = _Watchdog()


def limited(descriptor: int, seconds: float) -> AbstractContextManager[None]:
    """The same limit for an exchange over another driver's socket."""
    return _watchdog.limit(descriptor, seconds)


_statements = ThreadPoolExecutor(4, thread_name_prefix="statement")  # begins no thread before the first is run


class GuardedCursor(cursor):
    """A cursor whose statements end at the connection's limit."""

    connection: GuardedConnection

    def execute(self, query: Any, vars: Any = None) -> None:
        """As psycopg2; OperationalError when the limit passes."""
        with self.connection.limited():
            if threading.current_thread() is threading.main_thread():
                self.connection.run_interruptibly(lambda: super(GuardedCursor, self).execute(query, vars))
            else:
                super().execute(query, vars)


class GuardedConnection(connection):
    """A psycopg2 connection with ``limit_seconds``, or what is left of a time limit, on each exchange."""

    limit_seconds = 12.0
    end: Callable[[], object] | None = None  # ends at the server what is asked, where the driver cannot
    tells_of_clients = True  # whether the server knows which of its clients it waits for

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().__init__(*args, **kwargs)
        except psycopg2.Error:
            self.close()  # else the server waits for a password for as long as somebody keeps the error
            raise
        self._peer = _Peer(self.info, self.tells_of_clients)

    def be_patient(self, seconds: float, silent_seconds: float) -> None:
        """Such a limit for each exchange, in which the server may say nothing at all for ``silent_seconds``."""
        self.limit_seconds, self._peer.silent_seconds = seconds, silent_seconds

    def cursor(self, *args: Any, **kwargs: Any) -> Any:
        """A GuardedCursor, unless another factory is asked for."""
        kwargs.setdefault("cursor_factory", GuardedCursor)
        return super().cursor(*args, **kwargs)

    def commit(self) -> None:
        """As psycopg2, within the limit."""
        with self.limited():
            super().commit()

    def rollback(self) -> None:
        """As psycopg2, within the limit. Where no transaction is open nothing is sent."""
        with nullcontext() if self.status == STATUS_READY else self.limited():
            super().rollback()

    def run_interruptibly(self, statement: Callable[[], object]) -> None:
        """Runs it in a thread. An interrupt of this one ends it at the server, or with the connection if need be."""
        done = _statements.submit(statement)
        try:
            done.result()
        except KeyboardInterrupt:
            _statements.submit(self.cancel)
            with suppress(Exception):  # the server says that it was cancelled
                done.result(CANCEL_SECONDS)
            if not done.done():
                _shut(self.fileno())
            raise

    @contextmanager
    def limited(self) -> Iterator[None]:
        """The limit for one exchange with the server; none on a connection that is closed already."""
        if self.closed:
            yield
            return
        seconds = max(min(self.limit_seconds, seconds_left()), _SHORTEST_SECONDS)
        ends_at = time.monotonic() + seconds
        try:
            with _watchdog.limit(self.fileno(), seconds, self._peer):
                yield
        except psycopg2.Error:
            if self.end is not None and time.monotonic() >= ends_at:  # only the limit has ended it, and only here
                threading.Thread(target=_tried, args=(self.end,), name="end", daemon=True).start()
            raise


def _tried(end: Callable[[], object]) -> None:
    with suppress(Exception):  # the server is not there either
        end()
