"""Page "Pipeline": what it says of the servers, running migrations, loading sample sales."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from tests.conftest import free_ports
from tests.examples import HOSTILE, sale
from tests.ui.conftest import serving, visit, watched_page
from workbench import sample
from workbench.config import Settings
from workbench.database.engines import Engines
from workbench.database.positions import wait_for_replica
from workbench.database.replication import Reader, ReadPosition
from workbench.metrics import verification
from workbench.sales.service import Sales
from workbench.servers import cluster

LOADED_MS = 60_000


def test_what_it_says_of_the_servers_is_renewed_in_place(app: str, page: Page, settings: Settings) -> None:
    visit(page, f"{app}/pipeline")
    master, replica = page.get_by_role("region", name="Master"), page.get_by_role("region", name="Replica")
    expect(master).to_contain_text("Up")
    expect(master).to_contain_text(f"127.0.0.1:{settings.master_db_port}")
    expect(master).to_contain_text("PostgreSQL 18")
    expect(replica).to_contain_text(f"127.0.0.1:{settings.replica_db_port}")
    expect(replica).to_contain_text(re.compile(r"Lag\s*[\d.,]+ (bytes|kB), \d+\.\d s"))
    expect(page.get_by_role("region", name="RisingWave")).to_contain_text("Not configured")
    expect(page.get_by_role("alert").filter(has_text="away")).not_to_be_visible()
    slot = page.get_by_role("row").filter(has_text="physical")
    expect(slot).to_contain_text(re.compile(r"In use\s*[\d.,]+ (bytes|kB|MB)\s*reserved"))
    position = master.locator("dd").nth(2)
    before = position.text_content()
    card = page.locator(".MuiPaper-outlined").first
    card.evaluate("e => { e.isTheSame = true }")
    expect(position).not_to_have_text(str(before))  # a heartbeat a second moves the master's WAL position
    assert card.evaluate("e => e.isTheSame === true"), "the card was rebuilt"
    latencies_are_drawn_in_place(page)


def numbers(page: Page, row: str) -> list[str]:
    """The cells of the row that begins with this text."""
    found = page.get_by_role("row").filter(has_text=row)
    expect(found).to_be_visible()
    return found.get_by_role("cell").all_text_contents()


def latencies_are_drawn_in_place(page: Page) -> None:
    """Those of each heartbeat, as it comes."""
    figure = page.locator(".bk-Figure").first
    expect(figure).to_be_visible()
    figure.evaluate("e => { e.isTheSame = true }")
    drawn = page.evaluate_handle(
        "() => [...Bokeh.documents[0]._all_models.values()].find((m) => m.type === 'ColumnDataSource' && m.data.ms)"
    )
    before = drawn.evaluate("s => s.data.at.at(-1)")  # not how many: only so many are kept
    page.wait_for_function("([s, at]) => s.data.at.filter((t) => t > at).length >= 2", arg=[drawn, before])
    assert figure.evaluate("e => e.isTheSame === true"), "the chart was rebuilt"
    latencies = drawn.evaluate("s => [...s.data.ms]")
    assert all(0 < latency < 5000 for latency in latencies)
    heartbeats = numbers(page, "Heartbeats")
    assert all(re.fullmatch(r"[\d.,]+ m?s", text) for text in heartbeats[2:]), heartbeats


def test_saves_and_queries_are_counted_with_their_quantiles(app: str, page: Page, engines: Engines) -> None:
    visit(page, f"{app}/pipeline")
    saves = int(numbers(page, "Saves")[1])
    visit(page, f"{app}/sales")
    page.get_by_role("tab", name="Add Transaction").click()
    page.get_by_role("button", name="Details", exact=True).click()
    for label, text in {"Store ID": "3", "Cashier ID": "301", "Product Code": "A", "Product Name": "B"}.items():
        page.get_by_label(label, exact=True).fill(text)
    for label, text in {"Quantity": "1", "Unit Price": "1.00"}.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="Add item", exact=True).click()
    expect(page.get_by_role("button", name="Remove B", exact=True)).to_be_visible()
    page.get_by_role("button", name="Create Transaction").click()
    expect(page.get_by_role("status").filter(has_text="visible on the replica after")).to_be_visible()
    visit(page, f"{app}/pipeline")
    row = numbers(page, "Saves")
    assert int(row[1]) == saves + 1
    assert all(re.fullmatch(r"[\d.,]+ m?s", text) for text in row[3:]), row
    queries = page.get_by_role("row").filter(has=page.get_by_role("cell", name="Replica", exact=True))
    assert all(re.fullmatch(r"[\d.,]+( m?s)?", text) for text in queries.get_by_role("cell").all_text_contents()[1:])


def test_loading_sample_sales_shows_what_was_loaded(app: str, page: Page, engines: Engines) -> None:
    visit(page, f"{app}/pipeline")
    page.get_by_label("Number of sales").fill("1,200")
    page.get_by_role("button", name="Load sample data").dblclick()
    expect(page.get_by_role("status")).to_have_text(
        re.compile(r"Loaded 1,200 sales and \d+ returns with [\d,]+ lines in \d+\.\d s\."), timeout=LOADED_MS
    )
    expect(page.get_by_role("button", name="Load sample data")).to_be_enabled()
    assert sales(engines) == 1200


def test_among_real_sales_a_load_is_agreed_to_by_typing_and_can_be_undone(
    app: str, page: Page, engines: Engines
) -> None:
    Sales(engines, Reader(engines), ReadPosition(), "").create(sale(), uuid4())
    visit(page, f"{app}/pipeline")
    agree = page.get_by_label(re.compile("There are real sales: type"))
    expect(agree).to_be_visible()
    page.get_by_label("Number of sales").fill("300")
    page.get_by_role("button", name="Load sample data").click()
    expect(page.get_by_text("they are mixed with yours")).to_be_visible()
    assert sales(engines) == 1
    agree.fill("made up")
    page.get_by_role("button", name="Load sample data").click()
    expect(page.get_by_role("status")).to_contain_text("Loaded 300 sales", timeout=LOADED_MS)
    expect(page.get_by_text("Last load: 300 sales")).to_be_visible()
    expect(agree).to_have_value("")
    with engines.master.begin() as connection:
        connection.exec_driver_sql("update sales_item set product_name = 'Mine' where product_name = 'Espresso'")
    page.get_by_role("button", name="Undo this load").click()
    expect(page.get_by_role("status")).to_contain_text("Tick the box to remove these as well", timeout=LOADED_MS)
    assert sales(engines) == 301
    page.get_by_label(re.compile("Also the [0-9]+ that were changed since")).check()
    page.get_by_role("button", name="Undo this load").click()
    expect(page.get_by_role("status")).to_contain_text("Removed 300 sample sales", timeout=LOADED_MS)
    expect(page.get_by_role("button", name="Undo this load")).not_to_be_visible()
    assert sales(engines) == 1


def test_missing_indexes_are_told_and_made(app: str, page: Page, engines: Engines) -> None:
    with engines.owner.begin() as connection:
        connection.exec_driver_sql("drop index sales_transaction_day_idx")
    visit(page, f"{app}/pipeline")
    expect(page.get_by_role("region", name="Master")).to_contain_text("1 reading index is missing")
    page.get_by_role("button", name="Run migrations").click()
    expect(page.get_by_text("Made indexes: sales_transaction_day_idx.")).to_be_visible()
    expect(page.get_by_role("region", name="Master")).not_to_contain_text("missing")


def test_a_bad_number_of_sales_is_refused_beside_the_field(app: str, page: Page, engines: Engines) -> None:
    """The click leaves the cursor where it is, as a screen reader's does: what is typed counts, not what was there."""
    visit(page, f"{app}/pipeline")
    field = page.get_by_label("Number of sales")
    for text in ("", "<b>1</b>", "50000001", "-3", "1.5", "abc"):
        field.fill(text)
        page.get_by_role("button", name="Load sample data").evaluate("button => button.click()")
        shown = text if text.isdigit() else f"'{text}'"
        beside = f"{shown} cannot be used" if text else "This is missing"
        expect(page.get_by_text(f"{beside}: give a whole number from 1 to 50,000,000")).to_be_visible()
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_value(text)
    assert sales(engines) == 0


