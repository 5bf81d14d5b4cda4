"""CSV, Excel and Parquet of the rows of a statement, written as they come; a long Excel file by its own process."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from workbench.errors import FileRefused
from workbench.locale import _
from workbench.words import label

FORMATS = {"csv": "CSV", "xlsx": "Excel", "parquet": "Parquet"}
MOST_ROWS = 1_048_575  # of a sheet, below its heads
AT_ONCE = 10_000
MOST_LETTERS = 31  # of a sheet's name
# What a spreadsheet takes for a formula when it opens a CSV; a number is no text, so that -5 stays one.
FORMULA = r"^\s*[=+\-@|]|^[\t\r\n]"
_WIDTHS = {"VARCHAR": 22, "TIMESTAMP": 19}
_LOOKS = {"TIMESTAMP": "yyyy-mm-dd hh:mm:ss", "TIMESTAMP_S": "yyyy-mm-dd", "DATE": "yyyy-mm-dd", "DECIMAL": "#,##0.00"}


@dataclass(frozen=True)
class Rows:
    """The rows that ``cursor`` answers to ``text`` with ``values``."""

    cursor: duckdb.DuckDBPyConnection
    text: str
    values: Sequence[Any] = ()

    @property
    def columns(self) -> dict[str, str]:
        """The names of the columns, and DuckDB's names of their types."""
        found = self.cursor.execute(f"describe {self.text}", self.values).fetchall()
        return {name: kind.partition("(")[0] for name, kind, *_ in found}


def format_of(path: Path, formats: Iterable[str] = FORMATS) -> str:
    """One of these, by the end of the file's name. Raises FileRefused."""
    ending = path.suffix.removeprefix(".").lower()
    if ending not in (among := tuple(formats)):
        endings = ", ".join(f".{name}" for name in among)
        raise FileRefused(
            _("The name of the file, {name}, has to end with one of {endings}.", name=repr(path.name), endings=endings)
        )
    return ending


def file_name(title: str, now: datetime, ending: str) -> str:
    """``revenue-by-store-2026-11-27-140322.csv``."""
    words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    return f"{words}-{now:%Y-%m-%d-%H%M%S}.{ending}"


@contextmanager
def of_frame(frame: pd.DataFrame) -> Iterator[Rows]:
    """The rows of a frame, its Decimals as decimals."""
    with duckdb.connect() as database:
        database.execute(f"set pandas_analyze_sample = {len(frame) + 1}")  # every value has a say in its column's type
        database.register("frame", frame)
        yield Rows(database, "from frame")


def write(rows: Rows, path: Path, title: str = "Rows", tell: Callable[[int], None] = lambda _rows: None) -> int:
    """Writes them as the file's name ends, and gives how many there are.

    In CSV a text that a spreadsheet would take for a formula begins with an apostrophe; in Excel and Parquet texts are
    texts, and ``tell`` is told how many rows there are by now. Raises FileRefused for another ending, duckdb.Error and
    OSError.
    """
    kind = format_of(path)
    if kind == "xlsx":
        with _workbook(path) as book:
            return _sheets(book, title, rows, tell)
    options = "format parquet" if kind == "parquet" else "format csv, header true"
    text = _without_formulas(rows) if kind == "csv" else rows.text
    place = f"${len(rows.values) + 1}"
    written = rows.cursor.execute(f"copy ({text}) to {place} ({options})", [*rows.values, str(path)]).fetchone()
    assert written is not None
    return int(written[0])


def write_workbook(path: Path, cover: Mapping[str, str], frames: Mapping[str, pd.DataFrame]) -> None:
    """An Excel file: a sheet with the pairs of ``cover``, then one for each frame, named by its title."""
    with _workbook(path) as book:
        sheet = book.add_worksheet("About")
        sheet.set_column(0, 1, 36)
        for row, pair in enumerate(cover.items()):
            for column, text in enumerate(pair):
                sheet.write_string(row, column, text)
        for title, frame in frames.items():
            with of_frame(frame) as rows:
                _sheets(book, title, rows)


@contextmanager
def _workbook(path: Path) -> Iterator[xlsxwriter.Workbook]:
    """Row by row, so that it takes no memory; nothing is taken for a formula, a link or a number."""
    with tempfile.TemporaryDirectory(prefix="workbench-sheets-") as folder:
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "tmpdir": folder}
        with xlsxwriter.Workbook(path, options) as book:
            yield book


def _sheets(book: xlsxwriter.Workbook, title: str, rows: Rows, tell: Callable[[int], None] = lambda _rows: None) -> int:
    """Writes a sheet, and further ones for what does not fit on it; gives the number of rows."""
    columns = rows.columns
    looks = {kind: book.add_format({"num_format": look}) for kind, look in _LOOKS.items()}
    formats = [looks.get(kind) for kind in columns.values()]
    cursor, count, sheet = rows.cursor.execute(rows.text, rows.values), 0, _sheet(book, title, 1, columns)
    while found := cursor.fetchmany(AT_ONCE):
        for row in found:
            place = count % MOST_ROWS
            if count and not place:
                sheet = _sheet(book, title, count // MOST_ROWS + 1, columns)
            _write_row(sheet, place + 1, row, formats)
            count += 1
        tell(count)
    return count


def _sheet(book: xlsxwriter.Workbook, title: str, number: int, columns: Mapping[str, str]) -> Worksheet:
    end = f" {number}" if number > 1 else ""
    name = re.sub(r"[\[\]:*?/\\']", " ", title)[: MOST_LETTERS - len(end)].strip()
    sheet = book.add_worksheet(f"{name}{end}")
    head = book.add_format({"bold": True, "bottom": 1})
    sheet.freeze_panes(1, 0)
    for place, (column, kind) in enumerate(columns.items()):
        sheet.set_column(place, place, _WIDTHS.get(kind, 14))
        sheet.write_string(0, place, label(column), head)
    return sheet


def _write_row(sheet: Worksheet, place: int, row: Sequence[Any], formats: Sequence[Any]) -> None:
    for column, (value, look) in enumerate(zip(row, formats, strict=True)):
        if isinstance(value, str):
            sheet.write_string(place, column, value)
        elif value is not None:
            sheet.write(place, column, value, look)


def quoted(name: str) -> str:
    """The name of a column as a statement has it, whatever stands in it."""
    return '"' + name.replace('"', '""') + '"'


def _without_formulas(rows: Rows) -> str:
    """The statement with an apostrophe before each text that would be taken for a formula."""
    changed = [
        f"case when regexp_matches({name}, '{FORMULA}') then '''' || {name} else {name} end as {name}"
        for name, kind in ((quoted(name), kind) for name, kind in rows.columns.items())
        if kind == "VARCHAR"
    ]
    return f"from ({rows.text}) select * replace ({', '.join(changed)})" if changed else rows.text


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
