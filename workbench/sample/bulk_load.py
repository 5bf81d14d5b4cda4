"""load() -> sample sales in the master: all of them or none, by COPY, at the pace of those who follow the master."""

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
from itertools import chain

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from workbench import locale
from workbench.accounts.actor import Actor, as_actor
from workbench.database.engines import Engines
from workbench.database.sql_files import WritingConnection, run_sql, write_sql
from workbench.database.writes import analyze, commit, copy_in, master_in_words
from workbench.errors import LoadIncomplete, LoadStopped, WorkbenchError
from workbench.locale import N_, _
from workbench.sample.chunks import generate
from workbench.sample.prepared import Prepared, prepared
from workbench.sample.undo import sales_text, undo, with_lines
from workbench.servers import indexes
from workbench.servers.risingwave.console import SLOT
from workbench.words import counted

LOOK_SECONDS = 1.0
READERS = {SLOT: "RisingWave", "replica": "the replica"}


def wait_for_slots(engines: Engines, say: Callable[[str], None], should_stop: Callable[[], bool]) -> bool:
    """Returns when no slot keeps more than half of the WAL that it may keep; False when it is told to stop before.

    ``say`` gets what is waited for, again and again, and an empty text when that is over. Raises DBAPIError.
    """
    has_waited = False
    with engines.owner.connect() as connection:
        while not should_stop():
            found = run_sql(connection, "sample/slot_in_danger").one_or_none()
            connection.rollback()  # a snapshot that is held would keep what slots keep
            if found is None:
                if has_waited:
                    say("")
                return True
            has_waited = True
            say(_text(found))
            time.sleep(LOOK_SECONDS)
    return False


def _text(slot: sa.Row[tuple[str, bool, int, int]]) -> str:
    reader = READERS.get(slot.slot_name, "its reader")
    cause = f"{reader} has not read that yet" if slot.is_active else "nobody reads from it"
    return (
        f"Waiting: the slot {slot.slot_name} keeps {slot.kept_bytes >> 20:,} MB of WAL, of the"
        f" {slot.most_bytes >> 20:,} MB with which it is lost, and {cause}."
    )


log = logging.getLogger(__name__)

BATCH_SALES = 50_000  # committed at once: some 35 MB of WAL, little of what a slot may keep
MANY_SALES = 200_000  # from here on making indexes anew costs less than keeping them up row by row


@dataclass(frozen=True)
class Loaded:
    """What a load added: ``returns`` besides the sales, ``lines`` of both; ``revenue`` is the sum of total_amount.

    Others may have made sales with ids in between.
    """

    sales: int
    lines: int
    seconds: float
    first_id: int
    last_id: int
    revenue: Decimal
    returns: int = 0

    @property
    def text(self) -> str:
        """``3,000 sales and 62 returns with 8,200 lines``."""
        return with_lines(sales_text(self.sales, self.returns), self.lines)

    def with_more(self, added: Loaded) -> Loaded:
        """What both have loaded, from the first id of this to the last one of ``added``."""
        return Loaded(
            self.sales + added.sales,
            self.lines + added.lines,
            self.seconds + added.seconds,
            self.first_id or added.first_id,
            added.last_id or self.last_id,
            self.revenue + added.revenue,
            self.returns + added.returns,
        )


NOTHING = Loaded(0, 0, 0.0, 0, 0, Decimal())


def is_empty(engines: Engines) -> bool:
    """True when the master has no sale. Raises ServerUnavailable."""
    with master_in_words(engines), engines.master_reader.connect() as connection:
        return bool(run_sql(connection, "sample/is_empty").scalar_one())


