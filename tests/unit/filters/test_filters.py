"""Filters: periods, comparisons, chips, and the way into an address and back."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import pytest

from workbench.config.clock import WeekBegins, begin_weeks_on, weekdays
from workbench.filters import Filters, chips, drop, from_query, to_query, words

NOW = datetime(2026, 3, 18, 14, 5, 42)  # a Wednesday


def d(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("today", "2026-03-18", "2026-03-18"),
        ("last_7_days", "2026-03-12", "2026-03-18"),
        ("last_30_days", "2026-02-17", "2026-03-18"),
        ("last_90_days", "2025-12-19", "2026-03-18"),
        ("this_month", "2026-03-01", "2026-03-31"),
        ("month_to_date", "2026-03-01", "2026-03-18"),
        ("yesterday", "2026-03-17", "2026-03-17"),
        ("last_week", "2026-03-09", "2026-03-15"),
        ("last_month", "2026-02-01", "2026-02-28"),
        ("last_quarter", "2025-10-01", "2025-12-31"),
        ("last_year", "2025-01-01", "2025-12-31"),
        ("quarter_to_date", "2026-01-01", "2026-03-18"),
        ("year_to_date", "2026-01-01", "2026-03-18"),
    ],
)
def test_a_period_has_first_and_last_day(period: str, first: str, last: str) -> None:
    where = Filters(period=period).where(NOW)
    assert (where.date_from, where.date_to) == (d(first), d(last))


@pytest.mark.parametrize(
    ("begins", "first", "last"),
    [
        ("sunday", "2026-03-08", "2026-03-14"),
        ("saturday", "2026-03-07", "2026-03-13"),
        ("wednesday", "2026-03-11", "2026-03-17"),
    ],
)
def test_last_week_and_the_order_of_weekdays_begin_as_the_settings_say(
    begins: WeekBegins, first: str, last: str
) -> None:
    begin_weeks_on(begins)
    try:
        where, order = Filters(period="last_week").where(NOW), weekdays()
    finally:
        begin_weeks_on("monday")
    assert (where.date_from, where.date_to) == (d(first), d(last))
    assert order[0] == d(first).isoweekday() and sorted(order) == [1, 2, 3, 4, 5, 6, 7]


def test_all_days_and_a_custom_period_are_open() -> None:
    where = Filters(period="all").where(NOW)
    assert (where.date_from, where.date_to) == (None, None)
    where = Filters(period="custom", date_from=d("2026-01-05")).where(NOW)
    assert (where.date_from, where.date_to) == (d("2026-01-05"), None)
    assert Filters(period="custom").comparison_where(NOW) is None


@pytest.mark.parametrize(
    ("period", "comparison", "first", "last"),
    [
        ("last_7_days", "previous", "2026-03-05", "2026-03-11"),
        ("last_7_days", "weekdays", "2026-03-05", "2026-03-11"),
        ("last_7_days", "year", "2025-03-12", "2025-03-18"),
        ("last_30_days", "previous", "2026-01-18", "2026-02-16"),
        ("last_30_days", "weekdays", "2026-01-13", "2026-02-11"),
        ("last_90_days", "previous", "2025-09-20", "2025-12-18"),
        ("this_month", "previous", "2026-02-11", "2026-02-28"),
        ("month_to_date", "previous", "2026-02-11", "2026-02-28"),
        ("this_month", "year", "2025-03-01", "2025-03-18"),
        ("today", "weekdays", "2026-03-11", "2026-03-11"),
    ],
)
def test_a_running_period_is_compared_with_as_much_of_another(
    period: str, comparison: str, first: str, last: str
) -> None:
    filters = Filters(period=period, comparison=comparison)
    so_far, compared = filters.so_far(NOW), filters.comparison_where(NOW)
    assert compared is not None
    assert (compared.date_from, compared.date_to) == (d(first), d(last))
    spans = [where.before - datetime.combine(where.date_from, time()) for where in (so_far, compared)]
    assert spans[0] == spans[1] and spans[0].seconds == 14 * 3600


def test_a_period_that_is_over_is_compared_whole() -> None:
    filters = Filters(period="custom", date_from=d("2026-03-11"), date_to=d("2026-03-17"))
    where = filters.comparison_where(NOW)
    assert filters.so_far(NOW) == filters.where(NOW)
    assert where is not None and (where.date_from, where.before) == (d("2026-03-04"), None)
    brushed = Filters(brush_from=d("2026-03-10"), brush_to=d("2026-03-17"))
    assert brushed.so_far(NOW).before is None and brushed.so_far(NOW, is_brushed=False).before is not None


def test_what_has_not_begun_and_the_first_hour_are_compared_with_nothing() -> None:
    future = Filters(period="custom", date_from=d("2026-03-19"), date_to=d("2026-03-25"))
    assert future.comparison_where(NOW) is None
    first_hour = NOW.replace(hour=0)
    assert Filters(period="today").comparison_where(first_hour) is None
    week = Filters(period="last_7_days").comparison_where(first_hour)  # six whole days with six
    assert week is not None and week.before == datetime(2026, 3, 11)
    assert (week.date_from, week.date_to) == (d("2026-03-05"), d("2026-03-11"))


def test_the_29th_of_february_is_compared_with_the_28th() -> None:
    leap = Filters(period="custom", date_from=d("2028-02-29"), date_to=d("2028-02-29"), comparison="year")
    where = leap.comparison_where(datetime(2028, 3, 1))
    assert where is not None and where.date_from == d("2027-02-28")


def test_nothing_is_compared_with_nothing() -> None:
    assert Filters(comparison="none").comparison_where(NOW) is None


def test_a_brush_narrows_the_period_and_its_comparison() -> None:
    filters = Filters(brush_from=d("2026-03-10"), brush_to=d("2026-03-11"))
    where, compared = filters.where(NOW), filters.comparison_where(NOW)
    assert compared is not None
    assert (where.date_from, where.date_to) == (d("2026-03-10"), d("2026-03-11"))
    assert (compared.date_from, compared.date_to) == (d("2026-03-08"), d("2026-03-09"))
    assert filters.where(NOW, is_brushed=False).date_from == d("2026-02-17")


def test_a_tile_does_not_filter_itself_away() -> None:
    where = Filters(stores=[3], hours=[8]).where(NOW)
    assert drop(where, "stores").stores == () and drop(where, "stores").hours == (8,)


def test_a_second_click_opens_again() -> None:
    filters = Filters()
    filters.toggle(hours=8, weekdays=1)
    assert (filters.hours, filters.weekdays) == ([8], [1])
    filters.toggle(hours=8, weekdays=2)
    assert (filters.hours, filters.weekdays) == ([8], [2])
    filters.toggle(hours=8, weekdays=2)
    assert (filters.hours, filters.weekdays) == ([], [])


def test_a_click_with_ctrl_adds_a_mark_or_takes_it_out_again_and_a_plain_one_replaces_them() -> None:
    filters = Filters()
    filters.toggle(stores=3)
    filters.toggle(is_adding=True, stores=7)
    assert filters.stores == [3, 7]
    filters.toggle(is_adding=True, stores=3)
    assert filters.stores == [7]
    filters.toggle(is_adding=True, stores=4)
    filters.toggle(stores=4)
    assert filters.stores == [4]
    filters.toggle(is_adding=True, stores=4)
    assert filters.stores == []


def test_chips_say_what_is_set_and_take_it_back() -> None:
    filters = Filters(stores=[3, 7], categories=[None], weekdays=[1], customer_id=7, brush_from=d("2026-03-10"))
    texts = [chip.text for chip in chips(filters)]
    assert texts == ["Days: from 10 Mar 2026", "Stores: 3, 7", "Category: (none)", "Weekday: Mon", "Customer: 7"]
    for chip in chips(filters):
        filters.param.update(**chip.cleared)
    assert chips(filters) == [] and filters.where(NOW) == Filters().where(NOW)


def test_many_values_make_a_short_chip() -> None:
    assert chips(Filters(stores=list(range(1, 9))))[0].text == "Stores: 1, 2, 3 and 5 more"


def test_clear_leaves_period_and_comparison() -> None:
    filters = Filters(period="today", comparison="year", stores=[1], customer_id=3)
    filters.clear()
    assert (filters.period, filters.comparison, chips(filters)) == ("today", "year", [])


STATES: list[dict[str, Any]] = [
    {},
    {"period": "custom", "date_from": d("2026-01-01"), "date_to": d("2026-01-31"), "comparison": "none"},
    {"stores": [1, 12], "cashiers": [301], "hours": [0, 23], "weekdays": [7], "customer_id": 2**31 - 1},
    {
        "categories": [None, "", "~none", "~", "a,b&c=d", "Café ☕", '<img src=x onerror="x">'],
        "products": ["P 1", "P+2"],
    },
    {"payment_methods": ["Credit Card"], "brush_from": d("2026-03-01"), "brush_to": d("2026-03-02")},
]


@pytest.mark.parametrize("state", STATES)
def test_an_address_brings_the_same_state_elsewhere(state: dict[str, Any]) -> None:
    filters, elsewhere = Filters(**state), Filters(stores=[99], period="today")
    others, problems = from_query(elsewhere, to_query(filters, tab="sales"), ["tab"])
    assert (others, problems) == ({"tab": "sales"}, [])
    assert {n: v for n, v in elsewhere.param.values().items() if n != "name"} == {
        n: v for n, v in filters.param.values().items() if n != "name"
    }


def test_an_address_names_also_what_is_at_its_default() -> None:
    query = to_query(Filters())
    for name in ("period=last_30_days", "comparison=previous", "stores=", "customer_id=", "brush_from="):
        assert name in query


@pytest.mark.parametrize(
    "query",
    [
        "?period=tomorrow",
        "?comparison=god",
        "?stores=1&stores=x",
        "?stores=99999999999",
        "?hours=24",
        "?weekdays=0",
        "?customer_id=-1",
        "?date_from=2026-02-30",
        "?date_from=1066-01-01",
        "?products=~none",
        "?categories=a%00b",
        "?brush_from=2026-03-02&brush_to=2026-03-01",
    ],
)
def test_what_an_address_asks_that_cannot_be_is_left_out_and_told(query: str) -> None:
    filters = Filters()
    _, problems = from_query(filters, query)
    assert len(problems) == 1
    default = Filters()
    name = query[1:].split("=")[0].replace("brush_from", "brush_to")
    assert getattr(filters, name) == getattr(default, name)


@pytest.mark.parametrize("query", ["", "?", "?&&&=", "?utm_source=x", "?stores=", "no question mark"])
def test_an_address_that_says_nothing_has_the_defaults(query: str) -> None:
    filters = Filters(stores=[3])
    assert from_query(filters, query) == ({}, [])
    assert filters.stores == []


def test_days_in_words() -> None:
    assert words(None, None) == "all days"
    assert words(d("2026-03-01"), d("2026-03-01")) == "1 Mar 2026"
    assert words(d("2026-03-01"), None) == "from 1 Mar 2026"
