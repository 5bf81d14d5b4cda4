"""Revenue over time: the grain that fits, spans of days, and a pointer that reads every day."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import holoviews as hv
import pandas as pd
import pytest
from bokeh.models import HoverTool, Quad

from workbench.config import Settings
from workbench.dashboards.chart import copied, serialized, write
from workbench.dashboards.over_time import RevenueOverTime, edges, grouped
from workbench.filters import Filters, fitting

TEXTS = ("text", "date", "compared", "change")
FIGURES = ("revenue", "over", "running", "filled", "chosen", "floor", "before")


def course(days: pd.DatetimeIndex) -> pd.DataFrame:
    """What is drawn for these days."""
    left, right = edges(pd.Series(days))
    columns: dict[str, Any] = dict.fromkeys(TEXTS, "x") | dict.fromkeys(FIGURES, 1.0)
    return pd.DataFrame({"day": days, "left": left, "right": right} | columns)


@pytest.mark.parametrize(("days", "grain"), [(1, "day"), (90, "day"), (180, "week"), (400, "week"), (1500, "month")])
def test_a_grain_fits_its_period_unless_one_is_chosen(days: int, grain: str) -> None:
    assert fitting("auto", days) == grain
    assert fitting("month", days) == "month"


def test_a_span_sums_its_days_and_knows_the_first_and_the_last() -> None:
    days = pd.date_range("2026-10-30", "2026-11-03", unit="s")  # Friday to Tuesday
    frame = pd.DataFrame({"day": days, "revenue": [Decimal("1.10")] * 5, "before": [None] * 3 + [Decimal(2), None]})
    weeks, months = grouped(frame, "week"), grouped(frame, "month")
    assert weeks["revenue"].tolist() == [Decimal("3.30"), Decimal("2.20")]
    assert weeks["before"].tolist() == [None, Decimal(2)]
    assert [day.date() for day in weeks["day"]] == [date(2026, 10, 30), date(2026, 11, 2)]
    assert [day.date() for day in weeks["last"]] == [date(2026, 11, 1), date(2026, 11, 3)]
    assert months["revenue"].tolist() == [Decimal("2.20"), Decimal("3.30")]


@pytest.mark.parametrize("days", [1, 2, 30])
def test_every_place_of_the_time_line_reads_a_point_also_after_it_was_written(days: int) -> None:
    tile: Any = RevenueOverTime.__new__(RevenueOverTime)
    feed = SimpleNamespace(workbench=SimpleNamespace(engines=SimpleNamespace(settings=Settings())))
    first = course(pd.date_range("2026-11-01", periods=5))
    tile.feed = feed
    hv.Store.set_current_backend("bokeh")
    figure = copied(serialized(hv.render(tile.plot(first))))
    written = course(pd.date_range("2026-09-01", periods=days))
    write(figure, written)
    (hover,) = figure.select(HoverTool)
    (bands,) = hover.renderers
    assert hover.mode == "vline" and isinstance(bands.glyph, Quad)
    assert {label for label, _ in hover.tooltips} == {"Time", "Revenue", "Compared with", "Change"}
    read = bands.data_source.data
    assert all(name.strip("@{}") in read for _, name in hover.tooltips)
    assert list(read["left"][1:]) == list(read["right"][:-1])  # no gap between two points
    assert all(read["left"] < written["day"].astype("datetime64[ms]").astype("int64"))


def test_the_first_day_of_a_running_period_is_asked_by_hour_alone() -> None:
    """As it is shown: what is asked ahead is what is fetched."""
    now, filters = datetime(2026, 12, 1, 10), Filters(period="this_month")
    moment: Any = SimpleNamespace(filters=filters, now=now)
    tile: Any = None
    assert {asked.by for asked in RevenueOverTime.asks(tile, moment)} == {("hour",)}
