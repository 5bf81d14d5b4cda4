"""What the definitions refuse, the filters, and how values are rounded."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.database.sql_files import read_sql, sql_names
from workbench.errors import MetricError
from workbench.filters import Filters
from workbench.metrics import DIMENSIONS, METRICS, Where
from workbench.metrics.ask import _values
from workbench.metrics.definitions import MEASURES, UNUSABLE, Measure, checked, usable
from workbench.metrics.facts import TABLES


def test_every_file_of_the_facts_names_its_grain() -> None:
    names = {name.rsplit("/", 1)[1] for name in sql_names("metrics")}
    assert names == {table.name for table in TABLES.values()}
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


@pytest.mark.parametrize(
    ("metric", "sums", "value"),
    [
        ("revenue", {"revenue": 1070}, Decimal("10.70")),
        ("average_sale", {"revenue": 1001, "sales": 2}, Decimal("5.01")),  # 5.005, half up
        ("average_sale", {"revenue": 0, "sales": 0}, None),
        ("discount_rate", {"discount_given": 1, "revenue": 799}, Decimal("0.13")),  # 0.125 %
        ("items_per_sale", {"items_sold": 5, "sales": 2}, Decimal("2.50")),
        ("sales", {}, 0),
    ],
)
def test_values_are_rounded_once_and_half_up(metric: str, sums: dict[str, int], value: object) -> None:
    assert _values(METRICS[metric], [sums]) == [value]


def test_one_bad_row_of_the_definitions_is_out_alone_and_says_why() -> None:
    measure, ratio = MEASURES["revenue"], METRICS["average_sale"]
    measures = [
        measure,
        replace(measure, name="unit", unit="euros"),  # type: ignore[arg-type]
        replace(measure, name="grain", grain="basket"),  # type: ignore[arg-type]
        replace(measure, name="two words"),
        replace(measure, english="Another revenue"),
        MEASURES["sales"],
    ]
    ratios = [ratio, replace(ratio, name="typo", over="revenu"), replace(ratio, name="share", unit="count")]
    found, metrics, problems = usable(measures, ratios)
    assert found == {"revenue": measure, "sales": MEASURES["sales"]}
    assert list(metrics) == ["revenue", "sales", "average_sale"]
    assert list(problems) == ["unit", "grain", "two words", "revenue", "typo", "share"]
    assert problems["typo"] == "The metric 'typo' cannot be used: there is no measure 'revenu', only revenue, sales."
    assert not UNUSABLE


def test_a_metric_that_is_out_is_refused_with_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(UNUSABLE, "typo", "The metric 'typo' cannot be used: it is a test.")
    with pytest.raises(MetricError, match="it is a test"):
        checked(["typo"], [])
    assert checked(["revenue"], [])


@pytest.mark.parametrize(
    ("expression", "adds_up"),
    [
        ("count(distinct customer_id)", False),
        ("median(revenue)", False),
        ("sum(revenue) / count(*)", False),
        ("sum(revenue)", True),
        ("sum(revenue) filter (where discount > 0)", True),
    ],
)
def test_only_sums_and_counts_are_added_up_over_periods(expression: str, adds_up: bool) -> None:
    assert Measure("some", "", "count", "sale", expression).adds_up is adds_up
