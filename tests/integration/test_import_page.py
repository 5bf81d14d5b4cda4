"""Page "Import" without a browser: what is chosen while its file is in use."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.conftest import on_a_thread
from workbench.connection import Workbench
from workbench.dashboards.imports_page import ImportsPage
from workbench.imports import FileMapping, ImportFile
from workbench.imports.files import DryRun
from workbench.imports.reading import Table

SHEETS = {
    "April": ("Receipt", "Shop", "Date", "Amount"),
    "May": ("Receipt", "Branch", "Date", "Total"),
    "June": ("Order No", "Shop", "Date", "Price"),
}


@pytest.fixture
def book(tmp_path: Path) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.worksheets[0])
    for name, header in SHEETS.items():
        made.create_sheet(name).append(header)
        made[name].append((1, 3, "3/14/2025" if name == "April" else "14/3/2025", "2,50"))
    made.save(tmp_path / "book.xlsx")
    return tmp_path / "book.xlsx"


def test_one_at_a_time_uses_a_file_and_of_several_choices_the_newest_counts(
    workbench: Workbench, book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_use, go_on, used = threading.Lock(), threading.Event(), list[str]()
    read = ImportFile.read

    def use(what: str) -> None:
        used.append(what if in_use.acquire(blocking=False) else f"{what} at once")

    def noted_read(file: ImportFile, mapping: FileMapping, **options: Any) -> Table:
        use(mapping.sheet)
        try:
            return read(file, mapping, **options)
        finally:
            in_use.release()

    def held_check(_file: ImportFile, _should_stop: Any) -> DryRun:
        use("check")
        go_on.wait(10)
        in_use.release()
        return DryRun((), 0, 0, 0)  # type: ignore[arg-type]

    monkeypatch.setattr(ImportFile, "read", noted_read)
    monkeypatch.setattr(ImportFile, "map", lambda *_: None)
    monkeypatch.setattr(ImportFile, "dry_run", held_check)

    async def choose() -> None:
        page = ImportsPage(workbench)
        await page._open(book, book.name)
        shown = page._fields.mapping
        assert [shown.columns[name] for name in ("store_id", "line_total")] == ["Shop", "Amount"]
        assert shown.dates == "month first"
        wanted = [replace(shown, sheet=sheet, dates="") for sheet in ("June", "April", "May")]
        await asyncio.gather(*map(page._read, wanted), page._run_dry(None))
        shown = page._fields.mapping
        assert (shown.sheet, shown.dates) == ("May", "day first")
        names = ("invoice", "transaction_time", "store_id", "line_total")
        assert shown.columns == dict(zip(names, ("Receipt", "Date", "Branch", "Total"), strict=True))
        await page._run_dry(None)
        later = asyncio.create_task(page._read(wanted[0]))
        while "check" not in used or not page._in_line:
            await asyncio.sleep(0.01)
        go_on.set()
        await asyncio.wait_for(later, 10)
        assert page._fields.mapping.sheet == "June"

    on_a_thread(asyncio.run, choose())
    assert used == ["", "June", "May", "check", "June"]
