"""What an analyst expects of a notebook's frames: own writes are in them, and the obvious line draws."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from uuid import uuid4

import holoviews as hv
import hvplot.pandas  # noqa: F401
import pandas as pd
import pytest

from tests.conftest import wait_until
from tests.examples import sale
from workbench import figures, notebook
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.dashboards import RevenueByStore
from workbench.database.positions import wait_for_replica
from workbench.database.replication import ReadPosition
from workbench.database.sql_query import query
from workbench.filters import Filters
from workbench.metrics import METRICS, Where
from workbench.servers import cluster

BY_STORE = "select store_id as store, sum(total_amount) as revenue from sales_transaction group by 1 order by 1"
COUNT = "select count(*) as sales from sales_transaction"


def test_what_is_saved_with_a_workbench_is_what_it_reads_next(workbench: Workbench, settings: Settings) -> None:
    """While the replica stands still: whoever saved asks the master, a stranger sees the past."""
    with cluster.paused_replica(settings):
        workbench.sales().create(sale(), uuid4())
        own = (figures.sales(workbench), notebook.sql(COUNT, workbench=workbench))
        stranger = ReadPosition()
        others = (
            figures.sales(workbench, read_position=stranger),
            notebook.sql(COUNT, workbench=workbench, read_position=stranger),
        )
    for frame in own:
        assert (frame["sales"].tolist(), frame.attrs["engine"]) == ([1], "master")
        assert frame.attrs["note"] == "the replica is still behind what was just saved"
    assert [(frame["sales"].tolist(), frame.attrs["engine"]) for frame in others] == [([0], "replica")] * 2
    assert wait_for_replica(workbench.engines)
    wait_until(lambda: notebook.sql(COUNT, workbench=workbench).attrs["engine"] == "replica", "the replica")
    later = notebook.sql(COUNT, workbench=workbench)
    assert (later["sales"].tolist(), later.attrs["engine"], later.attrs["note"]) == ([1], "replica", "")


def test_a_component_of_a_notebook_writes_and_reads_with_the_workbench(workbench: Workbench) -> None:
    tile = RevenueByStore(workbench)
    tile.feed.live.stop()
    assert tile.feed.read_position is workbench.read_position


def test_a_write_of_unknown_position_is_read_from_the_master(workbench: Workbench) -> None:
    read_position = ReadPosition(None)
    frame = query(workbench.reader, COUNT, read_position=read_position)
    assert frame.attrs["engine"] == "master"
    assert read_position.token is not None


@pytest.fixture
def sold(workbench: Workbench) -> Workbench:
    """Ten cents, ten times in one store: what floats do not add up to 1."""
    line = {"product_code": "A", "product_name": "A", "quantity": 1, "unit_price": "0.10"}
    for _ in range(10):
        workbench.sales().create(sale(lines=[line], store_id=1), uuid4())
    workbench.sales().create(sale(store_id=2), uuid4())
    return workbench


SOURCES: dict[str, Callable[..., pd.DataFrame]] = {
    "figures": lambda wb, **how: figures.revenue(wb, by=["store"], **how),
    "sql": lambda wb, **how: notebook.sql(BY_STORE, workbench=wb, **how),
    "tile": lambda wb, **how: _tile_frame(wb, **how),
}


def _tile_frame(workbench: Workbench, **how: bool) -> pd.DataFrame:
    tile = RevenueByStore(workbench, Filters(period="custom"))
    tile.feed.live.stop()
    return tile.frame(**how).sort_values("store")


@pytest.mark.parametrize("source", SOURCES)
def test_the_obvious_line_draws_describes_and_rolls(sold: Workbench, source: str) -> None:
    frame = SOURCES[source](sold)
    assert frame["revenue"].tolist() == [1.0, 10.7]
    for drawn in (frame.hvplot.bar("store", "revenue"), frame.plot(x="store", y="revenue", backend="hvplot")):
        assert hv.render(drawn, backend="bokeh").renderers
    assert frame.describe()["revenue"]["max"] == 10.7
    assert frame["revenue"].rolling(2).mean().iloc[-1] == pytest.approx(5.85)


@pytest.mark.parametrize("source", SOURCES)
def test_one_word_makes_it_exact(sold: Workbench, source: str) -> None:
    amounts = SOURCES[source](sold, exact=True)["revenue"]
    assert amounts.tolist() == [Decimal("1.00"), Decimal("10.70")]
    assert amounts.dtype == object


def test_every_metric_has_a_column_of_numbers_also_where_nothing_was_sold(sold: Workbench) -> None:
    for where in (Where(), Where(stores=[99])):
        frame = figures.ask(sold, list(METRICS), where=where)
        assert set(map(str, frame.dtypes)) == {"int64", "float64"}
    assert frame["average_sale"].isna().all()
    assert figures.ask(sold, ["average_sale"], where=where, exact=True)["average_sale"].tolist() == [None]
