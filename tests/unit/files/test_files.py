"""Files out: what is written is what was there, and no text in it becomes a formula."""

from __future__ import annotations

import csv
import io
import signal
import subprocess
from base64 import b64decode
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pandas as pd
import pytest

from workbench.components.browser import files
from workbench.components.browser.files import Downloads, written
from workbench.errors import FileRefused, FileStopped
from workbench.files import file_name, formats, of_frame, write, write_sheet, write_workbook

HOSTILE = ["=1+1", "+1", "-2+3", "@sum(1)", "\t=1", "\r=1", " =1", "|calc", "=HYPERLINK('http://x')", "http://x"]


@pytest.fixture
def frame() -> pd.DataFrame:
    """A row for each hostile text, and for none."""
    names = [*HOSTILE, "Latte, small", None]
    return pd.DataFrame(
        {
            "day": pd.date_range("2026-11-01", periods=len(names), unit="s"),
            "product": pd.Series(names, dtype=object),
            "revenue": pd.Series([Decimal(-number) / 4 for number in range(len(names))], dtype=object).map(
                lambda amount: amount.quantize(Decimal("0.01"))
            ),
            "sales": range(len(names)),
        }
    )


def save(frame: pd.DataFrame, path: Path) -> int:
    """How many rows were written."""
    with of_frame(frame) as rows:
        return write(rows, path, "Revenue: by [product]")


def test_in_csv_a_text_that_would_be_a_formula_begins_with_an_apostrophe(frame: pd.DataFrame, tmp_path: Path) -> None:
    assert save(frame, tmp_path / "a.csv") == len(frame)
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["product"] for row in rows[:9]] == [f"'{text}" for text in HOSTILE[:9]]
    assert [row["product"] for row in rows[9:]] == ["http://x", "Latte, small", ""]
    assert [Decimal(row["revenue"]) for row in rows] == list(frame["revenue"])  # a number stays one, also below zero
    assert rows[1]["day"] == "2026-11-02 00:00:00"


def test_in_excel_texts_are_texts_numbers_numbers_and_days_days(frame: pd.DataFrame, tmp_path: Path) -> None:
    save(frame, tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    heads, *rows = book.worksheets[0].iter_rows()
    assert [cell.value for cell in heads] == ["Day", "Product", "Revenue", "Sales"]
    assert book.sheetnames == ["Revenue  by  product"]
    assert {cell.data_type for row in rows for cell in row} == {"s", "n", "d"}
    assert not any(cell.hyperlink for row in rows for cell in row)
    assert [row[1].value for row in rows] == [
        *[text.replace("\r", "_x000D_") for text in HOSTILE],
        "Latte, small",
        None,
    ]
    assert [row[2].value for row in rows] == [float(amount) for amount in frame["revenue"]]
    assert rows[1][0].value == datetime(2026, 11, 2) and rows[1][0].number_format == "yyyy-mm-dd"


def test_parquet_keeps_every_cent(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame.loc[11, "revenue"] = Decimal("9999999999.99")  # the last row's type counts too
    save(frame, tmp_path / "a.parquet")
    found = duckdb.connect().execute("select product, revenue from read_parquet($1)", [str(tmp_path / "a.parquet")])
    assert found.fetchall() == list(zip(frame["product"], frame["revenue"], strict=True))


def test_what_does_not_fit_on_a_sheet_goes_on_on_the_next(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "MOST_ROWS", 5)
    monkeypatch.setattr(formats, "AT_ONCE", 3)
    save(frame, tmp_path / "a.xlsx")
    sheets = openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets
    assert [sheet.title for sheet in sheets] == [f"Revenue  by  product{end}" for end in ("", " 2", " 3")]
    assert [row[3] for sheet in sheets for row in sheet.iter_rows(min_row=2, values_only=True)] == list(range(12))


def test_a_workbook_has_a_cover_and_a_sheet_for_each_frame(frame: pd.DataFrame, tmp_path: Path) -> None:
    write_workbook(tmp_path / "all.xlsx", {"Currency": "USD", "Stores": "=1+1"}, {"A": frame, "B" * 40: frame.head(0)})
    book = openpyxl.load_workbook(tmp_path / "all.xlsx")
    assert book.sheetnames == ["About", "A", "B" * 31]
    assert list(book["About"].iter_rows(values_only=True)) == [("Currency", "USD"), ("Stores", "=1+1")]
    assert book["About"]["B2"].data_type == "s"
    assert (book["A"].max_row, book["B" * 31].max_row) == (13, 1)


def test_another_ending_is_refused_before_anything_is_written(frame: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match=r"'a\.xls', has to end with one of \.csv, \.xlsx, \.parquet"):
        save(frame, tmp_path / "a.xls")
    assert not list(tmp_path.iterdir())


def test_a_file_is_named_by_what_it_holds_and_when() -> None:
    now = datetime(2026, 11, 27, 14, 3, 22)
    assert file_name("Revenue by hour & weekday", now, "csv") == "revenue-by-hour-weekday-2026-11-27-140322.csv"


def test_a_download_is_sent_part_by_part_as_the_browser_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PART_BYTES", 4)
    sent: list[list[Any]] = []
    page = Downloads()
    monkeypatch.setattr(page, "_send_msg", sent.append)
    file = io.BytesIO(b"0123456789")
    page.hand_out("a.csv", file)
    for _ in range(3):
        assert not file.closed
        page._send_part(sent[-1][0])
    assert file.closed
    assert b"".join(b64decode(part) for _, _, part in sent) == b"0123456789" and sent[-1][2] == ""
    for forged in (sent[0][0], "../etc/passwd", None, 7):  # the first is at its end
        page._send_part(forged)
    assert len(sent) == 4


def test_a_download_leaves_nothing_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with written("a.csv", lambda path: path.write_text("all")) as file:
        assert file.read() == b"all" and not list(tmp_path.iterdir())


def test_a_disk_without_room_is_said_in_words() -> None:
    def fail(_path: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(FileRefused, match="could not be written: No space left on device"):
        written("a.csv", fail)


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """More rows than are written here."""
    path = tmp_path / "many.parquet"
    text = "select range as number, '=' || range as said, (range / 4)::decimal(12, 2) as amount from range(25000)"
    duckdb.connect().execute(f"copy ({text}) to '{path}' (format parquet)")
    return path


def test_an_excel_file_of_many_rows_is_written_by_a_process_of_its_own(many: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write_sheet(many, tmp_path / "a.xlsx", "Sales", 25_000, lambda rows, of: told.append((rows, of)))
    assert told == [(10_000, 25_000), (20_000, 25_000), (25_000, 25_000)]
    _, *rows = openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[0].iter_rows(values_only=True)
    assert len(rows) == 25_000 and rows[24_999] == (24_999, "=24999", 6249.75)
    with pytest.raises(OSError, match="No such file or directory"):
        write_sheet(many, tmp_path / "none" / "a.xlsx", "Sales", 25_000)


def test_a_file_that_is_stopped_ends_its_process(many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[subprocess.Popen[str]] = []
    real = subprocess.Popen

    def begin(*args: Any, **options: Any) -> subprocess.Popen[str]:
        begun.append(real(*args, **options))
        return begun[0]

    def stop(_rows: int, _of: int) -> None:
        raise FileStopped("stopped")

    monkeypatch.setattr(subprocess, "Popen", begin)
    with pytest.raises(FileStopped):
        write_sheet(many, tmp_path / "a.xlsx", "Sales", 25_000, stop)
    assert begun[0].returncode == -signal.SIGKILL
