"""The registry's refusals, the filters, and the arithmetic of a rollup in memory."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from workbench.errors import MetricError
from workbench.metrics import DIMENSIONS, METRICS, Where
from workbench.metrics import cube as cubes
from workbench.metrics.ask import _value
from workbench.metrics.cube import Cube
from workbench.metrics.filters import day_number
from workbench.metrics.registry import ROLLUPS, checked
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


def test_a_filter_takes_any_list_but_no_text() -> None:
    assert Where(stores=[np.int64(3), 3]).stores == (3,)  # type: ignore[arg-type]
    with pytest.raises(MetricError, match="payment_methods takes a list"):
        Where(payment_methods="Cash")  # type: ignore[arg-type]


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
