"""Pages that are closed go from memory, however many are opened, and their queries end. `make soak` measures bytes."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import as_superuser, wait_until
from tests.examples import sale
from tests.ui.conftest import Served, drawn, serving, visit, watched_page
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.servers import cluster

REPOSITORY = Path(__file__).parents[2]
FORGET_SOON = ("--unused-session-lifetime=1000", "--check-unused-sessions=200", "--plugins=tests.ui.alive")
# Panel's timers of the whole process keep the document in which they were started, but no other after it.
VISITS, KEPT = 2, 1
# page -> what it is made of besides its frame, and what is seen when it is ready
PAGES = {
    "analytics": ("SalesDashboard", "Revenue by store"),
    "sales": ("SalesManager", "1 transaction"),
    "pipeline": ("PipelinePage", "Replication slots"),
    "reports": ("ReportsPage", "Daily sales"),
}
LOCKED = "select count(*) from pg_locks where mode = 'AccessExclusiveLock'"
# Not of the columns, which read the sale that was just made: they go on for all.
WAITING = (
    "select count(*) from pg_stat_activity where usename = 'workbench_reader' and wait_event_type = 'Lock'"
    " and not starts_with(lower(query), 'copy')"
)


@pytest.fixture(scope="module")
def forgetful(settings: Settings) -> Iterator[Served]:
    """The app, which forgets a session a second after it was left."""
    with serving(settings, *FORGET_SOON, changes={"PYTHONPATH": str(REPOSITORY)}) as served:
        yield served


@pytest.mark.parametrize("path", PAGES)
def test_closed_pages_go_from_memory(forgetful: Served, path: str, workbench: Workbench, browser: Browser) -> None:
    content, seen = PAGES[path]
    yesterday = datetime.now() - timedelta(days=1)  # within the days that Analytics shows at first: charts are drawn
    workbench.sales().create(sale(transaction_time=yesterday.isoformat(sep=" ")), uuid4())
    most = {content: KEPT, "Page": KEPT, "Document": alive(forgetful, "Document") + KEPT}
    for _ in range(VISITS):
        page = browser.new_page()
        page.goto(f"{forgetful.url}/{path}", timeout=60_000)
        drawn(page)
        expect(page.get_by_text(seen).first).to_be_visible(timeout=60_000)
        assert alive(forgetful, content) > 0
        page.close()
    for name, count in most.items():
        wait_until(lambda name=name, count=count: alive(forgetful, name) <= count, f"a {name} of each visit to go")
    assert not forgetful.errors()


def alive(served: Served, name: str) -> int:
    """How many objects of this class the app's process holds."""
    with urllib.request.urlopen(f"{served.url}/alive?of={name}") as answer:
        return int(answer.read())


def test_the_query_of_a_closed_page_ends_at_the_server(
    app: str, browser: Browser, settings: Settings, workbench: Workbench
) -> None:
    """Its session lives on for half a minute, the query would for eight seconds: others hold what it reads."""
    workbench.sales().create(sale(), uuid4())
    superuser = cluster.superuser(settings)
    with (
        as_superuser(superuser, settings.replica_db_port).connect() as replica,
        as_superuser(superuser, settings.master_db_port).connect() as master,
        watched_page(browser) as page,
    ):
        visit(page, f"{app}/sales")
        with master.execution_options(isolation_level="READ COMMITTED").begin():
            master.exec_driver_sql("lock table sales_transaction in access exclusive mode")
            wait_until(lambda: replica.exec_driver_sql(LOCKED).scalar_one() > 0, "the lock to be on the replica too")
            page.get_by_role("button", name="Refresh").click()
            wait_until(lambda: replica.exec_driver_sql(WAITING).scalar_one() > 0, "the query to wait")
            page.close()
            wait_until(lambda: replica.exec_driver_sql(WAITING).scalar_one() == 0, "the query to end", 5)
