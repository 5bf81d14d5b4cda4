"""A file of sales becomes a table of texts: CSV, Excel or Parquet, read as is found out or as one is told."""

from __future__ import annotations

import codecs
import csv
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import TextIOBase
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal

import duckdb
import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from workbench import locale
from workbench.errors import ImportRefused
from workbench.files import quoted
from workbench.locale import N_, _, ngettext

Kind = Literal["csv", "xlsx", "parquet"]
MOST_BYTES = 200_000_000
MOST_UNPACKED = 2_000_000_000  # of an Excel file, which is packed
MOST_COLUMNS = 200
LOOKED_AT = 1 << 16
ENCODINGS = {"utf-8": "UTF-8", "cp1252": N_("Windows (western)"), "latin-1": "ISO 8859-1", "utf-16": "UTF-16"}
DELIMITERS = {",": N_("comma"), ";": N_("semicolon"), "\t": N_("tab"), "|": N_("bar")}
BROKEN_EXCEL = (
    zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError, TypeError, EOFError, IndexError,
    AttributeError, SyntaxError, zipfile.LargeZipFile, NotImplementedError,
)  # fmt: skip


@dataclass(frozen=True)
class Table:
    """What a file holds: its columns' names, in order, and how it was read; what does not apply is empty.

    The texts are in DuckDB's table ``raw``: ``row`` as a spreadsheet counts them, ``fault`` where a row is of another
    length, and a column ``c0``, ``c1`` ... for each name.
    """

    kind: Kind
    columns: tuple[str, ...]
    rows: int
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    sheets: tuple[str, ...] = ()


def tabulate(
    database: duckdb.DuckDBPyConnection,
    path: Path,
    name: str,
    *,
    encoding: str = "",
    delimiter: str = "",
    sheet: str = "",
) -> Table:
    """Makes the table ``raw`` of a file in a folder of its own; what is not given is found out. Raises ImportRefused.

    What was read before is there until all is read. ``name`` is what the messages call the file.
    """
    size = path.stat().st_size
    if size > MOST_BYTES:
        has, most = (locale.number(n_bytes / 1e6, 0) for n_bytes in (size, MOST_BYTES))
        raise ImportRefused(
            _("{file} has {has} MB: at most {most} MB are taken. Split it.", file=name, has=has, most=most)
        )
    kind = _kind(path, name)
    if kind == "parquet":
        table = _parquet(database, path, name)
    elif kind == "xlsx":
        table = _excel(database, path, name, sheet)
    else:
        table = _csv(database, path, name, encoding, delimiter)
    database.execute("drop table if exists raw")
    database.execute("alter table coming rename to raw")
    return table


def _kind(path: Path, name: str) -> Kind:
    """By what it begins with, whatever its name says."""
    with path.open("rb") as file:
        head = file.read(LOOKED_AT)
    if not head.strip():
        raise ImportRefused(_("{file} is empty.", file=name))
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"PK\3\4"):
        return "xlsx"
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise ImportRefused(
            _(
                "{file} is protected by a password, or is of Excel's old format .xls: save it as .xlsx without a"
                " password.",
                file=name,
            )
        )
    if head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf")):
        raise ImportRefused(_("{file} is packed: unpack it first.", file=name))
    if b"\0" in head and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ImportRefused(
            _("{file} is no text, no Excel file and no Parquet file: nothing can be read from it.", file=name)
        )
    return "csv"


def _csv(database: duckdb.DuckDBPyConnection, path: Path, name: str, encoding: str, delimiter: str) -> Table:
    encoding = encoding or _encoding(path)
    text = _in_utf8(path, name, encoding)
    delimiter = delimiter or _delimiter(database, text)
    with text.open(encoding="utf-8-sig", newline="") as file:
        names = _named(next(_records(file, delimiter, name), []), name)
    _refuse_single(names, name)
    rows = _as_it_stands(database, text, names, delimiter)
    if rows is None:  # a row of another length, a blank line, or a line's end within quotes
        with text.open(encoding="utf-8-sig", newline="") as file:
            records = islice(_records(file, delimiter, name), 1, None)
            rows = _row_by_row(database, path.parent, records, names)
    return Table("csv", names, _some(rows, name), encoding=encoding, delimiter=delimiter)


