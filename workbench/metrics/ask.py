"""ask(): the one question, put to whoever answers it at one position of the data, and made one frame."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd
import sqlalchemy as sa

from workbench import telemetry
from workbench.database.replication import Answer, Reader, ReadPosition
from workbench.metrics import facts
from workbench.metrics.columns import Columns
from workbench.metrics.definitions import SPANS, Metric, checked
from workbench.metrics.facts import DatabaseFacts, Facts, Grouping, Groups
from workbench.metrics.views import PassedOver, Stream
from workbench.metrics.where import EPOCH, AnyWhere, Where
from workbench.sales.fields import GROUPED
from workbench.sales.models import CENT

_NUMBERS = ("hour", "weekday", *(field.dimension for field in GROUPED if field.kind == "id"))


def ordered(keys: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The groups' keys, sorted, with None last."""
    every = list(keys)
    if not any(None in key for key in every):
        return sorted(every)
    return sorted(every, key=lambda key: tuple((value is None, value) for value in key))


def key_columns(keys: Sequence[tuple[Any, ...]], by: Sequence[str]) -> dict[str, Any]:
    """A column for each dimension of ``by``; day numbers become days, also those that a week or month begins with."""
    columns: dict[str, Any] = {}
    for place, name in enumerate(by):
        values = [key[place] for key in keys]
        if name == "day" or name in SPANS:
            columns[name] = days(values)
        elif name in _NUMBERS:
            columns[name] = np.array(values, "int64")
        else:  # text stays Python's own: pandas' type would turn the None of a line without category into nan
            columns[name] = pd.Series(values, pd.RangeIndex(len(keys)), object)
    return columns


def days(numbers: Sequence[int]) -> Any:
    """Day numbers as datetime64."""
    return (np.datetime64(EPOCH, "D") + np.array(numbers, dtype="timedelta64[D]")).astype("datetime64[s]")


T = TypeVar("T")
# Of a quotient: cents over a count are cents; a percent of cents over cents has no unit.
_SCALES = {"money": Decimal("0.01"), "percent": Decimal(100), "ratio": Decimal(1)}


@dataclass(frozen=True)
class Source:
    """Who is asked, for whom: RisingWave's views, the columns, then the database, as far as they are given.

    RisingWave has to be past ``shown``: a position up to which somebody else has answered the same question.
    """

    reader: Reader
    read_position: ReadPosition
    columns: Columns | None = None
    stream: Stream | None = None
    shown: str | None = None

    def read(self, work: Callable[[Facts], T], what: str = "other") -> Answer[T]:
        """What ``work`` answers of the facts: those of the columns when they hold all that the session has seen.

        ``what`` is the name that its time is counted under. Raises ServerUnavailable.
        """
        if self.columns is not None:
            began = time.perf_counter()
            answer = self.columns.read(self.reader, self.read_position, work)
            if answer is not None:
                telemetry.queried("columns", what, time.perf_counter() - began)
                return answer

        def ask_database(connection: sa.Connection) -> T:
            return work(DatabaseFacts(connection))

        return self.reader.read(self.read_position, ask_database, what)

    def where(self, asked: AnyWhere) -> Where:
        """The filter that is meant, at the time of the stores' clock. Raises MetricError."""
        return Where.of(asked, self.reader.engines.settings.clock.now())


def ask(
    source: Source, metrics: Sequence[str], *, by: Sequence[str] = (), where: AnyWhere = None
) -> Answer[pd.DataFrame]:
    """The metrics for each group of ``by`` that has a matching sale or line; one row when ``by`` is empty.

    Columns are ``by`` and ``metrics``; rows are sorted by ``by``, with None last. Money is Decimal in cents, counts are
    int; an average, a percent (4.35 is 4.35 %) and a ratio are Decimal with two places, rounded half up once, or None
    where the divisor is zero. Days are datetime64, so is the first day that tells a week, month, quarter or year.
    ``where`` may also be a dict of its fields, or a Filters. The session sees its own writes. All of it is of one
    moment. Raises MetricError for what a metric cannot give and ServerUnavailable.
    """
    chosen = checked(metrics, by)
    found = sums(source, _measures(chosen), by, source.where(where))
    return found.map(lambda groups: frame_of(groups, chosen, by))


