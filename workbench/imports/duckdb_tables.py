"""Rows of Python as a table of DuckDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pandas as pd


def make_table(
    database: duckdb.DuckDBPyConnection, name: str, kinds: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Makes a table with columns of these kinds. Values go as texts: a frame's own types would be guessed."""
    columns = ", ".join(f"{column} {kind}" for column, kind in kinds.items())
    database.execute(f"create or replace table {name} ({columns})")
    if rows:
        frame = pd.DataFrame(
            {column: pd.Series([_text(row[column]) for row in rows], dtype=object) for column in kinds}
        )
        database.register("rows_of", frame)
        database.execute(f"insert into {name} from rows_of")
        database.unregister("rows_of")


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
