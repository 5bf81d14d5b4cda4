"""The registry's refusals, the filters, and the arithmetic of a rollup in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.errors import MetricError
from workbench.filters import Filters
from workbench.metrics import DIMENSIONS, METRICS, SPANS, Where
from workbench.metrics import cube as cubes
from workbench.metrics.ask import _value
from workbench.metrics.cube import Cube, span_starts
from workbench.metrics.filters import day_number
from workbench.metrics.registry import ROLLUPS, UNUSABLE, checked, usable
from workbench.sql_files import read_sql, sql_names

MONDAY = day_number(date(2026, 6, 1))


def a_cube(rows: list[tuple[int, str | None, int, int]]) -> Cube:
    frame = pd.DataFrame(rows, columns=["day", "category", "customer", "revenue"])
    frame["category"] = frame["category"].astype(object)
    return Cube.of(frame, ("day", "category", "customer"), ("revenue",), "day")


def test_every_rollup_is_a_file_and_every_file_names_its_grain() -> None:
    names = {name.rsplit("/", 1)[1] for name in sql_names("metrics")}
    assert {rollup.name for rollup in ROLLUPS} <= names
    for name in names:
        assert read_sql(f"metrics/{name}").startswith(f"-- {name}: one row per ")


@pytest.mark.parametrize(
    ("names", "by", "words"),
    [
        (["profit"], [], "no metric 'profit'. There are revenue, sales"),
        (["revenue"], ["region"], "no dimension 'region'. There are day"),
        (["sales"], ["category"], "Sales by category cannot be given"),
        ([], [], "No metric was asked"),
        ("revenue", [], "lists of names"),
        (["revenue"], ["day", "day"], "twice"),
    ],
)
def test_a_wrong_question_is_refused_in_words(names: list[str], by: list[str], words: str) -> None:
    with pytest.raises(MetricError, match=words):
        checked(names, by)


def test_line_metrics_take_every_dimension_and_sale_metrics_those_of_the_header() -> None:
    assert METRICS["revenue"].dimensions == tuple(DIMENSIONS)
    assert set(DIMENSIONS) - set(METRICS["sales"].dimensions) == {"category", "product"}


NOON = datetime(2026, 3, 18, 12, 30)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"stores": [np.int64(3), 3]}, {"stores": (3,)}),
        ({"stores": 1, "payment_methods": "Cash"}, {"stores": (1,), "payment_methods": ("Cash",)}),
        ({"stores": pd.Series([1.0, 2.0]), "hours": range(9, 11)}, {"stores": (1, 2), "hours": (9, 10)}),
        ({"categories": [pd.NA, "Tea"]}, {"categories": (None, "Tea")}),
        ({"categories": None, "stores": None, "date_from": None}, {"categories": (), "stores": (), "date_from": None}),
        ({"date_from": NOON, "date_to": pd.Timestamp(NOON)}, {"date_from": NOON.date(), "date_to": NOON.date()}),
        (
            {"date_from": np.datetime64("2026-03-18T12"), "date_to": "2026-03-18"},
            {"date_from": NOON.date()} | {"date_to": NOON.date()},
        ),
        ({"before": NOON.date()}, {"before": datetime(2026, 3, 18)}),
        ({"customer_id": np.int64(7)}, {"customer_id": 7}),
    ],
)
def test_a_filter_is_taken_as_it_is_meant(given: dict[str, Any], taken: dict[str, Any]) -> None:
    assert Where(**given) == Where(**taken)
    for name, value in taken.items():
        assert getattr(Where(**given), name) == value and type(getattr(Where(**given), name)) is type(value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"stores": ["x"]}, "filter stores cannot be 'x': it takes whole numbers such as 3"),
        ({"stores": "3"}, "filter stores cannot be '3'"),
        ({"stores": [0]}, "stores cannot be 0"),
        ({"stores": [True]}, "stores cannot be True"),
        ({"stores": [1.5]}, "stores cannot be 1.5"),
        ({"stores": [None]}, "stores cannot be None"),
        ({"hours": [25]}, "hours cannot be 25: it takes whole numbers from 0 to 23"),
        ({"weekdays": [0]}, "weekdays cannot be 0: it takes whole numbers from 1 to 7"),
        ({"cashiers": [2**31]}, "cashiers cannot be 2147483648"),
        ({"customer_id": "7"}, "customer_id cannot be '7'"),
        ({"customer_types": ["vip"]}, "customer_types cannot be 'vip': it takes 'card' and 'no card'"),
        ({"payment_methods": [3]}, "payment_methods cannot be 3: it takes texts"),
        ({"products": ["a\0b"]}, r"products cannot be 'a\\x00b': it takes texts that a database can hold"),
        ({"categories": ["\ud800"]}, r"categories cannot be '\\ud800'"),
        ({"products": b"A"}, "products cannot be b'A'"),
        ({"date_from": "yesterday"}, "date_from cannot be 'yesterday': it takes a day such as"),
        ({"date_from": datetime.now(UTC)}, "date_from cannot be .* on the stores' clock"),
        ({"date_to": pd.NaT}, "date_to cannot be NaT"),
        ({"date_from": np.datetime64("NaT")}, "date_from cannot be NaT"),
        ({"date_to": 20260318}, "date_to cannot be 20260318"),
        ({"time_to": NOON}, "time_to cannot be"),
        ({"before": datetime.now(UTC)}, "before cannot be"),
    ],
)
def test_what_no_filter_can_be_is_refused_by_its_name(given: dict[str, Any], words: str) -> None:
    with pytest.raises(MetricError, match=words):
        Where(**given)


def test_a_filter_may_be_a_dict_or_filters() -> None:
    assert Where.of({"stores": [1]}, NOON) == Where(stores=(1,))
    assert Where.of(Filters(period="today", stores=[1]), NOON) == Where(NOON.date(), NOON.date(), stores=(1,))
    with pytest.raises(MetricError, match="There is no filter 'store'. There are date_from, .*stores"):
        Where.of({"store": [1]}, NOON)
    with pytest.raises(MetricError, match="where= takes a Where, a Filters or a dict of filters; it got a list"):
        Where.of([1], NOON)
    with pytest.raises(MetricError, match="hours cannot be 25"):
        Filters(hours=[25])


def test_pieces_hold_every_moment_before_a_moment_once() -> None:
    day = date(2026, 3, 18)
    pieces = Where(date_from=date(2026, 3, 16), hours=(9, 12, 13), before=datetime(2026, 3, 18, 13)).pieces
    assert pieces == (
        Where(date_from=date(2026, 3, 16), date_to=date(2026, 3, 17), hours=(9, 12, 13)),
        Where(date_from=day, date_to=day, hours=(9, 12)),
    )
    assert Where(before=NOON).pieces[1] == Where(date_from=day, date_to=day, time_to=time(12, 30))
    assert len(Where(hours=(13,), before=datetime(2026, 3, 18, 13)).pieces) == 1


@pytest.mark.parametrize("span", SPANS)
def test_weeks_months_quarters_and_years_begin_where_the_calendar_says(span: str) -> None:
    days = pd.date_range("1999-12-20", "2029-01-10", unit="s")
    numbers = np.array([day_number(day.date()) for day in days])
    names = {"week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}
    expected = [day_number(start.date()) for start in days.to_period(names[span]).start_time]
    assert span_starts(numbers, span).tolist() == expected


@pytest.mark.parametrize(
    ("metric", "sums", "value"),
    [
        ("revenue", {"revenue": 1070}, Decimal("10.70")),
        ("average_sale", {"revenue": 1001, "sales": 2}, Decimal("5.01")),  # 5.005, half up
        ("average_sale", {"revenue": 0, "sales": 0}, None),
        ("discount_rate", {"discount": 1, "revenue": 799}, Decimal("0.13")),  # 0.125 %
        ("items_per_sale", {"items": 5, "sales": 2}, Decimal("2.50")),
        ("sales", {}, 0),
    ],
)
def test_values_are_rounded_once_and_half_up(metric: str, sums: dict[str, int], value: object) -> None:
    assert _value(METRICS[metric], sums) == value


@pytest.mark.parametrize("dense", [True, False])
def test_sums_and_different_customers_by_group(dense: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not dense:
        monkeypatch.setattr(cubes, "DENSE_GROUPS", 0)
    cube = a_cube([(MONDAY + 6, "a", 1, 5), (MONDAY, "a", 1, 10), (MONDAY, None, 2, 20), (MONDAY, "a", 2, 1)])
    groups = cube.sums(["revenue", "customers"], ["weekday", "category"], Where())
    assert groups == {
        (1, "a"): {"revenue": 11, "customers": 2},
        (1, None): {"revenue": 20, "customers": 1},
        (7, "a"): {"revenue": 5, "customers": 1},
    }
    assert cube.sums(["revenue"], [], Where(categories=(None,))) == {(): {"revenue": 20}}
    assert cube.sums(["revenue"], ["day"], Where(date_to=date(2026, 6, 1))) == {(MONDAY,): {"revenue": 31}}
    assert cube.sums(["customers"], ["day"], Where(date_from=date(2027, 1, 1))) == {}


def test_sums_beyond_what_a_float_holds_are_exact() -> None:
    big = 2**53 + 1
    cube = a_cube([(MONDAY, "a", 1, big), (MONDAY, "a", 1, 2)])
    assert cube.sums(["revenue"], ["category"], Where()) == {("a",): {"revenue": big + 2}}


def test_days_are_replaced_added_and_removed() -> None:
    cube = a_cube([(1, "a", 1, 1), (2, "b", 1, 2), (3, "a", 1, 4)])
    changed = cube.replaced([2, 3, 9], a_cube([(2, "c", 1, 8), (9, "a", 1, 16)]))
    assert changed.day.tolist() == [1, 2, 9]
    assert changed.sums(["revenue"], ["category"], Where()) == {("a",): {"revenue": 17}, ("c",): {"revenue": 8}}
    assert cube.sums(["revenue"], [], Where()) == {(): {"revenue": 7}}  # the one that readers hold stays as it was


def test_one_bad_row_of_the_registry_is_out_alone_and_says_why() -> None:
    good = METRICS["revenue"]
    rows = [
        good,
        replace(good, name="typo", over="revenu"),  # type: ignore[arg-type]
        replace(good, name="unit", unit="euros"),  # type: ignore[arg-type]
        replace(good, name="grain", grain="basket"),  # type: ignore[arg-type]
        replace(good, name="two words"),
        replace(good, name="share", unit="percent"),
        replace(good, label="Another revenue"),
        METRICS["sales"],
    ]
    found, problems = usable(rows)
    assert found == {"revenue": good, "sales": METRICS["sales"]}
    assert list(problems) == ["typo", "unit", "grain", "two words", "share", "revenue"]
    assert problems["typo"].startswith("The metric 'typo' cannot be used: there is no measure 'revenu', only sales,")
    assert not UNUSABLE


def test_a_metric_that_is_out_is_refused_with_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(UNUSABLE, "typo", "The metric 'typo' cannot be used: it is a test.")
    with pytest.raises(MetricError, match="it is a test"):
        checked(["typo"], [])
    assert checked(["revenue"], [])
