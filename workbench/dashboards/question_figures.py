"""The figures of a question, groups and totals, each as the engine gives it; and what groups and figures are called."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pandas as pd

from workbench import locale
from workbench.catalogue.names import NUMBERED, Names
from workbench.components import theme
from workbench.dashboards.bars import product_names
from workbench.dashboards.feed import Moment
from workbench.database.replication import Answer
from workbench.filters import NO_CATEGORY, words
from workbench.filters.question import Asked
from workbench.locale import N_, _, conventions
from workbench.metrics import DIMENSION_OF, DIMENSIONS, METRICS, SPANS, MetricQuery, Where, ask_together
from workbench.words import visible

TOTAL, PRODUCT_NAME = "total", "product_name"
EACH, ALL = "", "all"  # of the column TOTAL: a group, and all there are; else "by store", a total of each store
ORDERED = ("day", *SPANS, "hour", "weekday")  # dimensions that have an order of their own
TIMES = ("day", *SPANS)
MOST_PAIRS = 100_000  # of two dimensions' values: a second of computing, and no page draws more than a part of them
LEFT_OUT = "left_out"  # of a frame's attrs: what it does not hold, in words
_LISTS = {dimension: name for name, dimension in DIMENSION_OF.items() if dimension not in ORDERED}


def figures_of(moment: Moment, asked: Asked) -> Answer[pd.DataFrame]:
    """A row for each group, then one for each total: ``total``, ``asked.by``, ``asked.metrics``.

    No total is a sum of other rows. No row at all where no sale matches. Of more than MOST_PAIRS pairs those are there
    whose dimension with the most values has the most, and ``attrs`` says so. Raises WorkbenchError.
    """

    def work() -> Answer[pd.DataFrame]:
        queries = asked.totals(moment.where)
        answers = {query.by: moment.ask(*query) for query in queries}
        wide, kept, left_out = _kept(asked, answers)
        if len(asked.by) > 1:
            # With the totals once more: a change may have come meanwhile, and they are shown together.
            queries.append(MetricQuery(asked.metrics, asked.by, _narrowed(moment.where, wide, kept)))
            together = ask_together(moment.live.source(moment.read_position), queries)
            answers = dict(zip((query.by for query in queries), together, strict=True))
        totals, oldest = {by: answer.value for by, answer in answers.items()}, Answer.oldest(answers.values())
        if wide:
            totals[(wide,)] = totals[(wide,)][totals[(wide,)][wide].isin(kept)]
        rows = [_marked(totals[by], by, asked) for by in dict.fromkeys([asked.by, *totals])]
        frame = pd.concat(rows if len(rows[0]) else rows[:1], ignore_index=True)
        frame.attrs[LEFT_OUT] = left_out
        if "product" in asked.by:
            names = product_names(moment)
            place = list(frame.columns).index("product") + 1
            frame.insert(place, PRODUCT_NAME, [names.get(code, code) for code in frame["product"]])
        return Answer(frame, oldest.engine, oldest.as_of, oldest.note)

    return moment.live.once(moment.read_position, lambda: ("question", asked, moment.key()), work)


def _kept(asked: Asked, answers: Mapping[tuple[str, ...], Answer[pd.DataFrame]]) -> tuple[str, list[Any], str]:
    """The dimension whose values do not all fit into MOST_PAIRS, or "", those that do, and what is left out, said."""
    counts = {name: len(answers[(name,)].value) for name in asked.by}
    wide = max((name for name in asked.by if name in _LISTS), key=counts.__getitem__, default="")
    if len(counts) < 2 or not wide or math.prod(counts.values()) <= MOST_PAIRS:
        return "", [], ""
    room = max(MOST_PAIRS * counts[wide] // math.prod(counts.values()), 1)
    kept = ranked(answers[(wide,)].value, wide, asked.metrics[0])[:room]
    words = _(
        "{dimension}: {shown} of {count} are computed, those with the most of {metric}, and stand in the files; narrow"
        " them down to see others. Totals are of all.",
        dimension=DIMENSIONS[wide].label,
        shown=theme.count(room),
        count=theme.count(counts[wide]),
        metric=METRICS[asked.metrics[0]].label,
    )
    return wide, kept, words


def _narrowed(where: Where, dimension: str, values: Sequence[Any]) -> Where:
    narrowed: dict[str, Any] = {_LISTS[dimension]: tuple(values)} if dimension else {}
    return replace(where, **narrowed)


def _marked(found: pd.DataFrame, by: tuple[str, ...], asked: Asked) -> pd.DataFrame:
    """The frame with all dimensions of the question, and whose total each row is."""
    frame = found[list(asked.metrics)].copy()
    for place, name in enumerate(asked.by):
        is_time = name in TIMES
        empty = pd.Series([pd.NaT if is_time else None] * len(found), dtype="datetime64[s]" if is_time else object)
        frame.insert(place, name, found[name].astype(empty.dtype) if name in by else empty)
    frame.insert(0, TOTAL, EACH if by == asked.by else f"by {by[0]}" if by else ALL)
    return frame


def rows_of(frame: pd.DataFrame, total: str) -> pd.DataFrame:
    """The rows of one kind: the groups (EACH), ``by store``, or ALL."""
    return frame[frame[TOTAL] == total].reset_index(drop=True)


def totals_of(frame: pd.DataFrame, dimension: str, by: Sequence[str]) -> pd.DataFrame:
    """A row for each value of a dimension: the groups themselves where it is the only one."""
    return rows_of(frame, f"by {dimension}" if len(by) > 1 else EACH)


def ranked(frame: pd.DataFrame, dimension: str, metric: str) -> list[Any]:
    """The values of a dimension: in their own order, or those with the most first and the undefined last."""
    if dimension not in ORDERED:
        floats = [float("-inf") if value is None else float(value) for value in frame[metric]]
        frame = frame.iloc[sorted(range(len(floats)), key=lambda place: -floats[place])]
    return frame[dimension].tolist()


class GroupNames:
    """What the groups of a dimension are called: by the catalogue where it has a name, days and weeks in words."""

    def __init__(self, frame: pd.DataFrame, names: Names) -> None:
        is_named = PRODUCT_NAME in frame
        self._products = dict(zip(frame["product"], frame[PRODUCT_NAME], strict=True)) if is_named else {}
        self._names = names

    def of(self, dimension: str, value: Any) -> str:
        """One group."""
        if value is None:
            return _(NO_CATEGORY)
        if (named := _NAMED.get(dimension)) is not None:
            return named(value)
        if dimension in NUMBERED:
            return self._names.called(dimension, value)
        return visible(str(self._products.get(value, value)))


def _span_named(days: int, first: pd.Timestamp) -> str:
    return words(first.date(), first.date() + timedelta(days=days - 1))


CUSTOMER_TYPES = {"card": N_("Card"), "no card": N_("No card")}
_NAMED: Mapping[str, Callable[[Any], str]] = {
    "day": lambda day: f"{locale.weekday(day.isoweekday())} {words(day.date(), day.date())}",
    "week": partial(_span_named, 7),
    "month": locale.named_month,
    "quarter": lambda day: _("Q{n} {year}", n=day.quarter, year=day.year),
    "year": lambda day: f"{day.year}",
    "hour": locale.hour,
    "weekday": locale.weekday,
    "customer_type": lambda kind: _(CUSTOMER_TYPES.get(kind, kind)),
}


def figure_text(metric: str, value: Any, currency: str = "") -> str:
    """A figure as it is read, with all its places."""
    unit = METRICS[metric].unit
    if value is None or unit == "money":
        return theme.money(value, currency)
    if unit == "count":
        return theme.count(int(value))
    plain = locale.number(value + 0, 2)  # + 0: nothing of a return is no -0.00
    return conventions().percent.format(plain) if unit == "percent" else plain


def adds_nothing(metric: str) -> Decimal | int | None:
    """What a group without a row has: nothing of a sum or a count; an average or a rate has no value."""
    if METRICS[metric].under:
        return None
    return Decimal("0.00") if METRICS[metric].unit == "money" else 0


def spans(dimension: str, found: Sequence[pd.Timestamp], first: date | None, last: date | None) -> list[pd.Timestamp]:
    """Every day, week, month, quarter or year from the first to the last, also those without a sale."""
    ends = [*found, *(_begin(day, dimension, found) for day in (first, last) if day is not None)]
    step = {"day": "D", "week": "7D", "month": "MS", "quarter": "QS", "year": "YS"}[dimension]
    return list(pd.date_range(min(ends), max(ends), freq=step))


def _begin(day: date, dimension: str, found: Sequence[pd.Timestamp]) -> pd.Timestamp:
    """The first day of the span that a day is in; weeks begin as those do that were found."""
    at = pd.Timestamp(day)
    if dimension == "day":
        return at
    if dimension == "week":
        return at - pd.Timedelta(days=(at - found[0]).days % 7)
    return at.to_period({"month": "M", "quarter": "Q", "year": "Y"}[dimension]).start_time
