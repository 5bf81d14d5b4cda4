"""The fields of the page Import: what is chosen in them has the file read again, what they are filled with does not."""

from __future__ import annotations

import asyncio

import pytest

from workbench.dashboards.import_fields import ImportFields
from workbench.imports import FileMapping
from workbench.imports.reading import Table

CSV = Table("csv", ("Store", "When"), 3, "utf-8", ";")
EXCEL = Table("xlsx", ("Store", "When"), 3, sheet="May", sheets=("April", "May"))


@pytest.mark.parametrize(
    ("table", "name", "value"), [(CSV, "encoding", "cp1252"), (CSV, "delimiter", ","), (EXCEL, "sheet", "April")]
)
def test_another_way_to_read_a_file_has_it_read_again(table: Table, name: str, value: str) -> None:
    async def choose() -> list[str]:
        asked = asyncio.Queue[str]()

        async def read_again() -> None:
            asked.put_nowait(getattr(fields.mapping, name))

        fields = ImportFields(read_again)
        for shown in (EXCEL, CSV, table):
            fields.fill(shown, FileMapping())
        fields._read[name].value = value
        first = await asyncio.wait_for(asked.get(), 10)
        fields.fill(table, FileMapping())
        fields._read[name].value = value  # the same again: what was found out is another one
        return [first, await asyncio.wait_for(asked.get(), 10), *(asked.get_nowait() for _ in range(asked.qsize()))]

    assert asyncio.run(choose()) == [value, value]
