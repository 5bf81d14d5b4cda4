"""Columns: a copy of both tables that DuckDB keeps in this process, made once and then kept exact.

A copy is taken in one snapshot of the replica. After that only the sales are read again that the audit log names. Any
question under any filter is answered from it in milliseconds.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import sqlalchemy as sa
from filelock import FileLock, Timeout

from workbench.config import MOST_PROCESSES, Settings
from workbench.database.askers import ended_when_left, for_all
from workbench.database.replication import Answer, EngineName, Reader, ReadPosition, lsn_number
from workbench.database.sql_files import read_sql, sql_names
from workbench.errors import FiguresUnavailable
from workbench.metrics import table_reads
from workbench.metrics.column_facts import ColumnFacts
from workbench.metrics.facts import GROUPED_COLUMNS, Facts
from workbench.metrics.table_reads import Ids, Position, copy_to_file, long_snapshot

log = logging.getLogger(__name__)

T = TypeVar("T")

CHUNK_SALES = 250_000  # copied in one step, by their ids: bounds the files, and the memory, in between
EVERY_ID: Ids = (0, 2**63 - 1)
CATCH_UP_SECONDS = 0.5  # that a reader waits for a refresh under way
ROW_GROUP = 16_384  # rows that one thread reads at a time: with DuckDB's 122,880 a month is one thread's work
KEPT_MOMENTS = 4  # more than one: a reader takes its snapshot first, and then looks up its moment


@dataclass(frozen=True)
class Moment:
    """What a revision of the columns holds: everything up to ``token``, as ``engine`` had it at ``as_of``.

    It holds nothing that is not in the WAL up to ``lsn``.
    """

    revision: int
    engine: EngineName
    as_of: datetime
    token: str | None
    lsn: str

    def reaches(self, token: str | None) -> bool:
        """Whether a session that has seen what is up to ``token`` finds it here."""
        return self.token is not None and token is not None and lsn_number(self.token) >= lsn_number(token)

    def hold(self, read_position: ReadPosition) -> None:
        """Moves the session on to this moment, so that nothing it reads next is older."""
        if self.reaches(read_position.token):
            read_position.token = self.token


@dataclass(frozen=True)
class Step:
    """What one look at the database brought. ``replayed`` is where the replica was before it, None on the master."""

    position: Position
    replayed: str | None
    has_changed: bool


@dataclass(frozen=True)
class Chunk:
    """The sales between two ids, or only some of them."""

    ids: Ids
    sales: list[int] | None = None


class Columns:
    """One for each process: any number of readers, and one refresher at a time.

    A refresh is one transaction of DuckDB: a reader sees the state before it or after it. They are kept in a file of
    ``folder``, of which no two processes have the same, and take at most ``megabytes`` of memory. The file is nobody's
    last copy of anything: it is made anew whenever it does not belong to the database.
    """

    def __init__(self, folder: Path, megabytes: int) -> None:
        self._folder, self._megabytes = folder, megabytes
        self._database: duckdb.DuckDBPyConnection | None = None
        self._slot: FileLock | None = None
        self._position: Position | None = None
        self._revision = 0
        self._replayed: str | None = None
        self._moments: dict[int, Moment] = {}
        self._lock = threading.RLock()

    @classmethod
    def of(cls, settings: Settings) -> Columns:
        """Those of a process with these settings."""
        return cls(settings.workbench_data_dir / "columns", settings.workbench_columns_mb)

    @property
    def moment(self) -> Moment | None:
        """The newest state; None before the first copy is there."""
        moments = self._moments
        return moments[max(moments)] if moments else None

    def refresh(self, reader: Reader, read_position: ReadPosition) -> bool:
        """Copies the tables, or reads what has changed since: True when figures may have changed.

        Raises ServerUnavailable when no server answers; what is held stays, with its as_of. Raises FiguresUnavailable
        when the copy cannot be kept; it is then made anew.
        """
        with self._lock, for_all(), self._made_anew_on_failure():
            writer = _cursor(self._opened(read_position))
            if self.moment is not None:
                self.moment.hold(read_position)
            try:
                answer = reader.read(read_position, lambda connection: self._step(connection, writer), "columns")
                step = answer.value
                if step is not None and step.has_changed:
                    self._hold(writer, step, self._revision + 1)
                    writer.commit()
                    self._revision += 1
            finally:
                writer.close()  # what was not committed is rolled back
            if step is not None:
                self._position, self._replayed = step.position, step.replayed
            assert self._position is not None
            self._remember(Moment(self._revision, answer.engine, answer.as_of, read_position.token, self._position.lsn))
            return step is not None and step.has_changed

    def catch_up(self, reader: Reader, read_position: ReadPosition, *, is_now: bool = False) -> bool:
        """Reads what has changed, for a session that looks for its own write, or (``is_now``) for whatever there is.

        False when there is no copy yet, or a refresh is under way that takes long: the database answers at once.
        """
        moment = self.moment
        if moment is None:
            return False
        if not is_now and moment.reaches(read_position.token):
            return True
        if not self._lock.acquire(timeout=CATCH_UP_SECONDS):
            return False
        try:
            moment = self.moment  # that of the refresh that was waited for
            if moment is not None and (is_now or not moment.reaches(read_position.token)):
                self.refresh(reader, ReadPosition(read_position.token))
            return moment is not None
        finally:
            self._lock.release()

    def read(self, reader: Reader, read_position: ReadPosition, work: Callable[[Facts], T]) -> Answer[T] | None:
        """What ``work`` answers of one state that has all that the session has seen; None when there is none."""
        self.catch_up(reader, read_position)
        database = self._database
        if database is None or self.moment is None:
            return None
        with _cursor(database) as cursor, ended_when_left(cursor.interrupt), in_words():
            cursor.begin()
            (revision,) = cursor.execute("select revision from held").fetchone() or (None,)
            moment = self._moments.get(revision)
            if moment is None or not moment.reaches(read_position.token):
                return None
            moment.hold(read_position)
            return Answer(work(ColumnFacts(cursor)), moment.engine, moment.as_of)

    def close(self) -> None:
        """Closes the file and leaves it to the next process."""
        with self._lock:
            self._moments, self._position = {}, None
            if self._database is not None:
                self._database.close()
                self._database = None
            if self._slot is not None:
                self._slot.release()
                self._slot = None

    def _remember(self, moment: Moment) -> None:
        kept = sorted({*self._moments, moment.revision})[-KEPT_MOMENTS:]
        self._moments = {**self._moments, moment.revision: moment}
        self._moments = {revision: self._moments[revision] for revision in kept}

    def _step(self, connection: sa.Connection, writer: duckdb.DuckDBPyConnection) -> Step | None:
        """Puts what has changed into the writer's transaction; None when the replica has replayed nothing since."""
        with suppress(duckdb.TransactionException):
            writer.rollback()  # of a server that went away in the middle
        replayed = table_reads.replayed(connection)
        if self._position is not None and replayed is not None and replayed == self._replayed:
            return None
        with long_snapshot(connection):
            found = table_reads.since(connection, self._position)
            has_changed = bool(found.is_everything or found.sales or found.loads)
            if has_changed:
                writer.begin()
            if found.is_everything:
                self._whole_copy(connection, writer)
            elif has_changed:
                self._read_again(connection, writer, found.sales, found.loads)
            return Step(found.position, replayed, has_changed)

    def _whole_copy(self, connection: sa.Connection, writer: duckdb.DuckDBPyConnection) -> None:
        writer.execute(_of_sales("tables"))
        writer.execute("insert into held (definition) values ($1)", [_definition()])
        last = connection.execute(sa.text("select max(transaction_id) from sales_transaction")).scalar_one() or 0
        firsts = range(0, last + 1, CHUNK_SALES)
        self._take(connection, writer, [Chunk((first, first + CHUNK_SALES - 1)) for first in firsts])
        writer.execute(read_sql("columns/every_first_sale"))

    def _read_again(
        self,
        connection: sa.Connection,
        writer: duckdb.DuckDBPyConnection,
        sales: Sequence[int],
        loads: Sequence[Ids],
    ) -> None:
        writer.execute(read_sql("columns/again"), {"sales": sales, "loads": loads})
        customers = writer.execute(read_sql("columns/forget")).fetchall()
        if customers:
            writer.execute(read_sql("columns/others_of_customers"), [[customer for (customer,) in customers]])
        # What a load brought may have been changed since: each sale is read once.
        left = [sale for sale in sales if not any(first <= sale <= last for first, last in loads)]
        self._take(connection, writer, [Chunk(EVERY_ID, left)] * bool(left) + [Chunk(load) for load in loads])
        writer.execute(read_sql("columns/renew_first_sales"))

    def _take(self, connection: sa.Connection, writer: duckdb.DuckDBPyConnection, chunks: Sequence[Chunk]) -> None:
        """Adds the sales of the chunks, and their lines: while one is taken in, the server hands out the next."""
        with (
            tempfile.TemporaryDirectory(dir=self._folder, prefix="copy-") as folder,
            ThreadPoolExecutor(1, thread_name_prefix="copy") as aside,
        ):
            ahead = deque[Future[dict[str, Path]]]()
            for number, chunk in enumerate(chunks):
                ahead.append(aside.submit(_copied, connection, chunk, Path(folder) / str(number)))
                if number:
                    _add(writer, ahead.popleft().result())
            if ahead:
                _add(writer, ahead.popleft().result())

    @staticmethod
    def _hold(writer: duckdb.DuckDBPyConnection, step: Step, revision: int) -> None:
        position = step.position
        row = [revision, position.horizon, sorted(position.seen), position.identity, position.lsn]
        writer.execute(read_sql("columns/hold"), row)

    def _opened(self, read_position: ReadPosition) -> duckdb.DuckDBPyConnection:
        """The database, opened the first time with what a process before left in it."""
        if self._database is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._slot = _free_slot(self._folder)
            self._database = self._connected(Path(self._slot.lock_file).with_suffix(".duckdb"))
            self._go_on(self._database, read_position)
        return self._database

    def _connected(self, path: Path) -> duckdb.DuckDBPyConnection:
        config: dict[str, Any] = {
            "memory_limit": f"{self._megabytes}MB",
            "temp_directory": str(path.with_suffix(".spill")),
            "perfect_ht_threshold": 14,  # groups of days, stores, cashiers are told by their numbers, a fourth faster
            # Nothing is ever downloaded.
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        database = duckdb.connect(config=config)
        quoted = str(path).replace("'", "''")
        attach = f"attach '{quoted}' as columns (row_group_size {ROW_GROUP})"
        try:
            database.execute(attach)
        except duckdb.Error as error:  # cut off in the middle, or another version's
            log.warning("The columns are copied anew, their file cannot be read: %s", error)
            _remove(path)
            database.execute(attach)
        return database

    def _go_on(self, database: duckdb.DuckDBPyConnection, read_position: ReadPosition) -> None:
        """Takes the position of what is in the file; the first step finds out whether it belongs to the database."""
        try:
            row = _cursor(database).execute(read_sql("columns/held"), [_definition()]).fetchone()
        except (duckdb.CatalogException, duckdb.BinderException):
            return  # a new file, or another version's
        if row is not None:
            self._revision, horizon, seen, identity, lsn = row
            self._position = Position(horizon, frozenset(seen), identity, lsn)
            if read_position.token is not None and lsn_number(lsn) > lsn_number(read_position.token):
                read_position.token = lsn  # whoever has less would take something back

    @contextmanager
    def _made_anew_on_failure(self) -> Iterator[None]:
        """A failed write may leave DuckDB's file behind in any state, or refuse all that comes after."""
        try:
            with in_words():
                yield
        except FiguresUnavailable:
            slot = self._slot
            self.close()
            if slot is not None:
                _remove(Path(slot.lock_file).with_suffix(".duckdb"))
            raise


def _copied(connection: sa.Connection, chunk: Chunk, stem: Path) -> dict[str, Path]:
    """The files, by kind, that a chunk's lines and sales are copied to; their names begin with ``stem``."""
    files = {kind: stem.with_suffix(f".{kind}.csv") for kind in ("lines", "sales")}
    values = {"first": chunk.ids[0], "last": chunk.ids[1], "ids": chunk.sales}
    texts = {"lines": read_sql("columns/copy_lines"), "sales": _of_sales("copy_sales")}
    for kind, path in files.items():
        copy_to_file(connection, sa.text(texts[kind]), path, values)
    return files


def _add(writer: duckdb.DuckDBPyConnection, files: Mapping[str, Path]) -> None:
    """Adds what is in the files of a chunk, and removes them."""
    writer.execute(read_sql("columns/take_lines"), {"path": str(files["lines"])})
    if writer.execute("select 1 from new_lines where article is null limit 1").fetchone():
        writer.execute(read_sql("columns/add_articles"))
    writer.execute(_of_sales("take_sales"), {"path": str(files["sales"])})
    for path in files.values():
        path.unlink()
    writer.execute(read_sql("columns/add_lines"))


@contextmanager
def in_words() -> Iterator[None]:
    """DuckDB's errors, and those of its files, as FiguresUnavailable."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise FiguresUnavailable(
            "There is not enough memory for this figure. Choose fewer days, or set WORKBENCH_COLUMNS_MB higher."
        ) from error
    except duckdb.Error as error:
        log.warning("DuckDB failed: %s", error)
        raise FiguresUnavailable(
            "The figures could not be computed in memory. The cause is in the server's log."
        ) from error
    except OSError as error:
        raise FiguresUnavailable(
            f"The columns cannot be kept in {error.filename or 'the data directory'}: {error.strerror}."
        ) from error


def _cursor(database: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """A connection of its own to the tables of the columns."""
    cursor = database.cursor()
    cursor.execute("use columns")
    return cursor


def _free_slot(folder: Path) -> FileLock:
    """The lock of the first file that no other process has."""
    for number in range(MOST_PROCESSES):
        slot = FileLock(folder / f"columns-{number}.lock", timeout=0)
        with suppress(Timeout):
            slot.acquire()
            return slot
    raise FiguresUnavailable(f"{MOST_PROCESSES} processes keep columns in {folder} already: end one of them.")


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_suffix(".duckdb.wal").unlink(missing_ok=True)


def _of_sales(name: str) -> str:
    """A statement of sql/columns with the columns that figures are given for: names, declarations, types of a CSV."""
    types = {column.name: str(column.type) for column in GROUPED_COLUMNS}
    return read_sql(f"columns/{name}").format(
        names=", ".join(types),
        declared=", ".join(f"{name} {type}" for name, type in types.items()),
        types=", ".join(f"'{name}': '{type}'" for name, type in types.items()),
    )


def _definition() -> str:
    """Changes when the columns are made in another way."""
    texts = "".join([*(read_sql(name) for name in sql_names("columns")), _of_sales("tables")])
    return f"{duckdb.__version__} {ROW_GROUP} {hashlib.sha256(texts.encode()).hexdigest()}"
