"""load() -> sample sales in the master: all of them or none, by COPY in one transaction."""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import psycopg2
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from workbench import indexes
from workbench.engines import Engines
from workbench.errors import LoadStopped, OutcomeUnknown, WorkbenchError
from workbench.outage import in_words, is_away
from workbench.sample.chunks import generate
from workbench.sample.prepared import Prepared, prepared
from workbench.sql_files import read_sql
from workbench.words import counted

log = logging.getLogger(__name__)

READ_BYTES = 1 << 20
MANY_SALES = 200_000  # from here on making indexes anew costs less than keeping them up row by row


@dataclass(frozen=True)
class Loaded:
    """What a load added; ``revenue`` is the sum of total_amount. Others may have made sales with ids in between."""

    sales: int
    lines: int
    seconds: float
    first_id: int
    last_id: int
    revenue: Decimal


def is_empty(engines: Engines) -> bool:
    """True when the master has no sale. Raises ServerUnavailable."""
    with master_in_words(engines), engines.master_reader.connect() as connection:
        return bool(connection.execute(sa.text(read_sql("sample/is_empty"))).scalar_one())


def load(
    engines: Engines,
    count: int,
    *,
    seed: int = 42,
    until: date | None = None,
    actor: str = "",
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Loaded:
    """Adds ``count`` sales of the 400 days to ``until`` (None: to now, on the stores' clock) to those in the master.

    ``progress`` is told after each chunk how many of how many sales are copied; ``should_stop`` is asked before each.
    When it says yes, or anything fails, nothing is loaded. Others read and write sales meanwhile; a load that is
    larger than what is there drops the reading indexes and makes them again at its end, when writing waits for
    seconds. The audit log gets one entry, by ``actor``. Raises FieldError, ServerUnavailable, OutcomeUnknown, and
    LoadStopped.
    """
    started = time.monotonic()
    until = until or engines.settings.clock.now()
    chunks = generate(count, seed=seed, until=until)
    with master_in_words(engines), _cheap_indexes(engines, count), engines.owner.connect() as connection:
        connection.execute(sa.text(read_sql("sample/without_row_triggers")))
        with closing(prepared(engines, chunks)) as ready:
            loaded = _copy_all(connection, ready, count, progress, should_stop)
        _check(connection, loaded)
        _audit(connection, loaded, actor, {"seed": seed, "until": until.isoformat()})
        commit(connection)
        analyze(connection)
    return replace(loaded, seconds=time.monotonic() - started)


def _copy_all(
    connection: sa.Connection,
    ready: Iterator[Prepared],
    count: int,
    progress: Callable[[int, int], None] | None,
    should_stop: Callable[[], bool] | None,
) -> Loaded:
    first_id = last_id = 0
    lines = cents = done = 0
    for part in ready:
        if should_stop and should_stop():
            raise LoadStopped(f"Loading sample data was stopped after {counted(done, 'sale')}. Nothing was loaded.")
        _copy(connection, "copy_headers", part.headers)
        _copy(connection, "copy_lines", part.lines)
        first_id, last_id = first_id or part.first_id, part.last_id
        lines += len(part.chunk.sale)
        cents += int(part.chunk.total_amount.sum())
        done += len(part.chunk.transaction_id)
        if progress:
            progress(done, count)
    return Loaded(done, lines, 0.0, first_id, last_id, Decimal(cents).scaleb(-2))


def _copy(connection: sa.Connection, name: str, text: bytes) -> None:
    statement, driver = read_sql(f"sample/{name}"), connection.connection.driver_connection
    assert driver is not None
    try:
        with driver.cursor() as cursor:
            cursor.copy_expert(statement, io.BytesIO(text), READ_BYTES)
    except psycopg2.Error as error:  # went past SQLAlchemy, which wraps the errors of all other statements
        raise DBAPIError(statement, None, error, connection_invalidated=bool(driver.closed)) from error


@contextmanager
def _cheap_indexes(engines: Engines, count: int) -> Generator[None]:
    """Drops the reading indexes for a large load and makes them again, whatever happens in between.

    Each in a transaction of its own: a lock that others would wait for is held for moments, not for the whole load.
    """
    with engines.owner.connect() as connection:
        already = connection.execute(sa.text(read_sql("sample/count_up_to")), {"most": count}).scalar_one()
    if count < MANY_SALES or already >= count:
        yield
        return
    try:
        with indexes.left_out(engines.owner):
            yield
    finally:
        try:
            with engines.owner.begin() as connection:
                indexes.ensure(connection)
        except DBAPIError as error:
            log.error("The reading indexes are missing until `workbench migrate` makes them: %s", type(error.orig))


def _check(connection: sa.Connection, loaded: Loaded) -> None:
    """Looks at the load as triggers and foreign key would have; raises WorkbenchError if they had refused it."""
    values = {"first_id": loaded.first_id, "last_id": loaded.last_id}
    wrong = connection.execute(sa.text(read_sql("sample/wrong_sales")), values).scalar_one()
    if wrong:
        raise WorkbenchError(
            f"Sample data: {wrong:,} of the transactions {loaded.first_id} to {loaded.last_id} have no lines, or totals"
            " that are not those of their lines. Nothing was loaded. Please report this, with the count and the seed."
        )


def _audit(connection: sa.Connection, loaded: Loaded, actor: str, origin: dict[str, object]) -> None:
    after = {
        "sales": loaded.sales,
        "lines": loaded.lines,
        "revenue": str(loaded.revenue),
        "first_id": loaded.first_id,
        "last_id": loaded.last_id,
        **origin,
    }
    connection.execute(sa.text(read_sql("sample/audit_load")), {"actor": actor, "after": json.dumps(after)})


def commit(connection: sa.Connection) -> None:
    """Raises OutcomeUnknown when the master goes away meanwhile."""
    try:
        connection.commit()
    except DBAPIError as error:
        if not is_away(error):
            raise
        raise OutcomeUnknown(
            "The master went away while it was saving: it has done all of it or nothing. Look at the newest sales"
            " before you try again."
        ) from None


def analyze(connection: sa.Connection) -> None:
    """Tells the planner. What is loaded stays loaded when this fails; autovacuum then does it within minutes."""
    try:
        connection.execute(sa.text(read_sql("sample/analyze")))
        connection.commit()
    except DBAPIError as error:
        log.warning("The sample sales are loaded, but ANALYZE failed: %s", error.orig)


@contextmanager
def master_in_words(engines: Engines) -> Generator[None]:
    """A master that does not answer is ServerUnavailable."""
    try:
        yield
    except DBAPIError as error:
        raise in_words(engines.settings, "master", error) from None
