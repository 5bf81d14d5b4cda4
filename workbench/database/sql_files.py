"""The one reader of the project's SQL files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

Rows = sa.CursorResult[*tuple[Any, ...]]
if TYPE_CHECKING:

    class WritingConnection(sa.Connection):
        """A connection that may write, as the engines ``master`` and ``owner`` make it; it reads too."""

        def __enter__(self) -> WritingConnection: ...

    class WritingEngine(sa.Engine):
        """What makes connections that may write."""

        def connect(self) -> WritingConnection: ...

        @contextmanager
        def begin(self) -> Iterator[WritingConnection]: ...

else:  # the type checker tells them apart; what runs is one class, and the server refuses
    WritingConnection, WritingEngine = sa.Connection, sa.Engine


@cache
def sql_folder() -> Path:
    """The folder of SQL files: inside an installed package, beside it in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "sql"
    return inside if inside.is_dir() else package.parent / "sql"


@cache
def read_sql(name: str) -> str:
    """The text of one file, named by its path without the ending: ``read_sql("queries/lag")``."""
    return (sql_folder() / f"{name}.sql").read_text(encoding="utf-8")


def run_sql(connection: sa.Connection, name: str, values: Mapping[str, Any] | None = None) -> Rows:
    """The rows of a file that reads, with values for its parameters: ``run_sql(connection, "queries/sale", {…})``."""
    return connection.execute(_statement(name), values)


def write_sql(connection: WritingConnection, name: str, values: Mapping[str, Any] | None = None) -> Rows:
    """The same of a file that writes or locks, which the type checker refuses on a connection that only reads."""
    return connection.execute(_statement(name), values)


@cache
def _statement(name: str) -> sa.TextClause:
    return sa.text(read_sql(name))


def sql_names(folder: str) -> list[str]:
    """The names of all files of a folder, in order, as ``read_sql`` takes them."""
    root = sql_folder()
    return sorted(str(path.relative_to(root).with_suffix("")) for path in (root / folder).glob("*.sql"))
