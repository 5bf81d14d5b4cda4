"""Times the pages of the table of sales, from the columns and from the database in the same run.

    python -m tests.measure_sale_table

Prints, for every sort and a set of filters, the median and the 95th percentile of the first page (which counts) and of
one in the middle, then those of each way of asking all together, and how many statements a page costs the replica.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

import sqlalchemy as sa

from workbench.cli.bench.servers import seconds
from workbench.connection import Workbench, connect
from workbench.database.replication import ReadPosition
from workbench.live import Live
from workbench.metrics import SaleWhere, Source
from workbench.metrics.facts import Counted, Facts
from workbench.metrics.sale_pages import COLUMNS, Edge, _conditions, _keyset, sale_page

TIMES = {"columns": 5, "database": 1}


def filters_of(live: Live) -> dict[str, SaleWhere]:
    """One filter of each kind, with few and with many sales."""
    stores, cashiers, days = live.choices("store"), live.choices("cashier"), live.choices("day")
    return {
        "nothing": SaleWhere(),
        "30 days": SaleWhere(date_from=days[-30]),
        "store": SaleWhere(stores=(stores[2],)),
        "cashier": SaleWhere(cashiers=(cashiers[7],)),
        "payment": SaleWhere(payment_methods=(live.choices("payment_method")[-1],)),
        "customer": SaleWhere(customer_id=1000),
        "amount": SaleWhere(amount_from=Decimal(10), amount_to=Decimal(30)),
        "search": SaleWhere(product="latte"),
        "search, nearly all": SaleWhere(product="a"),
        "search, nothing": SaleWhere(product="no such product"),
        "category": SaleWhere(categories=(live.choices("category")[0],)),
        "product, hours": SaleWhere(products=(live.choices("product")[0],), hours=(9, 10, 11)),
        "store, search, amount": SaleWhere(stores=(stores[2],), product="tea", amount_from=Decimal(20)),
    }


def middle(source: Source, where: SaleWhere, sort: str, descending: bool) -> tuple[Counted, Edge | None]:
    """How many sales there are, and the edge between two pages in the middle of them; None when there is one page."""

    def work(facts: Facts) -> tuple[Counted, Edge | None]:
        conditions = _conditions(facts, where)
        counted = facts.count(conditions)
        found = facts.execute(_keyset(conditions, sort, descending, None).offset(counted.count // 2).limit(1))
        return counted, (found[0][0], found[0][1]) if counted.count > 40 else None

    return source.read(work).value


def pages(source: Source, where: SaleWhere) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Sort, place and how it is asked, of every page that is timed."""
    for sort in COLUMNS:
        for descending in (True, False):
            order = {"sort": sort, "descending": descending}
            yield sort, "first", order
            counted, edge = middle(source, where, sort, descending)
            if edge is not None:
                yield sort, "middle", {**order, "move": "next", "edge": edge, "counted": counted}


def statements(workbench: Workbench, source: Source) -> list[str]:
    """What one page asks of the replica."""
    found: list[str] = []

    def seen(*call: Any) -> None:
        found.append(call[2])

    sa.event.listen(workbench.engines.replica, "before_cursor_execute", seen)
    sale_page(source, SaleWhere(product="latte"))
    sa.event.remove(workbench.engines.replica, "before_cursor_execute", seen)
    return found


def told(times: list[float]) -> str:
    """The median and the 95th percentile, in milliseconds."""
    p95 = statistics.quantiles(times, n=20, method="inclusive")[-1]
    return f"p50 {statistics.median(times) * 1000:6.1f} ms, p95 {p95 * 1000:6.1f} ms"


def main() -> None:
    """Prints everything."""
    workbench = connect()
    workbench.monitor.start()
    live = Live(workbench)
    live.columns.refresh(workbench.reader, ReadPosition())
    columns = live.source(ReadPosition())
    sources = {"columns": columns, "database": replace(columns, columns=None)}
    every: dict[tuple[str, str], list[float]] = {}
    for name, where in filters_of(live).items():
        found: dict[tuple[str, str, str], list[float]] = {}
        for sort, place, how in pages(columns, where):
            for engine, source in sources.items():
                times = found.setdefault((sort, place, engine), [])
                ask = partial(sale_page, source, where, **how)
                times.extend(seconds(ask) for _ in range(TIMES[engine]))
        for (sort, place, engine), times in found.items():
            every.setdefault((engine, place), []).extend(times)
            print(f"{name:22} {sort:17} {place:7} {engine:9} {told(times)}", flush=True)
    for (engine, place), times in every.items():
        print(f"{engine}, {place} pages: {told(times)}, most {max(times) * 1000:.0f} ms")
    for engine, source in sources.items():
        print(f"{engine}: {len(statements(workbench, source))} statements to the replica for a page that is searched")
    now = statistics.median(seconds(lambda: live.source_now(ReadPosition())) for _ in range(9))
    print(f"now: {now * 1000:.1f} ms more")
    live.stop()
    workbench.close()


if __name__ == "__main__":
    main()
