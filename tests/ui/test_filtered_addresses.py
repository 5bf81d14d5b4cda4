"""An address with a filter, opened as a shared link is, on a busy machine: every tile is drawn, and drawn once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, TimeoutError

from tests.ui.conftest import Watch, watched_page
from tests.ui.test_analytics_page import sales

__all__ = ["sales"]  # a fixture

CHART, TABLE, GRID, FIGURE = ([1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1])
TILES = {
    "overview": {
        **dict.fromkeys(("Total Transactions", "Total Revenue", "Items Sold", "Avg Transaction"), FIGURE),
        **dict.fromkeys(("Daily revenue", "Top 10 products by revenue", "Top 10 products by quantity"), CHART),
        **dict.fromkeys(("Revenue by store", "Revenue by category", "Revenue by payment method"), CHART),
        **dict.fromkeys(("Revenue by cashier", "Revenue by hour and weekday"), CHART),
        "Recent transactions": TABLE,
    },
    "products": {"Products": TABLE, "Bought together": TABLE},
    "customers": {"Customers": TABLE, "Discounts by category": TABLE, "Discounts by store": TABLE},
    "sales": {"Sales behind these figures": GRID},
}
OPENED = ("overview", "products", "overview", "customers", "overview", "sales")  # at once
ROUNDS = 5  # thirty pages
DRAWN_MS = 120_000
# What each tile holds, by its title: charts, tables, grids and key figures, those that are hidden too.
DRAWN = """() => {
  const found = {}
  const count = (root, selector) => {
    let sum = root.querySelectorAll(selector).length
    for (const each of root.querySelectorAll("*")) if (each.shadowRoot) sum += count(each.shadowRoot, selector)
    return sum
  }
  const walk = (root) => {
    for (const each of root.querySelectorAll("*")) {
      if (each.matches(".MuiPaper-root") && count(each, ".fresh-line")) {
        const title = (function first(node) {
          for (const inner of node.querySelectorAll("*")) {
            const seen = inner.matches("h2") ? inner : inner.shadowRoot && first(inner.shadowRoot)
            if (seen) return seen
          }
        })(each)
        found[title.textContent] = [".bk-Figure", "table", ".tabulator", ".figure"].map((kind) => count(each, kind))
      } else if (each.shadowRoot) { walk(each.shadowRoot) }
    }
  }
  walk(document)
  return found
}"""
IS_DRAWN = f"""(tiles) => {{
  const found = ({DRAWN})()
  const has = (title) => found[title] && found[title].some((count) => count > 0)
  return Bokeh.documents.length && Bokeh.documents.every((each) => each.is_idle) && tiles.every(has)
}}"""


@pytest.fixture
def busy() -> Iterator[None]:
    """Two processes that do nothing but keep two cores busy."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    yield
    for loop in loops:
        loop.kill()
        loop.wait()


def test_every_tile_of_a_filtered_address_is_drawn_once(
    app: str, browser: Browser, sales: list[int], busy: None
) -> None:
    with watched_page(browser) as first:
        first.context.set_default_timeout(DRAWN_MS)
        shown = [(tab, first.context.new_page()) for tab in OPENED]
        watches = [Watch(page) for _, page in shown]
        for _ in range(ROUNDS):
            for tab, page in shown:
                page.goto(f"{app}/analytics?period=last_30_days&stores=3&stores=7&tab={tab}", wait_until="commit")
            for tab, page in shown:
                await_tiles(page, TILES[tab])
            assert [(tab, page.evaluate(DRAWN)) for tab, page in shown] == [(tab, TILES[tab]) for tab in OPENED]
        assert not [fault for watch in watches for fault in watch.faults]


def await_tiles(page: Page, tiles: dict[str, list[int]]) -> None:
    """Waits until something is drawn in every tile; a tile in which nothing ever is fails here, with what there is."""
    try:
        page.wait_for_function(IS_DRAWN, arg=list(tiles))
    except TimeoutError:
        pytest.fail(f"not every tile is drawn: {page.evaluate(DRAWN)}", pytrace=False)