def load(
    engines: Engines,
    count: int,
    *,
    seed: int = 42,
    until: date | None = None,
    actor: Actor | str = "",
    progress: Callable[[int, int], None] = lambda done, total: None,
    waiting: Callable[[str], None] = lambda text: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Loaded:
    """Adds ``count`` sales of the 400 days to ``until`` (None: to now, on the stores' clock) to those in the master,
    and returns of about one in fifty.

    They are committed in parts of some BATCH_SALES, with one entry each, by ``actor``, in the audit log; before each it
    waits for a follower whose slot on the master is half on its way to being lost. When ``should_stop``, which is asked
    before each chunk, says yes, or anything fails, the parts are taken back: nothing is loaded. Of a process that is
    killed the parts stay; ``loads`` tells them, ``undo`` takes them back.

    ``progress`` is told after each chunk how many of how many sales are copied, ``waiting`` what is waited for, and an
    empty text when that is over. Others read and write sales meanwhile; a load that is larger than what is there drops
    the reading indexes and makes them again at its end, when writing waits for seconds. Raises RoleRefused, SignedOut,
    FieldError, ServerUnavailable, OutcomeUnknown, LoadStopped, and LoadIncomplete when parts could not be taken back.
    """
    who = as_actor(actor).need("admin", N_("To load sample sales")).name
    started = time.monotonic()
    until = until or engines.settings.clock.now()
    chunks = generate(count, seed=seed, until=until)
    origin = {"asked": count, "seed": seed, "until": until.isoformat()}
    under_way = _Load(engines, origin, who, _Caller(count, progress, waiting, should_stop))
    with master_in_words(engines), _cheap_indexes(engines, count), closing(prepared(engines, chunks)) as ready:
        loaded = under_way.run(ready)
    return replace(loaded, seconds=time.monotonic() - started)


@dataclass(frozen=True)
class _Caller:
    """Whom a load tells how far it is, and who stops it."""

    count: int
    progress: Callable[[int, int], None]
    waiting: Callable[[str], None]
    should_stop: Callable[[], bool]


class _Load:
    """A load under way: ``loaded`` is what its committed parts hold."""

    def __init__(self, engines: Engines, origin: dict[str, object], actor: str, caller: _Caller) -> None:
        self._engines, self._origin, self._actor, self._caller = engines, origin, actor, caller
        self._load_id: int | None = None
        self._loaded = NOTHING

    def run(self, ready: Iterator[Prepared]) -> Loaded:
        """Loads all parts, or none: what it has added is then taken back."""
        try:
            for first in ready:
                if not wait_for_slots(self._engines, self._caller.waiting, self._caller.should_stop):
                    raise self._stopped(self._loaded)
                self._add(chain([first], ready))
        except BaseException as error:  # Ctrl-C too
            self._take_back(error)
            raise
        with self._engines.owner.connect() as connection:
            analyze(connection)
        return self._loaded

    def _add(self, ready: Iterator[Prepared]) -> None:
        """One part: copied, checked, logged and committed."""
        with self._engines.owner.connect() as connection:
            run_sql(connection, "bulk/without_row_triggers")
            added = self._copied(connection, ready)
            _check(connection, added)
            load_id = self._audit(connection, added)
            commit(connection)
        self._load_id = self._load_id or load_id
        self._loaded = self._loaded.with_more(added)

    def _copied(self, connection: WritingConnection, ready: Iterator[Prepared]) -> Loaded:
        added = NOTHING
        for part in ready:
            if self._caller.should_stop():
                raise self._stopped(self._loaded.with_more(added))
            copy_in(connection, "bulk/copy_headers", io.BytesIO(part.headers))
            copy_in(connection, "bulk/copy_lines", io.BytesIO(part.lines))
            added = added.with_more(_loaded(part))
            self._caller.progress(self._loaded.sales + added.sales, self._caller.count)
            if added.sales >= BATCH_SALES:
                break
        return added

    def _audit(self, connection: WritingConnection, added: Loaded) -> int:
        of = {} if self._load_id is None else {"load_id": self._load_id}
        after = of | {
            "sales": added.sales,
            "returns": added.returns,
            "lines": added.lines,
            "revenue": str(added.revenue),
            "first_id": added.first_id,
            "last_id": added.last_id,
            **self._origin,
        }
        values = {"actor": self._actor, "after": json.dumps(after)}
        return int(write_sql(connection, "sample/audit_load", values).scalar_one())

    def _stopped(self, loaded: Loaded) -> LoadStopped:
        return LoadStopped(
            _("Loading sample data was stopped after {sales}. Nothing was loaded.", sales=counted(loaded.sales, "sale"))
        )

    def _take_back(self, cause: BaseException) -> None:
        """The parts that are committed. Raises LoadIncomplete when that fails."""
        if self._load_id is None:
            return
        self._caller.waiting(_("Taking back what was loaded ..."))
        try:
            with master_in_words(self._engines), self._engines.owner.connect() as connection:
                analyze(connection)  # or the planner takes the tables for small ones
            undo(self._engines, self._load_id, actor=Actor(self._actor))  # also of one that may no more
        except WorkbenchError as error:
            raise LoadIncomplete(
                _(
                    "The load ended early: {n} of {sales} are there, and could not be taken back. {error} Then"
                    " `workbench undo-sample` takes them back.",
                    n=locale.number(self._loaded.sales),
                    sales=counted(self._caller.count, "sale"),
                    error=error,
                )
            ) from cause


def _loaded(part: Prepared) -> Loaded:
    chunk = part.chunk
    revenue = Decimal(int(chunk.total_amount.sum())).scaleb(-2)
    returns = len(chunk.transaction_id) - chunk.sales
    return Loaded(chunk.sales, len(chunk.sale), 0.0, part.first_id, part.last_id, revenue, returns)


@contextmanager
def _cheap_indexes(engines: Engines, count: int) -> Generator[None]:
    """Drops the reading indexes for a large load and makes them again, whatever happens in between.

    Each in a transaction of its own: a lock that others would wait for is held for moments, not for the whole load.
    """
    with engines.owner.connect() as connection:
        already = run_sql(connection, "sample/count_up_to", {"most": count}).scalar_one()
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
    wrong = run_sql(connection, "bulk/wrong_sales", values).scalar_one()
    if wrong:
        raise WorkbenchError(
            f"Sample data: {wrong:,} of the transactions {loaded.first_id} to {loaded.last_id} have no lines, totals"
            " that are not those of their lines, or more given back than sold. Nothing was loaded. Please report this,"
            " with the count and the seed."
        )
