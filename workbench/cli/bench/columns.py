"""What the columns cost: the copy, the tiles of each tab under filters over all dimensions, and the table of sales."""

from __future__ import annotations

import gc
import itertools
import random
import statistics
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import fields
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import sqlalchemy as sa

from workbench.cli.bench.saves import example
from workbench.cli.bench.servers import p95, seconds
from workbench.connection import Workbench
from workbench.dashboards.feed import Moment
from workbench.dashboards.sales_dashboard import TILES, SalesDashboard
from workbench.dashboards.tile import Tile
from workbench.database.replication import ReadPosition
from workbench.filters import Filters
from workbench.live import Live
from workbench.metrics import Columns, SaleWhere
from workbench.metrics.sale_pages import COLUMNS, sale_page

PASSES = (
    "select count(*), sum(total_amount) from sales_transaction",
    "select count(*), sum(quantity), sum(total_price) from sales_item",
)
PERIODS: dict[str, dict[str, Any]] = {"30": {}, "all": {"period": "custom"}}
SEARCHES: list[dict[str, Any]] = [{}, {"product": "a"}, {"product": "latte"}, {"amount_from": Decimal(20)}]
PAIRS = "Baskets"  # of products: measured apart


def measured(workbench: Workbench, folder: Path, times: int) -> Iterator[tuple[str, float]]:
    """Each figure as it is known. ``times`` are for medians, and so many combinations of filters are tried of each."""
    gc.collect()
    gc.freeze()  # as the app does: else a collection of all that is imported falls on whatever is measured
    one_pass, one_copy = _raw_reads(workbench, min(times, 3))
    yield "pass", one_pass * 1000
    yield "copy_out", one_copy
    process, live = psutil.Process(), Live(workbench)
    before = process.memory_info().rss
    live.columns = Columns(folder, workbench.engines.settings.workbench_columns_mb)
    copy = partial(live.columns.refresh, workbench.reader, ReadPosition())
    try:
        yield "copied", seconds(copy)
        yield "columns_memory", (process.memory_info().rss - before) / 1e6
        live.columns.close()
        yield "reopened", seconds(copy) * 1000
        yield "saved_to_read", _saved_to_read(workbench, live, times)
        yield "table_of_sales", max(map(p95, _pages_of_sales(live, times).values())) * 1000
        yield from _tiles(workbench, live, times)
    finally:
        live.stop()


def _raw_reads(workbench: Workbench, times: int) -> tuple[float, float]:
    """Seconds to read both tables once, and to copy both to a file."""

    def passes(connection: sa.Connection) -> None:
        for text in PASSES:
            connection.exec_driver_sql(text).all()

    def copy(connection: sa.Connection) -> None:
        driver: Any = connection.connection.driver_connection
        with tempfile.TemporaryFile() as file, driver.cursor() as cursor:
            for table in ("sales_transaction", "sales_item"):
                cursor.copy_expert(f"copy {table} to stdout", file, size=1 << 20)

    def median(work: Callable[[sa.Connection], None]) -> float:
        with workbench.engines.owner.connect() as connection:  # without the limit that a page's read has
            return statistics.median(seconds(lambda: work(connection)) for _ in range(times))

    return median(passes), median(copy)


def _tiles_of(workbench: Workbench, live: Live) -> dict[str, list[Tile]]:
    """The tiles of each tab but the table of sales, which is no metric; those that are asked apart, apart."""
    dashboard = SalesDashboard(workbench)
    dashboard.feed.live = live
    tabs = {name: dashboard.tiles(name) for name in TILES}
    groups = {name: [tile for tile in tiles if not tile.is_slow] for name, tiles in tabs.items()}
    groups |= {type(tile).__name__: [tile] for tiles in tabs.values() for tile in tiles if tile.is_slow}
    return {name: tiles for name, tiles in groups.items() if tiles}