def test_a_bad_seed_is_refused_and_the_message_goes_once_it_is_right(app: str, page: Page) -> None:
    visit(page, f"{app}/pipeline")
    page.get_by_label("Number of sales").fill("1")
    page.get_by_label("Seed").fill("-1")
    page.get_by_role("button", name="Load sample data").click()
    expect(page.get_by_text("'-1' cannot be used: give a whole number from 0 to 2,147,483,647")).to_be_visible()
    expect(page.get_by_label("Seed")).to_be_focused()
    page.get_by_label("Seed").fill("0")
    page.get_by_role("button", name="Load sample data").click()
    expect(page.get_by_text("cannot be used")).not_to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("Loaded 1 sale ", timeout=LOADED_MS)


def test_a_load_is_seen_by_a_second_page_and_stopping_it_leaves_nothing(
    app: str, page: Page, browser: Browser, engines: Engines
) -> None:
    visit(page, f"{app}/pipeline")
    page.get_by_label("Number of sales").fill("2,000,000")
    page.get_by_role("button", name="Load sample data").click()
    running = re.compile(r"[\d,]+ of 2,000,000 sales")
    expect(page.get_by_role("status")).to_have_text(running)
    expect(page.get_by_role("progressbar").last).to_be_visible()
    with watched_page(browser) as second:
        visit(second, f"{app}/pipeline")
        expect(second.get_by_role("status")).to_have_text(running)
        expect(second.get_by_role("button", name="Load sample data")).to_be_disabled()
        second.get_by_role("button", name="Stop").click()
        expect(page.get_by_role("status")).to_contain_text("Nothing was loaded.", timeout=LOADED_MS)
        expect(second.get_by_role("button", name="Load sample data")).to_be_enabled()
    assert sales(engines) == 0