def _encoding(path: Path) -> str:
    """UTF-8 when all of it is; else what programs of Windows write."""
    with path.open("rb") as file:
        if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return "utf-16"
    for encoding in ("utf-8", "cp1252"):
        try:
            with path.open(encoding=encoding) as text:
                while text.read(LOOKED_AT):
                    pass
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def _in_utf8(path: Path, name: str, encoding: str) -> Path:
    """The file itself, or a copy of it in UTF-8 beside it."""
    if encoding == "utf-8":
        return path
    made = path.with_name("in-utf-8")
    try:
        with path.open(encoding=encoding, newline="") as text, made.open("w", encoding="utf-8", newline="") as out:
            while part := text.read(LOOKED_AT):
                out.write(part)
    except (UnicodeError, LookupError):
        known = ", ".join(ENCODINGS)
        raise ImportRefused(
            _(
                "{file} cannot be read as {encoding}: give another encoding ({known}).",
                **{"file": name, "encoding": encoding, "known": known},
            )
        ) from None
    return made


def _delimiter(database: duckdb.DuckDBPyConnection, path: Path) -> str:
    """What DuckDB's sniffer finds and the first line has, else what stands most often in that."""
    with path.open(encoding="utf-8", errors="replace") as file:
        first = file.readline(LOOKED_AT)
    try:
        found = database.execute("select delimiter from sniff_csv(?, all_varchar = true)", [str(path)]).fetchone()
    except duckdb.Error:
        found = None
    if found and found[0] in DELIMITERS and found[0] in first:
        return str(found[0])
    return max(DELIMITERS, key=first.count)


