"""An address with a filter, opened as a shared link is, on a busy machine: every tile is drawn, and drawn once."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from bokeh.client.session import ClientSession
from bokeh.document import Document
from bokeh.document.events import MessageSentEvent
from bokeh.events import DocumentReady
from bokeh.protocol.messages.patch_doc import patch_doc
from playwright.sync_api import Page, expect

from tests.conftest import on_a_thread
from tests.ui.conftest import seen_through, serving, visit
from workbench.config import Settings
from workbench.database.engines import Engines
from workbench.database.positions import wait_for_replica
from workbench.sample import load

CHART, TABLE, GRID, FIGURE = ({kind: 1} for kind in ("chart", "table", "grid", "figure"))
CHARTS = (
    *("Revenue over time", "Top 10 products by revenue", "Top 10 products by quantity", "Revenue by store"),
    *("Revenue by category", "Revenue by payment method", "Revenue by cashier", "Revenue by hour and weekday"),
)
KEY_FIGURES = ("Total Transactions", "Total Revenue", "Items Sold", "Avg Transaction")
TILES = {
    "overview": dict.fromkeys(KEY_FIGURES, FIGURE) | dict.fromkeys(CHARTS, CHART) | {"Recent transactions": TABLE},
    "products": {"Products": TABLE, "Bought together": TABLE},
    "customers": {"Customers": TABLE, "Discounts by category": TABLE, "Discounts by store": TABLE},
    "sales": {"Sales behind these figures": GRID},
}
OPENED = ("overview", "products", "overview", "customers", "overview", "sales") * 2
AT_ONCE, DRAWN_SECONDS = 3, 60.0
HELD_OPEN = """
import threading
import pandas as pd
from workbench.config.clock import utc_now
from workbench.dashboards.feed import Feed
from workbench.dashboards.tile import Tile, html
from workbench.database.replication import Answer
from workbench.shell import page

class Held(Tile):
    others, is_drawing = threading.Event(), False

    def fetch(self, moment):
        return Answer(pd.DataFrame({"stores": [str(moment.where.stores)]}), "replica", utc_now())

    def draw(self, moment, frame):
        if self.is_drawing:
            self.others.set()
            return
        self.is_drawing = True
        self.feed.filters.stores = [3]
        self.pane = html("drawn by two at once" if self.others.wait(3) else "drawn by one at a time")
        self.is_drawing = False
        self.card.fill()

    def drawn(self):
        return self.pane

def content(workbench):
    feed = Feed(workbench)
    feed.live.wait_until_begun(60)
    tile = Held(feed)
    feed.show([tile])
    return tile

page("Held", content)
"""
STILL_LOADING = """
import pandas as pd
import panel as pn
from bokeh.models import ColumnDataSource
from bokeh.plotting import figure
from workbench.config.clock import utc_now
from workbench.dashboards.feed import Feed
from workbench.dashboards.tile import Tile
from workbench.database.replication import Answer
from workbench.shell import page

class Chart(Tile):
    source = None

    def fetch(self, moment):
        return Answer(pd.DataFrame({"stores": [str(moment.where.stores)]}), "replica", utc_now())

    def draw(self, moment, frame):
        if self.source is None:
            self.source = ColumnDataSource({"x": [""]})
            plot = figure()
            plot.scatter("x", "x", source=self.source)
            self.pane = pn.pane.Bokeh(plot)
            self.card.fill()
            return
        self.source.data.update({"x": ["drawn by its second answer"]})

    def drawn(self):
        return self.pane

def content(workbench):
    feed = Feed(workbench)
    feed.live.wait_until_begun(60)
    tile = Chart(feed)
    feed.show([tile])
    doc = pn.state.curdoc

    def narrowed():
        pn.state._loaded[doc] = False
        feed.filters.stores = [3]

    def follow():
        feed.follow(tile)
        pn.state.add_periodic_callback(narrowed, 300, count=1)

    pn.state.onload(follow)
    return tile

page("Held", content)
"""
ADDRESS = {"period": "custom", "stores": "3"}


@pytest.fixture
def sold(engines: Engines) -> None:
    """So many sales that every tile has something to draw, pairs of products that ten sales of a store have too."""
    load(engines, 4000, seed=42)
    assert wait_for_replica(engines)


@pytest.fixture
def busy() -> Iterator[None]:
    """Two processes that do nothing but keep two cores busy."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    yield
    for loop in loops:
        loop.kill()
        loop.wait()


def test_every_tile_of_a_filtered_address_is_drawn_once(app: str, sold: None, busy: None) -> None:
    """By Bokeh's own client, which is told what a browser is told: as many browsers would take minutes."""
    with ThreadPoolExecutor(AT_ONCE) as readers:
        found = list(readers.map(lambda tab: drawn(app, tab), OPENED))
    assert found == [TILES[tab] for tab in OPENED]


