"""Who waits for an answer: what nobody waits for any more ends at the server that was asked.

To who signs in with a password RisingWave (3.0.3) gives no key by which PostgreSQL's clients cancel; and what it was
asked goes on for as long as it takes, though its connection is closed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from typing import Any, TypeVar

import psycopg
import sqlalchemy as sa
from psycopg import sql

from workbench.database.deadline import GuardedConnection, without_variables
from workbench.errors import NobodyWaits

T = TypeVar("T")
AGAIN_SECONDS = 0.1  # a statement that is about to begin is not ended by the first call

_lock = threading.Lock()


class Asker:
    """Somebody who waits for answers until he leaves, as a page does that is closed."""

    def __init__(self) -> None:
        self.has_left = False
        self.questions: set[Question] = set()

    def leave(self) -> None:
        """Waits for nothing any more; what he alone waits for is ended."""
        with _lock:
            self.has_left = True
            dropped = [question for question in self.questions if all(one and one.has_left for one in question.askers)]
            for question in dropped:
                question.is_dropped = True
        if dropped:
            threading.Thread(target=_end, args=(dropped,), name="nobody-waits", daemon=True).start()

    @contextmanager
    def asks(self) -> Iterator[None]:
        """What the block asks, also on threads that are given its context, is asked for him."""
        token = _asker.set(self)
        try:
            yield
        finally:
            _asker.reset(token)


class Question:
    """What is asked of servers once for all who wait for its ``answer``. One without a page waits to the end."""

    def __init__(self) -> None:
        self.answer: Future[Any] = Future()
        self.is_dropped = False
        self.askers: set[Asker | None] = set()
        self.ends: list[Callable[[], object]] = []

    def join(self) -> bool:
        """Whether he who asks now waits for it too; False when it has been dropped. Raises NobodyWaits."""
        asker = _asker.get()
        with _lock:
            if asker is not None:
                if asker.has_left:
                    raise NobodyWaits
                asker.questions.add(self)
            self.askers.add(asker)
            return not self.is_dropped

    @contextmanager
    def asked(self) -> Iterator[None]:
        """What the block asks belongs to this question."""
        token = _question.set(self)
        try:
            yield
        finally:
            _question.reset(token)
            with _lock:
                for asker in filter(None, self.askers):
                    asker.questions.discard(self)

    @contextmanager
    def ended_by(self, end: Callable[[], object]) -> Iterator[None]:
        """Calls ``end``, again and again, while the block runs and nobody waits. Raises NobodyWaits."""
        with _lock:
            if self.is_dropped:
                raise NobodyWaits
            self.ends.append(end)
        try:
            yield
        except Exception as error:
            if self.is_dropped:
                raise NobodyWaits from error
            raise
        finally:
            with _lock:
                self.ends.remove(end)


_asker: ContextVar[Asker | None] = ContextVar("asker", default=None)
_question: ContextVar[Question | None] = ContextVar("question", default=None)


@contextmanager
def ended_when_left(end: Callable[[], object]) -> Iterator[None]:
    """A server is asked in this block, and ``end`` makes it stop. Raises NobodyWaits once nobody waits for it."""
    if (question := _question.get()) is not None:
        with question.ended_by(end):
            yield
        return
    question = Question()  # asked by one alone
    question.join()
    with question.asked(), question.ended_by(end):
        yield


def asked_on(connection: sa.Connection, work: Callable[[sa.Connection], T]) -> T:
    """What ``work`` reads on a connection. It is cancelled at the server once nobody waits for it: NobodyWaits."""
    driver = connection.connection.driver_connection
    assert driver is not None
    try:
        with ended_when_left(driver.cancel):
            return work(connection)
    except NobodyWaits:
        connection.invalidate()  # the last call to end it may arrive when something else is asked on it
        raise


@contextmanager
def for_all() -> Iterator[None]:
    """What the block asks is for everybody: it goes on, whoever leaves."""
    asker, question = _asker.set(None), _question.set(None)
    try:
        yield
    finally:
        _asker.reset(asker)
        _question.reset(question)


def _end(questions: list[Question]) -> None:
    while running := [end for question in questions for end in tuple(question.ends)]:
        for end in running:
            with suppress(Exception):  # it has ended by itself
                end()
        time.sleep(AGAIN_SECONDS)


MOST_SECONDS = 2


class RisingWaveConnection(GuardedConnection):
    """A connection whose ``cancel`` ends what it asks; ``end`` does it where the driver cannot."""

    tells_of_clients = False

    def cancel(self) -> None:
        """Ends the statement that runs, by ``end`` where there is one, else as psycopg2 does."""
        (self.end or super().cancel)()


class RisingWaveQuery(psycopg.Connection[Any]):
    """The same of the other driver, which calls it when it is interrupted."""

    end: Callable[[], object] | None = None

    def cancel_safe(self, *, timeout: float = 30.0) -> None:
        """Ends the statement that runs, by ``end`` where there is one, else as psycopg does."""
        if self.end is None:
            super().cancel_safe(timeout=timeout)
        else:
            self.end()


def ending(connection: Any, address: Mapping[str, Any], refusal: type[Exception]) -> Callable[[], object] | None:
    """What ends the query that a connection to ``address`` waits for; None: the driver itself can."""
    if connection.info.backend_pid:
        return None
    with connection.cursor() as cursor:
        try:
            cursor.execute("select pg_backend_pid()")
        except refusal:  # a version that does not tell
            return None
        return partial(_kill, address, int(cursor.fetchone()[0]))


def _kill(address: Mapping[str, Any], process: int) -> None:
    """Ends what the process does, unless another frontend has one of this number: no other's query is ended."""
    with without_variables():
        beside = psycopg.connect(**{**address, "connect_timeout": MOST_SECONDS}, autocommit=True)
    with beside:
        listed = beside.execute("show processlist").fetchall()
        found = [row[1] for row in listed if row[1].endswith(f":{process}") and row[2] == address["user"]]
        if len(found) == 1:
            beside.execute(sql.SQL("kill {}").format(found[0]))
