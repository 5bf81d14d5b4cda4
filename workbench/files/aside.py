"""An Excel file of many rows, written by a process of its own: a minute of work that would hold up all pages."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb

from workbench.files.formats import Rows, write

FEW_ROWS = 20_000  # which take less than a process takes to start
Tell = Callable[[int, int], None]  # how many rows of how many are written; what it raises ends the writing


def quiet(_rows: int, _of: int) -> None:
    """Tells nobody."""


def write_sheet(parquet: Path, path: Path, title: str, count: int, tell: Tell = quiet) -> None:
    """Writes the ``count`` rows of a Parquet file as Excel. Raises OSError, and what ``tell`` raises."""
    if count <= FEW_ROWS:
        write_rows(parquet, path, title)
        return
    command = [sys.executable, "-m", "workbench.files", str(parquet), str(path), title]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as writer:
        try:
            assert writer.stdout is not None and writer.stderr is not None
            for line in writer.stdout:
                tell(int(line), count)
            said = writer.stderr.read().strip()
        except BaseException:
            writer.kill()
            raise
    if writer.returncode:
        number, _, words = said.rpartition("\n")[2].partition(" ")
        raise OSError(int(number) if number.isdecimal() else None, words or "the writer ended")


def write_rows(parquet: Path, path: Path, title: str, tell: Callable[[int], None] = lambda _rows: None) -> None:
    """Writes the rows of a Parquet file as the name of the other one ends."""
    with duckdb.connect() as database:
        database.execute("set enable_progress_bar = false")  # DuckDB takes `python -m` for somebody who looks on
        write(Rows(database, "from read_parquet(?)", [str(parquet)]), path, title, tell)
