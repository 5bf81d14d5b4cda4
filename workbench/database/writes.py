"""A write on the master: one deadline over its attempts, its outcome in words; and what bulk loads do around theirs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, Any, TypeVar

import psycopg2
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from workbench.database.deadline import seconds_left, time_limit
from workbench.database.engines import Engines
from workbench.database.failures import SERVER_ERRORS, Failure, ServerError, failure, in_words, is_away
from workbench.database.positions import position
from workbench.database.replication import ReadPosition
from workbench.database.sql_files import WritingConnection, read_sql, write_sql
from workbench.errors import OutcomeUnknown, ServerBusy
from workbench.locale import N_, _, sentences

T = TypeVar("T")
SAVE_SECONDS = 6.0  # from the first attempt to the answer
STATEMENT_SECONDS = 3.0  # of these for one statement: the rest serves to ask what became of it
MARGIN_SECONDS = 0.4  # the server ends a statement so long before the client does, and the outcome is known
LEAST_SECONDS = 2.0  # with less left no attempt is begun
ATTEMPTS = 4  # of one that was refused, or ended in a deadlock; what may still become clear is tried until the deadline
# What is done by a Write, for the catalogues of texts.
DOING = (
    *(N_("create the transaction"), N_("update the transaction"), N_("delete the transaction")),
    *(N_("restore the transaction"), N_("keep the result"), N_("save the view")),
)
_TRIED_AGAIN: tuple[Failure, ...] = ("away", "busy", "replayed", "held", "stopped")


class StillOpen(Exception):
    """The statement changed nothing and by now nothing says why: try it again."""


@dataclass
class Write:
    """One write of ``read_position``. ``doing`` is its verb and what it is done to, such as ``update the transaction``.

    ``may_repeat``: done twice it is done once, as it has a request id.
    """

    engines: Engines
    read_position: ReadPosition
    doing: str
    may_repeat: bool = True
    _is_doubtful: bool = False

    def run(self, attempt: Callable[[WritingConnection], T]) -> T:
        """What ``attempt`` returns, which sends one statement, in a transaction of its own; SAVE_SECONDS at most.

        Afterwards the session's token is behind all that ``attempt`` saw or did; it is None when that is not known.
        Raises ServerUnavailable when nothing was saved, OutcomeUnknown when the outcome of any attempt was not told
        and no later one has shown it, and what ``attempt`` raises.
        """
        retrying = Retrying(
            retry=retry_if_exception(_is_worth_another_try),
            stop=self._is_over,
            wait=wait_random_exponential(multiplier=0.05, max=0.5),
            reraise=True,
        )
        with time_limit(SAVE_SECONDS):
            try:
                return retrying(lambda: self._once(attempt))
            except (*SERVER_ERRORS, StillOpen) as error:
                raise self._in_words(error) from None

    def _once(self, attempt: Callable[[WritingConnection], T]) -> T:
        with time_limit(STATEMENT_SECONDS + MARGIN_SECONDS), self.engines.master.connect() as connection:
            try:
                return attempt(connection)
            except DBAPIError as error:  # not one of connecting: nothing was sent then
                self._is_doubtful = self._is_doubtful or failure(error) == "away"
                raise
            finally:
                self.read_position.token = position(connection)

    def _is_over(self, state: RetryCallState) -> bool:
        if not self.may_repeat or seconds_left() < LEAST_SECONDS:
            return True
        error = state.outcome and state.outcome.exception()
        is_waiting = not isinstance(error, SERVER_ERRORS) or failure(error) in ("busy", "held", "stopped")
        return state.attempt_number >= ATTEMPTS and not (self._is_doubtful or is_waiting)

    def _in_words(self, error: ServerError | StillOpen) -> Exception:
        is_told = isinstance(error, DBAPIError) and failure(error) not in _TRIED_AGAIN  # what this request comes to
        if self._is_doubtful and not is_told:
            again = _("Save again: a request that was already accepted is not done twice.")
            if not self.may_repeat:
                again = _("Look what is there before you save again.")
            lost = _("The master went away while it was saving, so it is not known whether it did.")
            return OutcomeUnknown(sentences(lost, again))
        if isinstance(error, StillOpen) or failure(error) in ("replayed", "held", "stopped"):
            text = _(
                "The master took too long to {doing}: others hold it. Nothing was saved; try again.",
                doing=_(self.doing),
            )
            return ServerBusy(text)
        return in_words(self.engines.settings, "master", error)


def run_file(connection: WritingConnection, name: str, values: dict[str, Any]) -> sa.Row[Any] | None:
    """The row of a writing statement, by its SQL file; None when it changed nothing.

    The server gives up in time to say so, also on what it waits for longest. In one string the limit and the statement
    are one round trip and one transaction.
    """
    seconds = max(min(STATEMENT_SECONDS, seconds_left() - MARGIN_SECONDS), MARGIN_SECONDS)
    return connection.execute(_limited(name, round(seconds * 1000)), values).one_or_none()


@lru_cache(maxsize=100)  # of a first attempt each has the same time
def _limited(name: str, milliseconds: int) -> sa.TextClause:
    return sa.text(f"set local statement_timeout = {milliseconds};\n{read_sql(name)}")


def _is_worth_another_try(error: BaseException) -> bool:
    if isinstance(error, SERVER_ERRORS):
        return failure(error) in _TRIED_AGAIN
    return isinstance(error, StillOpen)


log = logging.getLogger(__name__)

READ_BYTES = 1 << 20


def copy_in(connection: WritingConnection, name: str, text: IO[bytes]) -> None:
    """Runs the file's COPY with what ``text`` holds. Raises DBAPIError, and what reading it raises."""
    statement, driver = read_sql(name), connection.connection.driver_connection
    assert driver is not None
    try:
        with driver.cursor() as cursor:
            cursor.copy_expert(statement, text, READ_BYTES)
    except psycopg2.Error as error:  # went past SQLAlchemy, which wraps the errors of all other statements
        raise DBAPIError(statement, None, error, connection_invalidated=bool(driver.closed)) from error


def commit(connection: WritingConnection) -> None:
    """Raises OutcomeUnknown when the master goes away meanwhile."""
    try:
        connection.commit()
    except DBAPIError as error:
        if not is_away(error):
            raise
        raise OutcomeUnknown(
            _(
                "The master went away while it was saving: it has done all of it or nothing. Look at the newest sales"
                " before you try again."
            )
        ) from None


def analyze(connection: WritingConnection) -> None:
    """Tells the planner. What is loaded stays loaded when this fails; autovacuum then does it within minutes."""
    try:
        write_sql(connection, "bulk/analyze")
        connection.commit()
    except DBAPIError as error:
        log.warning("The sales are there, but ANALYZE failed: %s", error.orig)


@contextmanager
def master_in_words(engines: Engines) -> Generator[None]:
    """A master that does not answer is ServerUnavailable."""
    try:
        yield
    except DBAPIError as error:
        raise in_words(engines.settings, "master", error) from None
