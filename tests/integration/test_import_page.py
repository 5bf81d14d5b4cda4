"""Page "Import" without a browser: what is chosen while its file is in use."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import shutil
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.conftest import on_a_thread
from workbench.accounts.actor import current_actor
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


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of what is uploaded."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


async def until(is_true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_true():
            await asyncio.sleep(0.01)


async def upload(page: ImportsPage, path: Path, parts: int = 1) -> None:
    """As the browser sends a file; of several parts all but the last."""
    content = path.read_bytes()
    page._uploads._take({"key": path.name, "name": path.name, "size": len(content)})
    size = len(content) // parts + 1
    for part in range(parts if parts == 1 else parts - 1):
        said = base64.b64encode(content[part * size : (part + 1) * size]).decode()
        page._uploads._take({"key": path.name, "part": said})
    if parts == 1:
        await until(lambda: page._file is not None and page._file.name == path.name and not page._in_line)


def restored(workbench: Workbench, draft: dict[str, Any]) -> tuple[ImportsPage, list[str]]:
    """A page whose browser has kept a draft, and what it is told to keep."""
    page, told = ImportsPage(workbench), list[str]()
    page._unsaved.changed = page._unsaved.tell  # type: ignore[method-assign]
    page._unsaved.param.watch(lambda event: told.append(event.new), "text")
    page._unsaved.kept = json.dumps(draft)
    return page, told


class Held:
    """Has a step of a file wait, and say that it does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        step = getattr(ImportFile, name)
        self.has_begun, self.go_on = threading.Event(), threading.Event()

        def held(file: ImportFile, *given: Any, **options: Any) -> Any:
            self.has_begun.set()
            self.go_on.wait(10)
            return step(file, *given, **options)

        monkeypatch.setattr(ImportFile, name, held)


def test_a_file_is_there_until_the_next_one_is_here_whole(workbench: Workbench, book: Path, uploads: Path) -> None:
    async def choose() -> None:
        page = ImportsPage(workbench)
        await upload(page, book)
        await upload(page, Path(shutil.copy(book, book.with_name("second.xlsx"))), parts=2)
        await page._read(replace(page._fields.mapping, sheet="May"))
        assert "sheet May" in page._read_as.object
        page._leave()
        page._uploads._forget()

    on_a_thread(asyncio.run, choose())
    assert not list(uploads.iterdir())