def test_a_tile_is_not_drawn_on_the_event_loop_while_its_page_is_built(
    settings: Settings, engines: Engines, tmp_path: Path
) -> None:
    """The race itself, held open: while the page's thread draws a tile, a filter changes, as an address's does."""
    page = tmp_path / "held.py"
    page.write_text(HELD_OPEN)
    with serving(settings, "--plugins=workbench.exporter", pages=[page]) as served:
        found = on_a_thread(how_it_was_drawn, served.url)
    assert set(found) == {"drawn by one at a time"}


def test_a_chart_is_written_to_with_the_lock_of_its_page(settings: Settings, engines: Engines, tmp_path: Path) -> None:
    """Also when Panel, in this test by force, takes the page for one that loads, and holds nothing back."""
    page = tmp_path / "held.py"
    page.write_text(STILL_LOADING)
    with serving(settings, "--plugins=workbench.exporter", pages=[page]) as served:
        found = on_a_thread(how_it_was_drawn, served.url)
        assert not served.errors(0)
    assert set(found) == {"drawn by its second answer"}


def how_it_was_drawn(url: str) -> list[str]:
    """What the tile of the page says, as soon as it says it; nothing when it does not in a while."""
    session = ClientSession(websocket_url=f"{url.replace('http', 'ws', 1)}/held/ws")
    session.connect()
    session._document_patched(MessageSentEvent(Document(), "bokeh_event", DocumentReady()))
    end, found = time.monotonic() + DRAWN_SECONDS, list[str]()
    while not found and time.monotonic() < end:
        time.sleep(0.1)
        found = re.findall("drawn by [a-z0-9 ]+", str(document(session)))
    session.close()
    return found


def test_a_browser_shows_every_tile_of_a_filtered_address_once(app: str, page: Page, sold: None) -> None:
    kinds = {"chart": ".bk-Figure", "table": "table", "figure": ".figure", "grid": ".tabulator"}
    visit(page, f"{app}/analytics?period=custom&stores=3")
    for name, of_tab in zip(("Overview", "Products", "Customers and discounts", "Sales"), TILES.values(), strict=True):
        page.get_by_role("tab", name=name, exact=True).click()
        seen_through(page)
        expected = sum((Counter(tile) for tile in of_tab.values()), Counter[str]())
        for kind, selector in kinds.items():
            expect(page.locator(selector).filter(visible=True), f"{name}: {kind}").to_have_count(expected[kind])


def drawn(app: str, tab: str) -> dict[str, dict[str, int]]:
    """What each tile of a page holds once it is answered and nothing more comes."""
    url = f"{app.replace('http', 'ws', 1)}/analytics/ws"
    session = ClientSession(websocket_url=url, arguments=ADDRESS | {"tab": tab})
    session.connect()
    try:
        session._document_patched(MessageSentEvent(Document(), "bokeh_event", DocumentReady()))
        end, before, found = time.monotonic() + DRAWN_SECONDS, None, tiles(document(session))
        while time.monotonic() < end and not (
            found == before and set(found) == set(TILES[tab]) and all(found.values())
        ):
            look_at_every_tile(session)
            time.sleep(0.3)
            before, found = found, tiles(document(session))
        return {title: dict(kinds) for title, kinds in found.items()}
    finally:
        session.close()


def look_at_every_tile(session: Any) -> None:
    """Tells what a browser tells that has every tile on its screen."""
    heads = [model["id"] for model in models(document(session)) if model["attributes"].get("is_near") is False]
    if heads:
        events = [{"kind": "ModelChanged", "model": {"id": head}, "attr": "is_near", "new": True} for head in heads]
        message = patch_doc(patch_doc.create_header(), {}, {"events": events})
        session._connection._send_message_wait_for_reply(message)


def document(session: Any) -> Any:
    """The page as the server has it, in JSON."""
    connection = session._connection
    return connection._send_message_wait_for_reply(connection._protocol.create("PULL-DOC-REQ")).content["doc"]


def tiles(part: Any) -> dict[str, Counter[str]]:
    """How many charts, tables, grids and key figures each tile holds, by its title."""
    found: dict[str, Counter[str]] = {}
    if isinstance(part, dict) and part.get("attributes", {}).get("class_name") == "TileCard":
        card, kinds = part["attributes"]["data"]["attributes"], Counter[str]()
        text = card.get("text", "")
        kinds["table"], kinds["figure"] = text.count("<table"), text.count('class="figure')
        for model in models(card.get("body")):
            kinds[{"Figure": "chart", "DataTabulator": "grid"}.get(model["name"].rpartition(".")[2], "")] += 1
        return {card["heading"]: +Counter({kind: kinds[kind] for kind in ("chart", "table", "grid", "figure")})}
    for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        found |= tiles(each)
    return found


def models(part: Any) -> Iterator[dict[str, Any]]:
    """Every model of a part of a document, once: where it is named again it has no attributes."""
    if isinstance(part, dict):
        if "attributes" in part and "name" in part:
            yield part
        for each in part.values():
            yield from models(each)
    elif isinstance(part, list):
        for each in part:
            yield from models(each)
