"""The one reader of the project's SQL files; and their rows as a DataFrame that has the columns' types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
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


# PostgreSQL's numbers of its types, which RisingWave shares.
INTEGERS, REALS, BOOLEAN, NUMERIC = (20, 21, 23), (700, 701), 16, 1700
DAY, TIME, TIME_WITH_ZONE = 1082, 1114, 1184


def typed_frame(
    columns: Sequence[tuple[str, int]], rows: Sequence[Sequence[Any]], *, exact: bool = False
) -> pd.DataFrame:
    """``columns`` are pairs of a name and a type's number; two columns may have one name.

    int64, or Int64 where some are missing; float64, which numeric is too unless ``exact``; bool, or boolean;
    datetime64[s] for days, datetime64[us] for times (UTC where they have a zone). Anything else stays as the driver
    gives it: Decimal, str, None.
    """
    kinds = [kind if exact or kind != NUMERIC else REALS[0] for _, kind in columns]
    made = {n: _typed(kind, [row[n] for row in rows]) for n, kind in enumerate(kinds)}
    frame = pd.DataFrame(made, index=pd.RangeIndex(len(rows)))
    frame.columns = pd.Index([name for name, _ in columns], dtype=object)
    return frame


def drawable(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy whose Decimals are float64, missing ones nan: pandas and hvplot neither draw nor describe Decimal."""
    kinds = {name: "float64" for name, column in frame.items() if _holds_decimals(column)}
    return frame.astype(kinds)


def _holds_decimals(column: pd.Series[Any]) -> bool:
    known = column[column.notna()]
    return column.dtype == object and len(known) > 0 and all(isinstance(value, Decimal) for value in known)


def _typed(kind: int, values: list[Any]) -> Any:
    is_whole = None not in values
    if kind in INTEGERS:
        return pd.Series(values, dtype="int64" if is_whole else "Int64")
    if kind in REALS:
        return pd.Series(values, dtype="float64")
    if kind == BOOLEAN:
        return pd.Series(values, dtype="bool" if is_whole else "boolean")
    if kind == DAY:
        return pd.Series(np.array(values, dtype="datetime64[s]"))
    if kind == TIME:
        return pd.Series(np.array(values, dtype="datetime64[us]"))
    if kind == TIME_WITH_ZONE:
        return pd.Series(pd.to_datetime(pd.Series(values, dtype=object), utc=True)).astype("datetime64[us, UTC]")
    return pd.Series(values, dtype=object)