class MetricQuery(NamedTuple):
    """A question as ``ask`` takes it, to be put together with others."""

    metrics: tuple[str, ...]
    by: tuple[str, ...]
    where: Where


def ask_together(source: Source, asked: Sequence[MetricQuery]) -> list[Answer[pd.DataFrame]]:
    """The answer of each as ``ask`` gives it, all of one moment where RisingWave gives none.

    They cost few statements more than one. Raises MetricError when one of them cannot be answered.
    """
    chosen = [checked(one.metrics, one.by) for one in asked]
    groupings = [Grouping.of(_measures(metrics), one.by, one.where) for one, metrics in zip(asked, chosen, strict=True)]
    summed = _summed(source, groupings, "together")
    return [
        found.map(lambda groups, metrics=metrics, by=one.by: frame_of(groups, metrics, by))  # type: ignore[misc]
        for found, metrics, one in zip(summed, chosen, asked, strict=True)
    ]


def sums(source: Source, measures: Sequence[str], by: Sequence[str], where: Where) -> Answer[Groups]:
    """Measures for each group that has a matching sale, or line where lines are told apart.

    Money is in cents, days are numbers. ``note`` says why it was not RisingWave. Raises ServerUnavailable.
    """
    return _summed(source, [Grouping.of(measures, by, where)], "+".join(measures))[0]


def _summed(source: Source, groupings: Sequence[Grouping], what: str) -> list[Answer[Groups]]:
    """Those that RisingWave's views hold from there, each by itself; the others together from who else answers."""
    streamed = [_streamed(source, grouping) for grouping in groupings]
    left = [grouping for grouping, found in zip(groupings, streamed, strict=True) if isinstance(found, str)]
    if not left:
        return [found for found in streamed if not isinstance(found, str)]
    answer = source.read(lambda found: facts.sums(found, left), what)
    others = iter(answer.value)
    return [
        Answer(next(others), answer.engine, answer.as_of, answer.note or found) if isinstance(found, str) else found
        for found in streamed
    ]


def _streamed(source: Source, grouping: Grouping) -> Answer[Groups] | str:
    """RisingWave's answer; else why there is none, which is empty where none is expected."""
    if source.stream is None:
        return ""
    try:
        return source.stream.sums(source.reader, source.read_position, grouping, source.shown)
    except PassedOver as passed_over:
        telemetry.passed_over(passed_over.reason)
        return str(passed_over)


def _measures(metrics: Sequence[Metric]) -> list[str]:
    return list(dict.fromkeys(measure for metric in metrics for measure in metric.measures))


def frame_of(groups: Groups, metrics: Sequence[Metric], by: Sequence[str]) -> pd.DataFrame:
    """The frame that ``ask`` gives, of the measures of each group."""
    keys = ordered(groups)
    columns = key_columns(keys, by)
    found = [groups[key] for key in keys]
    for metric in metrics:
        columns[metric.name] = np.array(_values(metric, found), "int64" if metric.unit == "count" else object)
    return pd.DataFrame(columns, pd.RangeIndex(len(keys)), copy=False)


def _values(metric: Metric, found: Sequence[Mapping[str, int]]) -> list[Any]:
    over = [sums.get(metric.over, 0) for sums in found]
    if metric.unit == "count":
        return over
    if not metric.under:
        return [Decimal(cents).scaleb(-2) for cents in over]
    under = [sum(sums.get(measure, 0) for measure in metric.under) for sums in found]
    scale = _SCALES[metric.unit]
    return [
        (Decimal(one) * scale / other).quantize(CENT, ROUND_HALF_UP) if other else None
        for one, other in zip(over, under, strict=True)
    ]