def _records(file: TextIOBase | IO[str], delimiter: str, name: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(file, delimiter=delimiter)
    except csv.Error as error:
        raise ImportRefused(
            _("{file} cannot be read as CSV: {error}. Is a quotation mark left open?", file=name, error=error)
        ) from None
    except UnicodeDecodeError:
        raise ImportRefused(
            _("{file} is not UTF-8: give another encoding ({known}).", file=name, known=", ".join(ENCODINGS))
        ) from None


def _named(header: Sequence[Any], name: str) -> tuple[str, ...]:
    """The names of the columns, each once; one without a name is called by its place."""
    texts = [" ".join(str(text).split()) if text is not None else "" for text in header]
    while texts and not texts[-1]:
        texts.pop()
    if not any(texts):
        raise ImportRefused(_("The first row of {file} holds no names of columns.", file=name))
    if len(texts) > MOST_COLUMNS:
        raise ImportRefused(
            _(
                "{file} has {n} columns: at most {most} are taken.",
                **{"file": name, "n": locale.number(len(texts)), "most": MOST_COLUMNS},
            )
        )
    names: list[str] = []
    for place, text in enumerate(texts, start=1):
        text = found = text or f"column {place}"
        number = 2
        while found in names:
            found, number = f"{text} ({number})", number + 1
        names.append(found)
    return tuple(names)


def _refuse_single(names: Sequence[str], name: str) -> None:
    if len(names) == 1:
        known = ", ".join(map(_, DELIMITERS.values()))
        raise ImportRefused(
            _(
                "{file} has one column, {column}. A sale has several: if they are separated by something else than was"
                " found out, say by what ({known}).",
                **{"file": name, "column": repr(names[0][:60]), "known": known},
            )
        )


def _some(rows: int, name: str) -> int:
    if not rows:
        raise ImportRefused(_("{file} has names of columns, and no rows.", file=name))
    return rows


def _as_it_stands(database: duckdb.DuckDBPyConnection, path: Path, names: Sequence[str], delimiter: str) -> int | None:
    """The number of rows, read by DuckDB alone; None where a row would not be known by its number."""
    kinds = {f"c{place}": "VARCHAR" for place in range(len(names))}
    try:
        database.execute(
            "create or replace table coming as select row_number() over () + 1 as row, null::varchar as fault, * from"
            " read_csv(?, columns = ?, delim = ?, header = true, auto_detect = false, quote = '\"', escape = '\"')",
            [str(path), kinds, delimiter],
        )
    except duckdb.Error:
        return None
    rows = _count(database)
    return rows if rows + 1 == _lines(path) else None


def _lines(path: Path) -> int:
    count, last = 0, b"\n"
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            count, last = count + part.count(b"\n"), part[-1:]
    return count + (last != b"\n")


def _row_by_row(
    database: duckdb.DuckDBPyConnection, folder: Path, records: Iterable[Sequence[Any]], names: Sequence[str]
) -> int:
    """The same for rows that Python reads; those of another length say so."""
    width, path = len(names), folder / "row-by-row"
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        out = csv.writer(file)
        for row, record in enumerate(records, start=2):
            texts = [_text(value) for value in record]
            while len(texts) > width and not texts[-1]:
                texts.pop()
            if any(texts):
                out.writerow([row, _fault(len(texts), width), *texts[:width], *[""] * (width - len(texts))])
    kinds = {"row": "BIGINT", "fault": "VARCHAR"} | {f"c{place}": "VARCHAR" for place in range(width)}
    database.execute(
        "create or replace table coming as from read_csv(?, columns = ?, header = false, auto_detect = false,"
        " delim = ',', quote = '\"', escape = '\"')",
        [str(path), kinds],
    )
    path.unlink()
    return _count(database)


def _fault(length: int, width: int) -> str:
    if length == width:
        return ""
    return ngettext(
        "This row has {n} column and not {width}",
        "This row has {n} columns and not {width}",
        length,
        n=length,
        width=width,
    )


def _text(value: Any) -> str:
    """As a cell is seen: at most the fifteen digits that Excel keeps of a number."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value).replace("\0", "\N{REPLACEMENT CHARACTER}")


def _excel(database: duckdb.DuckDBPyConnection, path: Path, name: str, sheet: str) -> Table:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of parts that are of no use here, such as drawings
        try:
            _refuse_bomb(path, name)
            with path.open("rb") as file:  # whatever its name is
                book = openpyxl.load_workbook(file, read_only=True, data_only=True)
                return _sheet(database, path.parent, book, name, sheet)
        except ImportRefused:
            raise
        except BROKEN_EXCEL:
            raise ImportRefused(
                _("{file} cannot be read as an Excel file: it is damaged, or a packed file of another kind.", file=name)
            ) from None


def _refuse_bomb(path: Path, name: str) -> None:
    with zipfile.ZipFile(path) as packed:
        size = sum(part.file_size for part in packed.infolist())
    if size > MOST_UNPACKED:
        raise ImportRefused(
            _(
                "{file} has {has} MB when it is unpacked: that is too large. Split it.",
                **{"file": name, "has": locale.number(size / 1e6, 0)},
            )
        )


def _sheet(database: duckdb.DuckDBPyConnection, folder: Path, book: Any, name: str, sheet: str) -> Table:
    sheets = tuple(found.title for found in book.worksheets)
    if sheet and sheet not in sheets:
        raise ImportRefused(
            _(
                "{file} has no sheet {sheet}: it has {sheets}.",
                **{"file": name, "sheet": repr(sheet), "sheets": ", ".join(sheets)},
            )
        )
    if not sheets:
        raise ImportRefused(_("{file} has no sheet with rows.", file=name))
    sheet = sheet or sheets[0]
    book[sheet].reset_dimensions()  # programs write wrong ones
    rows = book[sheet].iter_rows(values_only=True)
    names = _named(next(rows, ()), _("the sheet {sheet} of {file}", sheet=sheet, file=name))
    _refuse_single(names, name)
    padded = ([*record, *[None] * (len(names) - len(record))] for record in rows)
    return Table("xlsx", names, _some(_row_by_row(database, folder, padded, names), name), sheet=sheet, sheets=sheets)


def _parquet(database: duckdb.DuckDBPyConnection, path: Path, name: str) -> Table:
    try:
        found = database.execute("describe from read_parquet(?)", [str(path)]).fetchall()
        names = _named([column for column, *_ in found], name)
        _refuse_single(names, name)
        texts = ", ".join(
            f"{_shown(kind, column)} as c{place}" for place, (column, kind, *_) in enumerate(found[: len(names)])
        )
        database.execute(
            "create or replace table coming as from read_parquet(?) select row_number() over () + 1 as row,"
            f" null::varchar as fault, {texts}",
            [str(path)],
        )
    except duckdb.Error:
        raise ImportRefused(_("{file} cannot be read as a Parquet file: it is damaged.", file=name)) from None
    return Table("parquet", names, _some(_count(database), name))


def _shown(kind: str, column: str) -> str:
    name = quoted(column)
    return f"printf('%.15g', {name})" if kind in ("DOUBLE", "FLOAT") else f"{name}::varchar"


def _count(database: duckdb.DuckDBPyConnection) -> int:
    found = database.execute("select count(*) from coming").fetchone()
    assert found is not None
    return int(found[0])


def alike(name: str) -> str:
    """A column's name for comparing it: ``Invoice No.`` and ``invoice_no`` are one."""
    return re.sub(r"[^\w]|_", "", name.casefold())
