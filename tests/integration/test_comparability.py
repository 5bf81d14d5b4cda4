"""A month beside one that has sales on some of its days only: that is said, and no change is given."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from tests.examples import sale
from workbench import locale
from workbench.connection import Workbench
from workbench.dashboards import TotalRevenue
from workbench.dashboards.feed import Feed
from workbench.database.replication import ReadPosition
from workbench.filters import Filters
from workbench.live import Live
from workbench.metrics import Where
from workbench.reports import ReportData, comparability, compare, compare_by, within

OCTOBER, SEPTEMBER = within((date(2026, 10, 1), date(2026, 10, 31))), within((date(2026, 9, 1), date(2026, 9, 30)))
PERIODS = {"Oct 2026": OCTOBER, "Sep 2026": SEPTEMBER}


def sell(workbench: Workbench, first: date, last: date, every: int = 1) -> None:
    """A sale on each day, or on each so many."""
    days = (last - first).days
    for back in range(0, days + 1, every):
        noon = datetime.combine(first + timedelta(days=back), datetime.min.time()) + timedelta(hours=12)
        workbench.sales().create(sale(transaction_time=str(noon)), uuid4())


@pytest.fixture
def data(workbench: Workbench) -> ReportData:
    return ReportData(workbench)


def test_a_month_that_began_on_the_23rd_is_said_and_not_compared(workbench: Workbench, data: ReportData) -> None:
    sell(workbench, date(2026, 9, 23), date(2026, 10, 31))
    cut = comparability(data, PERIODS)
    assert cut == {
        "Sep 2026": "Sep 2026 has sales only from 2026-09-23 on, on 8 of its 30 days:"
        " what has changed since cannot be compared."
    }
    row = compare(data, ["revenue"], PERIODS, cut).iloc[0].tolist()
    assert row == ["Revenue", Decimal("331.70"), Decimal("85.60"), None]
    assert compare_by(data, "sales", "store", PERIODS, cut).iloc[0].tolist() == [3, 31, 8, None]
    assert compare(data, ["revenue"], PERIODS).iloc[0].tolist()[-1] == Decimal("287.50")  # what was said without a word


def test_values_stay_what_they_are_in_every_language(workbench: Workbench, data: ReportData) -> None:
    sell(workbench, date(2026, 10, 20), date(2026, 10, 21))
    locale.use_locale("de_DE")
    try:
        assert compare_by(data, "sales", "customer_type", PERIODS)["customer_type"].tolist() == ["card"]
    finally:
        locale.use_locale("")


def test_a_month_that_breaks_off_is_compared_with_nothing(workbench: Workbench, data: ReportData) -> None:
    sell(workbench, date(2026, 9, 1), date(2026, 10, 20))
    cut = comparability(data, PERIODS)
    assert list(cut) == ["Oct 2026"]
    assert "only until 2026-10-20, on 20 of its 31 days" in cut["Oct 2026"]
    assert compare(data, ["revenue"], PERIODS, cut).iloc[0].tolist()[-1] is None


def test_days_off_and_few_sales_are_no_cut(workbench: Workbench, data: ReportData) -> None:
    """A store that sells every sixth day has gaps at the ends as between."""
    sell(workbench, date(2026, 9, 4), date(2026, 10, 31), every=6)
    assert comparability(data, PERIODS) == {}
    assert comparability(data, {"all": Where()}) == {}


def test_a_month_without_a_sale_is_said(data: ReportData) -> None:
    assert comparability(data, {"Sep 2026": SEPTEMBER})["Sep 2026"].startswith("Sep 2026 has no sale at all:")


def test_a_dashboard_says_beside_the_change_what_the_earlier_period_lacks(workbench: Workbench) -> None:
    sell(workbench, date(2026, 9, 23), date(2026, 10, 31))
    filters = Filters(period="custom", date_from=date(2026, 10, 1), date_to=date(2026, 10, 31))
    live = Live(workbench)
    live.columns.refresh(workbench.reader, ReadPosition())
    assert "which has sales only from 2026-09-23 on, on 8 of its 31 days" in change_said(Feed(workbench, filters, live))
    sell(workbench, date(2026, 8, 20), date(2026, 9, 22))
    live.columns.refresh(workbench.reader, ReadPosition(None))
    said = change_said(Feed(workbench, filters, live))
    assert "against previous period" in said and "which has" not in said
    live.stop()


def change_said(feed: Feed) -> str:
    """What the tile of revenue shows."""
    tile, moment = TotalRevenue(feed), feed.moment()
    tile.draw(moment, tile.fetch(moment).value)
    return str(tile.card.text)