def sales(engines: Engines) -> int:
    """How many sales the master has."""
    with engines.master.connect() as connection:
        count = "select count(*) from sales_transaction where return_of is null"
        return int(connection.execute(sa.text(count)).scalar_one())


@pytest.fixture
def unmigrated(settings: Settings) -> Iterator[Settings]:
    """A pair of servers on which no migration has run."""
    master_port, replica_port = free_ports(2)
    base = Settings(
        _env_file=None,
        workbench_data_dir=settings.workbench_data_dir.parent / "unmigrated",  # PostgreSQL's user can enter it
        master_db_port=master_port,
        replica_db_port=replica_port,
    )
    yield cluster.up(base)
    cluster.down(base)


def test_pending_migrations_are_listed_and_run(unmigrated: Settings, browser: Browser) -> None:
    with serving(unmigrated) as served, watched_page(browser) as page:
        visit(page, f"{served.url}/pipeline")
        expect(page.get_by_text(re.compile("migrations? (is|are) pending"))).to_be_visible()
        page.get_by_role("button", name="Run migrations").dblclick()
        expect(page.get_by_text("Ran 0001")).to_be_visible()
        expect(page.get_by_text("The schema is up to date.")).to_be_visible()
        expect(page.get_by_role("button", name="Run migrations")).to_be_disabled()
        assert not served.errors()


def test_comparing_now_says_that_nothing_differs(app: str, page: Page, engines: Engines) -> None:
    sample.load(engines, 50, seed=1)
    visit(page, f"{app}/pipeline")
    page.get_by_role("button", name="Compare now").click()
    expect(page.get_by_text("Compared: the result is above.")).to_be_visible(timeout=LOADED_MS)  # not one before it
    expect(page.get_by_text("No difference")).to_be_visible()
    expect(page.get_by_text(re.compile(r"[\d,]+ figures on master, replica"))).to_be_visible()


def test_the_last_result_is_shown_whoever_ran_it(app: str, page: Page, engines: Engines) -> None:
    found = verification.Difference("revenue", "category", HOSTILE, "replica", "10.00", "9.99")
    result = verification.verify(engines, should_stop=lambda: True)
    verification.save(engines, replace(result, differences=(found,)))
    assert wait_for_replica(engines)
    visit(page, f"{app}/pipeline")
    expect(page.get_by_text("Figures that differ: 1")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="9.99")).to_contain_text(HOSTILE)
    expect(page.get_by_text("Stopped after 0 of")).to_be_visible()