def _moment(live: Live, **values: Any) -> Moment:
    """What is looked at with these filters."""
    filters, now = Filters(**values), live.workbench.clock.now()
    return Moment(
        live, ReadPosition(), filters, now, filters.where(now), filters.so_far(now), filters.comparison_where(now)
    )


def _filters_of(live: Live) -> dict[str, dict[str, Any]]:
    """One filter of each dimension."""
    value = {name: live.choices(name) for name in ("category", "product", "payment_method", "cashier", "store")}
    categories = [category for category in value["category"] if category is not None]
    return {
        "store": {"stores": value["store"][2:3]},
        "stores": {"stores": value["store"][2:4]},
        "payment": {"payment_methods": value["payment_method"][-1:]},
        "cashier": {"cashiers": value["cashier"][7:8]},
        "category": {"categories": categories[:1]},
        "categories": {"categories": categories[:2]},
        "product": {"products": value["product"][:1]},
        "products": {"products": value["product"][:2]},
        "cell of the heatmap": {"hours": [10], "weekdays": [2]},
        "customer": {"customer_id": 1000},
    }


def _combined(alone: dict[str, dict[str, Any]], times: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """How many filters, and their values: none, each alone, some pairs and some triples, chosen at random."""
    chosen = random.Random(5)
    yield from [(0, {})] * min(times, 10)
    for values in list(alone.values())[:times]:
        yield 1, values
    for count in (2, 3):
        every = list(itertools.combinations(alone.values(), count))
        for parts in chosen.sample(every, min(times, len(every))):
            yield count, {name: value for part in parts for name, value in part.items()}


def _tiles(workbench: Workbench, live: Live, times: int) -> Iterator[tuple[str, float]]:
    tiles, most = _tiles_of(workbench, live), {True: 0.0, False: 0.0}
    for period, days in PERIODS.items():
        overview: dict[int, list[float]] = {}
        for count, values in _combined(_filters_of(live), times):
            for name, group in tiles.items():
                live._answers.clear()
                took = seconds(partial(_moment(live, **days, **values).fetch, group))
                most[name == PAIRS] = max(most[name == PAIRS], took)
                if name == "overview":
                    overview.setdefault(count, []).append(took)
        for count, found in overview.items():
            yield f"overview_{period}_{count}", p95(found) * 1000
    yield "tiles_most", most[False] * 1000
    yield "baskets_most", most[True] * 1000


def _saved_to_read(workbench: Workbench, live: Live, times: int) -> float:
    """Milliseconds from a save's answer to the figures that have it, 95th percentile."""
    took = []
    for _ in range(times):
        sales = workbench.sales()
        sales.create(example(), uuid4())
        ask = partial(live.ask, sales.read_position, ["sales", "revenue"], [])
        took.append(seconds(partial(ask, _moment(live).where)))
    return p95(took) * 1000


def _sale_filters(live: Live, times: int) -> Iterator[SaleWhere]:
    """Those of the table of sales: nothing, and each dimension alone, for all days and for 30; each with a search."""
    for days in PERIODS.values():
        for alone in ({}, *list(_filters_of(live).values())[:times]):
            where = _moment(live, **days, **alone).where
            known = {field.name: getattr(where, field.name) for field in fields(where)}
            for more in SEARCHES[:times]:
                yield SaleWhere(**known, **more)


def _pages_of_sales(live: Live, times: int) -> dict[str, list[float]]:
    """By sort the seconds of first pages, which count, and of last ones."""
    took: dict[str, list[float]] = {}
    for where, sort, descending in itertools.product(_sale_filters(live, times), COLUMNS, (False, True)):
        ask = partial(sale_page, live.source_now(ReadPosition()), where, sort=sort, descending=descending)
        first = ask(move="first").value  # made ready: the page is asked for by itself below
        last = partial(ask, move="last", counted=first.counted)
        took.setdefault(sort, []).append(seconds(partial(ask, move="first")))
        took.setdefault(f"{sort}, last", []).append(seconds(last))
    return took
