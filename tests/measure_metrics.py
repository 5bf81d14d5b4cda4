"""Measures the figures of the page Analytics on the configured servers: ``python -m tests.measure_metrics``.

Not a test: it wants a big database (``workbench sample 1000000``) and a quiet machine. Times are also given as
multiples of one pass over both tables, measured in the same run. First figures are those of a process that has loaded
nothing.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa

from workbench.connection import Workbench, connect
from workbench.dashboards.feed import Moment
from workbench.dashboards.sales_dashboard import SalesDashboard
from workbench.dashboards.tile import Tile
from workbench.filters import Filters
from workbench.live import Live
from workbench.metrics import METRICS, Where
from workbench.replication import Session

PASSES = (
    "select count(*), sum(total_amount) from sales_transaction",
    "select count(*), sum(quantity), sum(total_price) from sales_item",
)
PERIODS: dict[str, dict[str, Any]] = {
    "last 30 days": {},
    "all days": {"period": "custom"},
    "today": {"period": "today"},
}


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def one_pass(workbench: Workbench) -> float:
    """Seconds to read both tables once: the median of five."""

    def read(connection: sa.Connection) -> float:
        return seconds(lambda: [connection.exec_driver_sql(sql).all() for sql in PASSES])

    return statistics.median(workbench.reader.read(Session(), read).value for _ in range(5))


def tiles_of(workbench: Workbench, live: Live) -> dict[str, list[Tile]]:
    """The tiles of each tab but the table of sales, which is no metric; those that are asked apart, apart."""
    dashboard = SalesDashboard(workbench)
    dashboard.feed.live = live
    tabs = {name: tiles for name, tiles in dashboard.tiles.items() if name != "sales"}
    groups = {name: [tile for tile in tiles if not tile.is_slow] for name, tiles in tabs.items()}
    groups |= {type(tile).__name__: [tile] for tiles in tabs.values() for tile in tiles if tile.is_slow}
    return {name: tiles for name, tiles in groups.items() if tiles}


def moment(live: Live, **values: Any) -> Moment:
    """What is looked at with these filters."""
    filters, now = Filters(**values), datetime.now()
    return Moment(live, Session(), filters, now, filters.where(now), filters.so_far(now), filters.comparison_where(now))


def first_figures(workbench: Workbench, tiles: list[Tile]) -> Iterator[tuple[str, float]]:
    """Seconds from the start of a Live to its answers, while it loads."""
    asked: dict[str, Callable[[Live], object]] = {
        "key figures, last 30 days": lambda live: tiles[0].fetch(moment(live)),
        "tiles of the overview, last 30 days": lambda live: [tile.fetch(moment(live)) for tile in tiles],
        "nine metrics, last 30 days": lambda live: live.ask(Session(), list(METRICS), [], moment(live).where),
        "nine metrics, all days": lambda live: live.ask(Session(), list(METRICS), [], Where()),
        "revenue by day, all days": lambda live: live.ask(Session(), ["revenue"], ["day"], Where()),
    }
    for name, ask in asked.items():
        live = Live(workbench)

        def run(live: Live = live, ask: Callable[[Live], object] = ask) -> None:
            live.start()
            live.wait_until_begun()
            ask(live)

        yield name, seconds(run)
        live.stop()


def changes(live: Live) -> dict[str, dict[str, Any]]:
    """Filters that a page may be changed to."""
    value = {name: live.choices(name) for name in ("category", "product", "payment_method", "cashier", "store")}
    category, product = [v for v in value["category"] if v is not None], value["product"]
    alone = {
        "none": {},
        "store": {"stores": value["store"][2:3]},
        "two stores": {"stores": value["store"][2:4]},
        "payment": {"payment_methods": value["payment_method"][-1:]},
        "cashier": {"cashiers": value["cashier"][7:8]},
        "category": {"categories": category[:1]},
        "product": {"products": product[:1]},
        "cell of the heatmap": {"hours": [10], "weekdays": [2]},
        "customer": {"customer_id": 1000},
        "two categories": {"categories": category[:2]},
        "two products": {"products": product[:2]},
    }
    pairs = [("store", "category"), ("store", "payment"), ("store", "product"), ("store", "cell of the heatmap")]
    pairs += [("payment", "category"), ("payment", "product"), ("cashier", "category"), ("cashier", "product")]
    return alone | {f"{one} + {other}": alone[one] | alone[other] for one, other in pairs}


def fetch(tiles: list[Tile], at: Moment) -> None:
    """The figures of all tiles of a tab, one after the other."""
    for tile in tiles:
        tile.fetch(at)


def forgetful(live: Live) -> Live:
    """One with the same rollups that has not been asked anything."""
    made = Live(live.workbench)
    made.rollups = live.rollups
    return made


def size(live: Live) -> int:
    """Bytes of the rollups in memory."""
    columns = [
        column
        for cube in live.rollups.state.cubes.values()
        for column in (cube.day, cube.key, *cube.measures.values(), *(d.codes for d in cube.dimensions.values()))
    ]
    return sum({id(column): column.nbytes for column in columns}.values())


def main() -> None:
    """Prints everything."""
    workbench = connect()
    workbench.monitor.start()
    raw = one_pass(workbench)
    print(f"one pass over both tables: {raw * 1000:.0f} ms")
    live = Live(workbench)
    tiles = tiles_of(workbench, live)
    for name, took in first_figures(workbench, tiles["overview"]):
        print(f"first figures: {name:38} {took * 1000:6.0f} ms = {took / raw:4.1f} passes")

    def load() -> None:
        live.start()
        while not live.rollups.is_complete:
            time.sleep(0.01)

    print(f"all rollups loaded: {seconds(load):.1f} s, {size(live) / 1e6:.0f} MB")
    for period, days in PERIODS.items():
        for name, values in changes(live).items():
            found = []
            for tab in tiles.values():
                at = moment(forgetful(live), **days, **values)
                found.append(seconds(partial(fetch, tab, at)) * 1000)
            print(f"{period:13} {name:27}", *(f"{tab} {ms:5.0f} ms " for tab, ms in zip(tiles, found, strict=True)))
    live.stop()
    workbench.close()


if __name__ == "__main__":
    main()
