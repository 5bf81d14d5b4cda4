"""Times the figures of the connected servers against raw reads of the same servers in the same run.

    python -m tests.measure_metrics

Prints, for the copy that the columns make, and for the tiles of each tab under filters over all dimensions, how long it
takes and how many times a raw COPY, or a pass over both tables; and how long a page of the table of sales takes.
"""

from __future__ import annotations

import itertools
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import sqlalchemy as sa

from tests.examples import sale
from workbench.connection import Workbench, connect
from workbench.dashboards.feed import Moment
from workbench.dashboards.sales_dashboard import TILES, SalesDashboard
from workbench.dashboards.tile import Tile
from workbench.filters import Filters
from workbench.live import Live
from workbench.replication import Session
from workbench.sale_pages import COLUMNS, SaleFilter, sale_page

PASSES = (
    "select count(*), sum(total_amount) from sales_transaction",
    "select count(*), sum(quantity), sum(total_price) from sales_item",
)
PERIODS: dict[str, dict[str, Any]] = {"last 30 days": {}, "all days": {"period": "custom"}}
COMBINATIONS = 40  # of two and of three filters, chosen at random from all


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def raw_reads(workbench: Workbench) -> tuple[float, float]:
    """Seconds to read both tables once, and to copy both to a file: the medians of three."""

    def passes(connection: sa.Connection) -> None:
        for text in PASSES:
            connection.exec_driver_sql(text).all()

    def copy(connection: sa.Connection) -> None:
        driver: Any = connection.connection.driver_connection
        with tempfile.TemporaryFile() as file, driver.cursor() as cursor:
            for table in ("sales_transaction", "sales_item"):
                cursor.copy_expert(f"copy {table} to stdout", file, size=1 << 20)

    def median(work: Callable[[sa.Connection], None]) -> float:
        return statistics.median(seconds(lambda: workbench.reader.read(Session(), work)) for _ in range(3))

    return median(passes), median(copy)


def tiles_of(workbench: Workbench, live: Live) -> dict[str, list[Tile]]:
    """The tiles of each tab but the table of sales, which is no metric; those that are asked apart, apart."""
    dashboard = SalesDashboard(workbench)
    dashboard.feed.live = live
    tabs = {name: dashboard.tiles(name) for name in TILES}
    groups = {name: [tile for tile in tiles if not tile.is_slow] for name, tiles in tabs.items()}
    groups |= {type(tile).__name__: [tile] for tiles in tabs.values() for tile in tiles if tile.is_slow}
    return {name: tiles for name, tiles in groups.items() if tiles}


def moment(live: Live, **values: Any) -> Moment:
    """What is looked at with these filters."""
    filters, now = Filters(**values), datetime.now()
    return Moment(live, Session(), filters, now, filters.where(now), filters.so_far(now), filters.comparison_where(now))


def filters_of(live: Live) -> dict[str, dict[str, Any]]:
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


def combined(alone: dict[str, dict[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """How many filters, and their values: none, each alone, some pairs and some triples."""
    chosen = random.Random(5)
    yield 0, {}
    for values in alone.values():
        yield 1, values
    for count in (2, 3):
        every = list(itertools.combinations(alone.values(), count))
        for parts in chosen.sample(every, COMBINATIONS):
            yield count, {name: value for part in parts for name, value in part.items()}


def saved_to_read(workbench: Workbench, live: Live) -> float:
    """Milliseconds from a save's answer to the figures that have it, 95th percentile."""
    took = []
    for _ in range(40):
        sales = workbench.sales()
        made = sales.create(sale(), uuid4())
        took.append(seconds(lambda sales=sales: live.ask(sales.session, ["sales", "revenue"], [], moment(live).where)))  # type: ignore[misc]
        sales.delete(made.transaction_id, made.version, uuid4())
    return p95(took)


def sale_filters(live: Live) -> Iterator[SaleFilter]:
    """Those of the table of sales: nothing, and each dimension alone, for all days and for 30; each with a search."""
    for days in PERIODS.values():
        for alone in ({}, *filters_of(live).values()):
            where = moment(live, **days, **alone).where
            known = {field.name: getattr(where, field.name) for field in fields(where)}
            for more in ({}, {"product": "a"}, {"product": "latte"}, {"amount_from": Decimal(20)}):
                yield SaleFilter(**known, **more)


def pages_of_sales(workbench: Workbench, live: Live) -> Iterator[tuple[str, float, float]]:
    """The sort, and the seconds and computing seconds of this process, of a first page with its count, and of the last
    one without, by each sort and under each filter.
    """
    for where, sort, descending in itertools.product(sale_filters(live), COLUMNS, (False, True)):
        ask = partial(sale_page, live.source_now(Session()), where, sort=sort, descending=descending)
        counted = None
        for name, move in ((sort, "first"), (f"{sort}, last", "last")):
            began, computing = time.perf_counter(), time.process_time()
            page = ask(move=move, counted=counted).value
            yield name, time.perf_counter() - began, time.process_time() - computing
            counted = page.count, page.is_estimate


def p95(took: Sequence[float]) -> float:
    """The 95th percentile, in milliseconds."""
    return statistics.quantiles(took, n=20)[-1] * 1000 if len(took) > 1 else took[0] * 1000


def print_pages(workbench: Workbench, live: Live) -> None:
    """Prints how long pages of the table of sales take, by their sort."""
    by_sort: dict[str, list[tuple[float, float]]] = {}
    for sort, *took in pages_of_sales(workbench, live):
        by_sort.setdefault(sort, []).append((took[0], took[1]))
    for sort, times in by_sort.items():
        wall, computing = zip(*times, strict=True)
        said = f"p95 {p95(wall):4.0f} ms, most {max(wall) * 1000:4.0f} ms; computing p95 {p95(computing):4.0f} ms"
        print(f"sales by {sort:22}: median {statistics.median(wall) * 1000:4.0f} ms, {said}")


def main() -> None:
    """Prints everything."""
    workbench = connect()
    workbench.monitor.start()
    one_pass, one_copy = raw_reads(workbench)
    print(f"one pass over both tables: {one_pass * 1000:.0f} ms; COPY of both to a file: {one_copy:.2f} s")
    process, folder = psutil.Process(), Path(tempfile.mkdtemp(prefix="measured-"))
    before, live = process.memory_info().rss, Live(workbench)
    live.columns._folder = folder
    took = seconds(lambda: live.columns.refresh(workbench.reader, Session()))
    grown = (process.memory_info().rss - before) / 1e6
    print(f"copy: {took:.2f} s = {took / one_copy:.1f} COPYs; memory + {grown:.0f} MB")
    live.columns.close()
    took = seconds(lambda: live.columns.refresh(workbench.reader, Session()))
    print(f"again from its file: {took * 1000:.0f} ms")
    print(f"saved to read, p95: {saved_to_read(workbench, live):.0f} ms")
    print_pages(workbench, live)
    tiles = tiles_of(workbench, live)
    for period, days in PERIODS.items():
        found: dict[tuple[str, int], list[float]] = {}
        for count, values in combined(filters_of(live)):
            for tab, group in tiles.items():
                live._answers.clear()
                at = moment(live, **days, **values)
                found.setdefault((tab, count), []).append(
                    seconds(lambda group=group, at=at: at.fetch(group))  # type: ignore[misc]
                )
        for (tab, count), times in found.items():
            most = max(times) * 1000
            print(f"{period:13} {tab:12} {count} filters: p95 {p95(times):5.0f} ms, most {most:5.0f} ms")
    live.stop()
    workbench.close()


if __name__ == "__main__":
    main()
