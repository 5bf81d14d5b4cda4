"""The fields of the filter bar and of a question follow what they show, and it follows them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from workbench import locale
from workbench.config.clock import StoreClock, find_zone
from workbench.dashboards.explore import QuestionFields
from workbench.dashboards.filter_bar import FilterBar
from workbench.filters import Filters, from_query, to_query
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
    bar._turn(None)
    filters.stores = [3]
    bar._show()  # as after a refresh
    assert not bar.is_open
    filters.hours = [9]
    assert bar.is_open


def typed(bar: FilterBar) -> list[str]:
    return [bar._fields[name].value for name in ("date_from", "date_to")]


@pytest.mark.parametrize("by", ["keyboard", "calendar"])
def test_a_range_is_moved_by_one_day_after_the_other(by: str) -> None:
    filters = Filters(period="custom", date_from=date(2026, 5, 1), date_to=date(2026, 5, 31))
    bar = bar_of(filters)

    def choose(name: str, day: date) -> None:
        if by == "calendar":
            bar._calendars[name].value = day
        else:
            bar._fields[name].value = locale.day(day)

    def days() -> tuple[date | None, date | None]:
        return filters.date_from, filters.date_to

    choose("date_from", date(2026, 7, 1))
    assert days() == (date(2026, 5, 1), date(2026, 5, 31))
    assert (bar._fields["date_to"].helper_text, bar._fields["date_to"].error_state) == ("To is before From.", True)
    filters.stores = [3]
    assert typed(bar) == ["2026-07-01", "2026-05-31"]
    changes = list[Any]()
    filters.param.watch(lambda *events: changes.append(days()), ["date_from", "date_to"])
    choose("date_to", date(2026, 7, 31))
    assert days() == (date(2026, 7, 1), date(2026, 7, 31)) and len(changes) == 1
    assert not any(field.error_state or field.helper_text for field in bar._fields.values())
    choose("date_to", date(2026, 6, 2))
    choose("date_from", date(2026, 6, 1))
    assert days() == (date(2026, 6, 1), date(2026, 6, 2))
    choose("date_from", date(2026, 8, 1))
    filters.param.update(date_from=date(2026, 1, 1), date_to=date(2026, 1, 2))  # a saved view
    assert typed(bar) == ["2026-01-01", "2026-01-02"] and not bar._fields["date_to"].error_state
    assert days() == (date(2026, 1, 1), date(2026, 1, 2))


def test_what_cannot_be_used_stays_to_be_mended() -> None:
    filters = Filters(customer_id=5)
    bar = bar_of(filters)
    customer = bar._fields["customer_id"]
    customer.value = "x"
    filters.stores = [3]
    assert (customer.value, customer.error_state, filters.customer_id) == ("x", True, 5)
    bar._fields["date_from"].value = "2026-05-01"
    assert (customer.value, customer.error_state, filters.date_from) == ("x", True, date(2026, 5, 1))
    filters.clear()
    assert (customer.value, customer.error_state) == ("", False)


def choose_another_period(filters: Filters) -> None:
    filters.period = "this_month"
    filters.period = "custom"


@pytest.mark.parametrize(
    "replace",
    [lambda filters: from_query(filters, to_query(filters)), choose_another_period, Filters.clear],
    ids=["a view or Back", "another period", "clear"],
)
def test_what_waits_is_gone_when_the_filters_are_given_the_same_days_anew(replace: Callable[[Filters], Any]) -> None:
    filters = Filters(period="custom", date_from=date(2026, 5, 1), date_to=date(2026, 5, 31), stores=[3])
    bar = bar_of(filters)
    bar._fields["customer_id"].value = "x"
    bar._fields["date_from"].value = "2026-07-01"
    filters.stores = [4]
    bar._show()  # as after names are read
    assert typed(bar) == ["2026-07-01", "2026-05-31"] and bar._fields["date_to"].error_state
    replace(filters)
    assert typed(bar) == ["2026-05-01", "2026-05-31"] and not bar._fields["date_to"].error_state
    assert bar._calendars["date_from"].value == filters.date_from == date(2026, 5, 1)
    customer, is_kept = bar._fields["customer_id"], replace is choose_another_period
    assert (customer.value, customer.error_state) == (("x", True) if is_kept else ("", False))


@pytest.mark.parametrize("text", ["2026-05-01", "2026-07-05", "x", ""])
def test_a_day_is_picked_again_after_another_was_typed(text: str) -> None:
    bar = bar_of(Filters(period="custom", date_from=date(2026, 5, 1), date_to=date(2026, 5, 31)))
    calendar, field = bar._calendars["date_from"], bar._fields["date_from"]
    calendar.value = date(2026, 7, 1)
    field.value = text
    assert field.value == text
    calendar.value = date(2026, 7, 1)
    assert field.value == "2026-07-01" and bar._fields["date_to"].error_state


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
