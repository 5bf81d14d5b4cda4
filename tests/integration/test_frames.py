"""frame() of every tile: a copy, with who answered, and without a clock when the filters have none."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pandas as pd
import pytest
import sqlalchemy as sa

from tests.conftest import wait_until
from tests.examples import CAKE, LATTE, sale
from workbench import dashboards, figures
from workbench.connection import Workbench
from workbench.dashboards.feed import Feed
from workbench.dashboards.tile import Tile
from workbench.database.positions import mark
from workbench.errors import MetricError
from workbench.filters import Filters
from workbench.live import Live

# 2026-11: Bokeh 3.9 makes a table's data in a way that pandas 3.1 warns of.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The inplace keyword:pandas.errors.Pandas4Warning"),
]
KINDS = [getattr(dashboards, name) for name in dashboards.__all__]
TILES = [kind for kind in KINDS if inspect.isclass(kind) and issubclass(kind, Tile)]
NOWS = (datetime(2026, 5, 21, 9, 30), datetime(2026, 6, 1), datetime(2031, 1, 1, 23, 59))


@pytest.fixture
def feed(workbench: Workbench) -> Iterator[Feed]:
    """What tiles share, on four sales of May 2026, with fixed dates that are over at each of NOWS."""
    for day, lines in ((3, [LATTE]), (9, [LATTE, CAKE]), (9, [CAKE]), (11, [CAKE, LATTE])):
        workbench.sales().create(sale(transaction_time=f"2026-05-{day:02d} 10:00", lines=lines), uuid4())
    live = Live(workbench)
    live.start()
    wait_until(lambda: live.is_ready, "the columns")
    filters = Filters(period="custom", date_from=date(2026, 5, 8), date_to=date(2026, 5, 20))
    yield Feed(workbench, filters, live)
    live.stop()


def at(feed: Feed, now: datetime) -> Any:
    """What is looked at when the clock says ``now``."""
    where, comparison = feed.filters.where(now), feed.filters.comparison_where(now)
    so_far = feed.filters.so_far(now)
    return dataclasses.replace(feed.moment(), now=now, where=where, so_far=so_far, comparison=comparison)


@pytest.mark.parametrize("kind", TILES, ids=lambda kind: kind.__name__)
def test_fixed_dates_give_the_same_frame_on_any_day(feed: Feed, kind: Any) -> None:
    tile = kind(feed)
    frames = [tile.fetch(at(feed, now)).value for now in NOWS]
    for other in frames[1:]:
        pd.testing.assert_frame_equal(frames[0], other)
    shown = tile.frame(exact=True)
    assert shown.attrs["engine"] in ("replica", "master")
    pd.testing.assert_frame_equal(shown, frames[0])
    assert not [name for name, column in tile.frame().items() if Decimal in set(map(type, column))]
    shown.insert(0, "mine", 0)
    assert "mine" not in tile.frame().columns


def test_revenue_over_time_has_every_chosen_day(feed: Feed) -> None:
    frame = dashboards.RevenueOverTime(feed).frame(exact=True)
    assert len(frame) == 13
    assert frame["day"].is_monotonic_increasing
    assert [str(value) for value in frame["revenue"][:4]] == ["0.00", "15.40", "0.00", "11.20"]


def test_components_keep_and_share_the_filters_that_they_are_given(workbench: Workbench) -> None:
    """Outside a server there is no address that could say otherwise."""
    filters = Filters(period="last_7_days", stores=[2])
    dashboard = dashboards.SalesDashboard(workbench, filters)
    assert (filters.period, filters.stores) == ("last_7_days", [2])
    one, other = dashboards.RevenueByStore(workbench, filters), dashboards.BusyHours(workbench, filters)
    assert one.feed is not other.feed
    filters.stores = [3]
    assert one.feed.moment().where.stores == other.feed.moment().where.stores == (3,)
    dashboard.feed.live.stop()


def test_a_running_period_is_compared_like_for_like(workbench: Workbench) -> None:
    """Naively the month is far behind the days before it; up to the last full hour of both it is ahead."""
    for at_time, lines in (
        ("2026-02-20 10:00", [LATTE]),
        ("2026-02-28 16:00", [{**LATTE, "quantity": 20}]),  # later on that day than the hour that is compared
        ("2026-03-10 10:00", [LATTE]),
        ("2026-03-18 13:59:59", [CAKE]),
        ("2026-03-18 14:03", [CAKE]),
    ):
        workbench.sales().create(sale(transaction_time=at_time, lines=lines), uuid4())
    live = Live(workbench)
    live.start()
    wait_until(lambda: live.is_ready, "the columns")
    feed = Feed(workbench, Filters(period="this_month"), live)
    moment = at(feed, datetime(2026, 3, 18, 14, 5, 42))
    revenue = dashboards.TotalRevenue(feed)
    shown = revenue.fetch(moment).value
    assert [str(shown[name][0]) for name in ("value", "so_far", "before")] == ["15.40", "11.20", "7.00"]
    revenue.draw(moment, shown)
    said = revenue.card.text
    assert "▲ +60.0%" in said and "against previous period, both until 14:00" in said
    assert said.count('<polyline class="running"') == 1
    growth = dashboards.ProductTable(feed).fetch(moment).value.set_index("product_code")["growth"]
    assert (str(growth["C-LAT"]), growth["D-CHE"]) == ("0.00", None)
    chart = dashboards.RevenueOverTime(feed)
    drawn = chart.prepare(moment, chart.fetch(moment).value).set_index("day")
    assert drawn.index[-1] == pd.Timestamp("2026-03-18") and "not over yet" in drawn["date"].iloc[-1]
    assert drawn["over"].notna().tolist() == [True] * 17 + [False]
    assert drawn["running"].notna().tolist() == [False] * 16 + [True, True]
    assert "until 14:00" in drawn["compared"].iloc[-1] and not drawn["compared"].str.contains("until").iloc[:-1].any()
    live.stop()


def test_figures_take_filters_and_dicts_and_months(workbench: Workbench) -> None:
    for day in ("2026-01-31", "2026-02-01", "2026-12-31"):
        workbench.sales().create(sale(transaction_time=f"{day} 10:00", store_id=int(day[-1])), uuid4())
    chosen = Filters(period="custom", date_from=date(2026, 1, 1), stores=[1])
    months = figures.sales(workbench, by="month", where=chosen)
    assert months.to_dict("list") == {
        "month": [pd.Timestamp(f"2026-{month}-01") for month in ("01", "02", "12")],
        "sales": [1, 1, 1],
    }
    later = {"stores": 1, "date_from": datetime(2026, 2, 1, 15)}  # the day of a time is taken: none of it is missing
    assert figures.sales(workbench, by="quarter", where=later)["sales"].tolist() == [1, 1]
    with pytest.raises(MetricError, match="There is no dimension 'fortnight'. There are day, .*week, month, quarter"):
        figures.sales(workbench, by="fortnight")


def test_a_product_has_its_newest_name_everywhere(workbench: Workbench) -> None:
    for at_time, name in (("2026-05-12 10:00", "Zimt"), ("2026-05-09 10:00", "Anis \u202e")):
        workbench.sales().create(sale(transaction_time=at_time, lines=[LATTE]), uuid4())
        with workbench.engines.owner.begin() as connection:  # at a console, for no form takes the second name
            newest = "(select max(item_id) from sales_item)"
            rename = sa.text(f"update sales_item set product_name = :name where item_id = {newest}")
            connection.execute(rename, {"name": name})
    mark(workbench.engines, workbench.read_position)
    filters = Filters(period="custom", date_from=date(2026, 5, 1), date_to=date(2026, 5, 20), products=["C-LAT"])
    feed = Feed(workbench, filters, Live(workbench))
    tops = dashboards.TopProductsByRevenue(feed).fetch(feed.moment()).value
    assert tops["name"].tolist() == ["Anis [U+202E]"]  # who turns letters around is seen
    table = dashboards.ProductTable(feed)
    table.draw(feed.moment(), table.fetch(feed.moment()).value)
    assert "Anis [U+202E]" in table.card.text and "Zimt" not in table.card.text
    average = dashboards.AvgTransaction(feed)
    average.draw(feed.moment(), average.fetch(feed.moment()).value)
    assert "of the matching lines alone, for each sale with one" in average.card.text