def test_a_file_is_closed_when_whoever_uses_it_is_done_after_the_page_was_left(
    workbench: Workbench, book: Path, uploads: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def leave() -> None:
        page = ImportsPage(workbench)
        await upload(page, book)
        held = Held(monkeypatch, "read")
        reading = asyncio.create_task(page._read(replace(page._fields.mapping, sheet="May")))
        waiting = asyncio.create_task(page._read(replace(page._fields.mapping, sheet="June")))
        await until(held.has_begun.is_set)
        page._leave()
        assert page._file is not None
        held.go_on.set()
        await asyncio.gather(reading, waiting)

    with caplog.at_level(logging.WARNING):
        on_a_thread(asyncio.run, leave())
    assert not list(uploads.iterdir()) and not caplog.records


def test_a_file_that_comes_while_another_is_used_is_read_afterwards(
    workbench: Workbench, book: Path, uploads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def come() -> None:
        page = ImportsPage(workbench)
        await upload(page, book)
        held = Held(monkeypatch, "map")
        check = asyncio.create_task(page._run_dry(None))
        await until(held.has_begun.is_set)
        with suppress(TimeoutError):
            async with asyncio.timeout(0):
                await upload(page, Path(shutil.copy(book, book.with_name("second.xlsx"))))
        assert page._uploads.text == "second.xlsx is here. It is read when what goes on now is over."
        await page._begin(lambda *_: "never done")  # nothing else begins meanwhile
        held.go_on.set()
        await check
        await until(lambda: page._file is not None and page._file.name == "second.xlsx" and not page._in_line)
        assert page._uploads.text == page._uploads.hint
        page._leave()

    on_a_thread(asyncio.run, come())
    assert not list(uploads.iterdir())


def test_of_files_that_come_meanwhile_the_newest_waits_and_each_is_read_once(
    workbench: Workbench, book: Path, uploads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names, used = ("second.xlsx", "third.xlsx", "fourth.xlsx"), list[tuple[str, str]]()
    read = ImportFile.read

    def noted_read(file: ImportFile, mapping: FileMapping, **options: Any) -> Table:
        used.append((file.name, mapping.sheet))
        return read(file, mapping, **options)

    async def come() -> None:
        page = ImportsPage(workbench)
        await upload(page, book)
        held = Held(monkeypatch, "map")
        check = asyncio.create_task(page._run_dry(None))
        await until(held.has_begun.is_set)
        monkeypatch.setattr(ImportFile, "read", noted_read)
        of_the_first = asyncio.create_task(page._read(replace(page._fields.mapping, sheet="May")))
        for place, name in enumerate(names):
            page._received(Path(shutil.copy(book, uploads / name)), name)
            await until(lambda place=place: page._in_line == 3 + place)  # type: ignore[misc]
        assert [path.name for path in uploads.iterdir() if path.name in names] == ["fourth.xlsx"]
        held.go_on.set()
        await asyncio.gather(check, of_the_first)
        await until(lambda: not page._in_line)
        assert page._file is not None and page._file.name == "fourth.xlsx"
        page._leave()

    on_a_thread(asyncio.run, come())
    assert used == [("book.xlsx", "May"), ("fourth.xlsx", "")]
    assert not list(uploads.iterdir())


def test_what_is_chosen_of_a_file_while_the_next_one_waits_comes_to_nothing(
    workbench: Workbench, book: Path, uploads: Path
) -> None:
    async def choose() -> None:
        page = ImportsPage(workbench)
        await upload(page, book)
        assert page._file is not None
        page._file.result = DryRun((), 0, 0, Decimal())
        async with page._alone():
            opening = asyncio.create_task(page._open(Path(shutil.copy(book, uploads / "second.xlsx")), "second.xlsx"))
            await until(lambda: page._in_line == 2)
            reading = asyncio.create_task(page._read(replace(page._fields.mapping, sheet="June")))
            handing_out = asyncio.create_task(page._hand_out("csv", None))
            await until(lambda: page._in_line == 4)
        await asyncio.gather(opening, reading, handing_out)
        assert page._file.name == "second.xlsx" and page._fields.mapping.columns["store_id"] == "Shop"
        assert "sheet April" in page._read_as.object
        page._leave()

    on_a_thread(asyncio.run, choose())
    assert not list(uploads.iterdir())


def test_a_sheet_without_rows_is_refused_and_the_one_before_stays(
    workbench: Workbench, book: Path, uploads: Path
) -> None:
    made = openpyxl.load_workbook(book)
    made.create_sheet("Empty").append(("Receipt", "Shop", "Price"))
    made.save(book)

    async def choose() -> None:
        page = ImportsPage(workbench)
        await upload(page, book)
        shown = page._fields.mapping
        page._fields._read["sheet"].value = "Empty"
        await until(lambda: "no rows" in page._said.text and not page._in_line)
        assert page._fields.mapping == shown
        assert page._file is not None and list(page._file.first_rows()) == list(SHEETS["April"])
        (uploads / page._upload.name).unlink()  # type: ignore[union-attr]
        await page._read(replace(shown, sheet="May"))
        assert page._said.text == "book.xlsx cannot be read: No such file or directory."

    on_a_thread(asyncio.run, choose())


def test_an_upload_that_was_kept_is_read_again_and_what_is_gone_is_said(
    workbench: Workbench, book: Path, uploads: Path
) -> None:
    async def come_back() -> None:
        page = ImportsPage(workbench)
        await upload(page, book)
        draft = page._draft()
        page._leave()
        assert draft is not None and not list(uploads.iterdir())
        page = ImportsPage(workbench)  # as after a restart
        page._restore(draft)
        await until(lambda: page._file is not None and not page._in_line)
        assert "book.xlsx" in page._read_as.object
        page._forget()
        page._leave()
        page, told = restored(workbench, draft)
        await until(lambda: not page._unsaved.text)
        assert page._said.text == "book.xlsx is not kept any more: choose it again."
        assert told == [json.dumps(draft), ""]  # else the browser would bring it at each load

    on_a_thread(asyncio.run, come_back())


def test_what_was_kept_and_is_refused_is_not_brought_again(workbench: Workbench, tmp_path: Path, uploads: Path) -> None:
    no_file = tmp_path / "till.csv"
    no_file.write_bytes(b"\x7fELF\0\1" * 99)

    async def come_back() -> None:
        token = ImportsPage(workbench)._kept_uploads.keep(no_file, current_actor().name)
        draft = {"upload": token, "name": "till.csv", "mapping": json.loads(FileMapping().to_json())}
        page, told = restored(workbench, draft)
        await until(lambda: not page._unsaved.text and not page._in_line)
        assert "no text" in page._said.text
        assert (told[0], told[-1]) == (json.dumps(draft), "")
        page._leave()

    on_a_thread(asyncio.run, come_back())


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
        check = asyncio.create_task(page._run_dry(None))
        later = asyncio.create_task(page._read(wanted[0]))
        await until(lambda: "check" in used and page._in_line == 2)
        go_on.set()
        await asyncio.wait_for(asyncio.gather(check, later), 10)
        assert page._fields.mapping.sheet == "June"

    on_a_thread(asyncio.run, choose())
    assert used == ["", "June", "May", "check", "June"]
