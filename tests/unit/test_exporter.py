"""What a server does when it loads the plugin: before it listens, and after."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from pkgutil import resolve_name

import pytest

import workbench

APPS = sorted((Path(workbench.__file__).parent / "apps").glob("[a-z]*.py"))
FRAME = ("panel_material_ui", "workbench.shell", "pandas")
PAGES = ("holoviews", "hvplot", "duckdb", "workbench.dashboards.sales_dashboard", "workbench.forms", "alembic")
ASK = """
import asyncio, gc, sys
gc.disable()
from workbench import exporter

def missing(): return [name for name in sys.argv[1:] if name not in sys.modules]

before, was_on = missing(), gc.isenabled()
from workbench.reports.background import Scheduler
Scheduler.start = lambda self: print("schedules")
exporter.REST_SECONDS = exporter.OTHERS_SECONDS = exporter.FIRST_SECONDS = 0
asyncio.run(exporter.import_parts())
print(before, missing(), was_on, gc.isenabled(), gc.get_freeze_count(), len(gc.get_objects()), sep="\\n")
"""


WITH_A_PAGE_OPEN = """
import asyncio, gc, weakref
from workbench import exporter, telemetry
from workbench.reports.background import Scheduler

class Page: pass

async def main():
    begun = asyncio.Event()
    Scheduler.start = lambda self: begun.set()
    exporter.PARTS, exporter.OTHERS = ("no_such_module",), ()
    exporter.REST_SECONDS = exporter.OTHERS_SECONDS = exporter.FIRST_SECONDS = exporter.NOBODY_SECONDS = 0
    before, page = gc.get_freeze_count(), Page()
    page.own, seen = page, weakref.ref(page)
    telemetry.SESSIONS.inc()
    work = asyncio.create_task(exporter.import_parts())
    await begun.wait()
    for _number in range(9):
        await asyncio.sleep(0)
    held = gc.get_freeze_count()
    del page
    telemetry.SESSIONS.dec()
    await work
    print(held <= before, gc.get_freeze_count() > before, seen() is None)

asyncio.run(main())
"""


def test_an_open_page_is_collected_once_it_is_closed_and_what_cannot_be_imported_holds_up_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", WITH_A_PAGE_OPEN], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"] * 3
    assert "no_such_module could not be imported" in done.stderr


def test_what_a_page_is_made_of_is_imported_once_the_server_listens_and_left_out_of_collections() -> None:
    """A collection stops every page; nearly all that it would look through is what was loaded."""
    done = subprocess.run([sys.executable, "-c", ASK, *FRAME, *PAGES], capture_output=True, text=True, check=True)
    schedules, before, after, was_on, is_on, left_out, looked_through = done.stdout.splitlines()
    assert (before, after) == (str(list(PAGES)), "[]")
    assert (was_on, is_on, schedules) == ("False", "True", "schedules")
    assert int(left_out) > 100_000 > 10 * int(looked_through)


@pytest.mark.parametrize("path", APPS, ids=lambda path: path.stem)
def test_what_a_page_shows_is_where_it_is_said_to_be(path: Path) -> None:
    found = re.search(r'page\("\w+", "([\w.:]+)"\)', path.read_text())
    assert found and callable(resolve_name(found[1]))
