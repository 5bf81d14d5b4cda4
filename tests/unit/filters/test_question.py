"""A question: into an address and back, what of an address cannot be used, and what a metric cannot be given for."""

from __future__ import annotations

import re

import pytest

from workbench.dashboards.explore import QuestionFields
from workbench.errors import MetricError
from workbench.filters import Filters, from_query, to_query
from workbench.filters.question import NAMES, Asked, Question
from workbench.metrics import METRICS, Where


def read(query: str) -> tuple[Question, list[str]]:
    question, filters = Question(), Filters()
    found, problems = from_query(filters, query, NAMES)
    return question, problems + question.read(found)


@pytest.mark.parametrize(
    ("metrics", "by", "shape"),
    [
        (["revenue"], ["store"], "chart"),
        (["customers", "return_rate"], ["day", "hour"], "table"),
        (["sales"], [], "table"),
    ],
)
def test_it_comes_back_from_its_own_address(metrics: list[str], by: list[str], shape: str) -> None:
    question = Question(metrics=metrics, by=by, shape=shape)
    found, problems = read(to_query(Filters(stores=[3]), **question.texts()))
    assert not problems
    assert (found.metrics, found.by, found.shape) == (metrics, by, shape)


def test_an_address_without_a_question_has_the_defaults() -> None:
    found, problems = read("?period=all")
    assert (found.metrics, found.by, found.shape, problems) == (["revenue"], ["store"], "chart", [])


def test_what_cannot_be_used_is_said_and_the_rest_is_kept() -> None:
    found, problems = read("?metrics=sales,profit,sales&by=store,<b>,hour,weekday&shape=cake&stores=2")
    assert (found.metrics, found.by, found.shape) == (["sales"], ["store", "hour"], "chart")
    for told, text in zip(problems, ("'profit'", "'<b>'", "At most 2 .* weekday", "'cake'"), strict=True):
        assert re.search(text, told), told


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("by", ["profession"], r"There is no dimension 'profession'. There are day, .*store"),
        ("by", ["store", "week"], "by 'day', with week as the grain"),
        ("by", ["store", "store"], "twice"),
        ("by", ["store", "hour", "day"], "At most 2 .* store, hour, day"),
        ("metrics", ["profession"], r"There is no metric 'profession'. There are .*revenue"),
        ("metrics", ["sales", "sales"], "twice"),
    ],
)
def test_what_there_is_not_is_refused_in_words_and_the_one_before_stays(name: str, given: list[str], said: str) -> None:
    question = Question(metrics=["sales"], by=["day"])
    QuestionFields(question, Filters())
    with pytest.raises(MetricError, match=said):
        setattr(question, name, given)
    assert (question.metrics, question.by) == (["sales"], ["day"])
    with pytest.raises(MetricError, match=said):
        Question(**{name: given})


def test_a_metric_that_cannot_be_given_costs_only_itself() -> None:
    asked, refused = Question(metrics=["revenue", "customers"], by=["product"]).asked(("product",))
    assert asked == Asked(("revenue",), ("product",))
    assert refused == [
        "Customers by product cannot be given: one sale has several, and would count more than once."
        " Choose another dimension for it."
    ]


@pytest.mark.parametrize(
    ("grain", "days", "shown"), [("auto", 30, "day"), ("auto", None, "month"), ("week", 30, "week")]
)
def test_a_day_has_the_grain_that_is_chosen_or_fits(grain: str, days: int | None, shown: str) -> None:
    question = Question(by=["store", "day"])
    assert question.dimensions(Filters(grain=grain), days) == ("store", shown)


def test_every_total_is_asked() -> None:
    asked = Asked(tuple(METRICS), ("store", "hour")).totals(Where())
    assert [query.by for query in asked] == [("store",), ("hour",), ()]
    assert [query.by for query in Asked(("sales",), ()).totals(Where())] == [()]
