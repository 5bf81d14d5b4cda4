"""The fields of the filter bar and of a question follow what they show, and it follows them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from workbench.config.clock import StoreClock, find_zone
from workbench.dashboards.explore import QuestionFields
from workbench.dashboards.filter_bar import FilterBar
from workbench.filters import Filters
from workbench.filters.question import Question


def bar_of(filters: Filters, **choices: list[Any]) -> FilterBar:
    """The bar of a page whose data have these values, by dimension."""
    live = SimpleNamespace(
        revision=1,
        choices=lambda dimension: choices.get(dimension, []),
        names=SimpleNamespace(now=SimpleNamespace(by_dimension={})),
    )
    feed: Any = SimpleNamespace(
        filters=filters, live=live, workbench=SimpleNamespace(clock=StoreClock(find_zone("UTC")))
    )
    return FilterBar(feed)


def test_the_fields_and_the_filters_follow_each_other() -> None:
    filters = Filters(stores=[7])
    bar = bar_of(filters, store=[1, 2])
    stores, period = bar._lists["stores"], bar._chosen[0]
    assert (stores.value, list(stores.options.values())) == ([7], [1, 2, 7])
    filters.param.update(stores=[8, 1], period="yesterday")
    assert (filters.stores, stores.value, list(stores.options.values())) == ([8, 1], [8, 1], [1, 2, 8])
    assert period.value == "yesterday"
    stores.value = [2]
    period.value = "today"
    assert (filters.stores, filters.period, list(stores.options.values())) == ([2], "today", [1, 2])


def test_what_is_behind_more_filters_is_open_while_it_narrows() -> None:
    filters = Filters()
    bar = bar_of(filters)
    assert not bar.is_open and not bar._others.visible
    filters.customer_id = 5
    assert bar.is_open and bar._others.visible


def test_a_dimension_that_is_chosen_twice_is_one() -> None:
    question, filters = Question(), Filters()
    fields = QuestionFields(question, filters)
    first, second = fields._by
    second.value = "day"
    assert question.by == ["store", "day"] and fields._grain.visible
    first.value = "day"
    assert (question.by, first.value, second.value) == (["day"], "day", "")
    second.value = "day"
    assert (question.by, first.value, second.value) == (["day"], "day", "")
    question.param.update(by=["category", "store"], metrics=["sales"], shape="table")
    assert [first.value, second.value, *fields._metrics.value] == ["category", "store", "sales"]
    filters.grain = "week"
    assert (fields._grain.value, fields._grain.visible, fields._shape.value) == ("week", False, "table")
