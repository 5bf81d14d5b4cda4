"""Which connection runs which SQL file: what writes needs one that may, and the type checker knows them apart."""

from __future__ import annotations

import re
from pathlib import Path

from workbench.database.sql_files import read_sql

PACKAGE = Path(__file__).parents[3] / "workbench"
WRITES = re.compile(
    r"\b(insert into|update \w+ |delete from|merge into|from stdin|for (no key )?update|nextval|setval|set_config"
    r"|pg_advisory|lock table|create (temp )?table|analyze|truncate|restore_sale\()"
)


def _writes(name: str) -> bool:
    return WRITES.search(re.sub(r"--.*", "", read_sql(name)).lower()) is not None


def _run_by(function: str) -> set[str]:
    pattern = re.compile(rf'\b{function}\(\s*\w+, "([a-z_]+/[a-z_]+)"')
    return {name for path in PACKAGE.rglob("*.py") for name in pattern.findall(path.read_text())}


def test_a_file_that_writes_is_run_on_a_connection_that_may() -> None:
    read, written = _run_by("run_sql"), _run_by("write_sql")
    assert len(read) > 30 and len(written) > 10
    assert {name for name in read if _writes(name)} == set()
    assert {name for name in written if not _writes(name)} == set()
