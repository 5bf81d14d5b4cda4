"""The fields of the page Import: what is chosen in them has the file read again, what they are filled with does not."""

from __future__ import annotations

import asyncio

import panel as pn
import pytest
from bokeh.document import Document

from tests.conftest import on_a_thread
from workbench.dashboards.import_fields import ImportFields
from workbench.imports import FileMapping
from workbench.imports.reading import Table

CSV = Table("csv", ("Store", "When"), 3, "utf-8", ";")
EXCEL = Table("xlsx", ("Store", "When"), 3, sheet="May", sheets=("April", "May"))
PARQUET = Table("parquet", ("Store", "When"), 3)
FOUND = FileMapping({"store_id": "Store"}, decimals=",", dates="day first")


def drawn(asked: asyncio.Queue[FileMapping]) -> ImportFields:
    """As on a page, where a select holds one of its options."""

    async def read_again(mapping: FileMapping) -> None:
        asked.put_nowait(mapping)

    fields = ImportFields(read_again)
    pn.Column(fields).get_root(Document())
    return fields


@pytest.mark.parametrize(
    ("table", "name", "value"), [(CSV, "encoding", "cp1252"), (CSV, "delimiter", ","), (EXCEL, "sheet", "April")]
)
def test_another_way_to_read_a_file_has_it_read_again(table: Table, name: str, value: str) -> None:
    async def choose() -> list[FileMapping]:
        asked = asyncio.Queue[FileMapping]()
        fields = drawn(asked)
        for shown in (EXCEL, PARQUET, CSV, table):
            fields.fill(shown, FOUND)
        fields._read[name].value = value
        first = await asyncio.wait_for(asked.get(), 10)
        fields.fill(table, FOUND)
        fields._read[name].value = value  # the same again: what was found out is another one
        return [first, await asyncio.wait_for(asked.get(), 10), *(asked.get_nowait() for _ in range(asked.qsize()))]

    for mapping in (made := on_a_thread(asyncio.run, choose())):
        assert getattr(mapping, name) == value
        assert (mapping.decimals, mapping.dates) == ("", "")  # they were found out of texts that were read otherwise
    assert len(made) == 2


def test_a_field_that_is_not_seen_says_nothing() -> None:
    async def mapping_of(table: Table, mapping: FileMapping) -> FileMapping:
        fields = drawn(asyncio.Queue())
        for shown in (CSV, table):
            fields.fill(shown, FOUND)
        fields.fill(table, mapping)
        return fields.mapping

    unread = FileMapping({"store_id": "Store"})
    assert on_a_thread(asyncio.run, mapping_of(PARQUET, unread)) == unread
    assert on_a_thread(asyncio.run, mapping_of(PARQUET, FOUND)) == FOUND
