"""What a real RisingWave does when it is killed, and when its slot is lost: only on one that this run has started."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from tests.conftest import as_superuser, wait_until
from tests.examples import sale
from tests.stack.conftest import has_caught_up
from tests.stack.program import Program
from tests.ui.conftest import serving, visit, watched_page
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.database.engines import Engines
from workbench.errors import CdcError
from workbench.metrics import views
from workbench.servers import cluster
from workbench.servers.health import status
from workbench.servers.risingwave import build, state
from workbench.servers.risingwave.console import SLOT

TILE = ".fresh-line"
RETURN_MS = 300_000


@pytest.fixture(scope="module", autouse=True)
def built(stack_engines: Engines, own_risingwave: Program) -> None:
    """Everything is there."""
    build.apply(stack_engines, views.materialized_views(), print)


@pytest.fixture
def page(stack_settings: Settings, stack: Workbench, browser: Browser) -> Iterator[Page]:
    """The page of figures, answered by RisingWave."""
    assert has_caught_up(stack.engines)
    with serving(stack_settings) as app, watched_page(browser) as opened:
        visit(opened, f"{app.url}/analytics")
        expect(opened.locator(TILE, has_text="RisingWave").first).to_be_visible(timeout=RETURN_MS)
        yield opened
        assert not app.errors(), app.log.read_text(errors="replace")[-4000:]


def test_killed_with_a_page_open_the_figures_stay_and_it_returns(
    page: Page, stack: Workbench, stack_engines: Engines, own_risingwave: Program
) -> None:
    shown = page.locator(".figure").first
    expect(shown).to_have_text(re.compile(r"\d"), timeout=RETURN_MS)
    before = shown.inner_text()
    own_risingwave.kill()
    try:
        yesterday = datetime.now() - timedelta(days=1)
        made = stack.sales(actor="stack test").create(sale(transaction_time=str(yesterday)), uuid4())
        expect(shown).not_to_have_text(before, timeout=RETURN_MS)
        expect(page.locator(TILE, has_text="RisingWave")).to_have_count(0, timeout=RETURN_MS)
        assert page.locator(".figure", has_text="–").count() == 0
    finally:
        own_risingwave.start()
    stack.sales(actor="stack test").delete(made.transaction_id, made.version, uuid4(), "rung up twice")
    expect(shown).to_have_text(before, timeout=RETURN_MS)
    expect(page.locator(TILE, has_text="RisingWave").first).to_be_visible(timeout=RETURN_MS)
    assert has_caught_up(stack_engines)
    assert state.state(stack_engines, views.materialized_views()).problems == ()


def test_a_lost_slot_is_told_and_what_mends_it_does(
    stack_settings: Settings, stack_engines: Engines, own_risingwave: Program
) -> None:
    assert has_caught_up(stack_engines)
    own_risingwave.kill()
    try:
        lose_the_slot(stack_settings, stack_engines)
    finally:
        own_risingwave.start()
    assert "was lost" in status(stack_engines).risingwave.note
    assert any("was lost" in problem for problem in state.state(stack_engines, views.materialized_views()).problems)
    with pytest.raises(
        CdcError, match=f"the slot {SLOT} was lost: .*risingwave drop`, then `workbench risingwave apply"
    ):
        build.apply(stack_engines, views.materialized_views())
    build.drop(stack_engines, views.materialized_views(), print)
    build.apply(stack_engines, views.materialized_views(), print)
    assert has_caught_up(stack_engines)
    assert state.state(stack_engines, views.materialized_views()).problems == ()


def lose_the_slot(settings: Settings, engines: Engines) -> None:
    """Nobody reads from it, and the master may keep less for it than is written."""
    with as_superuser(cluster.superuser(settings), settings.master_db_port).connect() as root:
        run: Callable[[str], object] = root.exec_driver_sql
        kept = run("show max_slot_wal_keep_size").scalar_one()  # type: ignore[attr-defined]
        run("alter system set max_slot_wal_keep_size = '16MB'")
        run("select pg_reload_conf()")
        try:

            def is_lost() -> bool:
                run("select pg_logical_emit_message(false, 'filling', repeat('x', 4000000)) from generate_series(1, 8)")
                run("select pg_switch_wal()")
                run("checkpoint")
                slots = {slot["slot_name"]: slot["wal_status"] for slot in status(engines).slots}
                return slots[SLOT] == "lost" and slots["replica"] != "lost"

            wait_until(is_lost, "the slot to be lost", 60)
        finally:
            run("alter system reset max_slot_wal_keep_size")
            run("select pg_reload_conf()")
        assert kept != "-1"
    with engines.owner.connect() as connection:
        assert connection.execute(sa.text("show max_slot_wal_keep_size")).scalar_one() == kept
