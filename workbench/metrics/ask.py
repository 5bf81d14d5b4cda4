"""ask(): the one question, put to whoever answers it at one position of the data, and made one frame."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeVar

import pandas as pd
import sqlalchemy as sa

from workbench import telemetry
from workbench.metrics import facts
from workbench.metrics.columns import Columns
from workbench.metrics.definitions import MEASURES, Grain, Metric, checked, tells_lines
from workbench.metrics.facts import DatabaseFacts, Facts, Groups
from workbench.metrics.filters import AnyWhere, Where
from workbench.metrics.frames import key_columns, ordered
from workbench.metrics.stream import PassedOver, Stream
from workbench.models import CENT
from workbench.replication import Answer, Reader, Session

T = TypeVar("T")


@dataclass(frozen=True)
class Source:
    """Who is asked, for whom: RisingWave's views, the columns, then the database, as far as they are given.

    RisingWave has to be past ``shown``: a position up to which somebody else has answered the same question.
    """

    reader: Reader
    session: Session
    columns: Columns | None = None
    stream: Stream | None = None
    shown: str | None = None

    def read(self, work: Callable[[Facts], T], what: str = "other") -> Answer[T]:
        """What ``work`` answers of the facts: those of the columns when they hold all that the session has seen.

        ``what`` is the name that its time is counted under. Raises ServerUnavailable.
        """
        if self.columns is not None:
            began = time.perf_counter()
            answer = self.columns.read(self.reader, self.session, work)
            if answer is not None:
                telemetry.queried("columns", what, time.perf_counter() - began)
                return answer

        def ask_database(connection: sa.Connection) -> T:
            return work(DatabaseFacts(connection))

        return self.reader.read(self.session, ask_database, what)

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
    measures = dict.fromkeys(measure for metric in chosen for measure in metric.measures)
    found = sums(source, list(measures), by, source.where(where))
    return Answer(frame_of(found.value, chosen, by), found.engine, found.as_of, found.note)


def sums(source: Source, measures: Sequence[str], by: Sequence[str], where: Where) -> Answer[Groups]:
    """Measures for each group that has a matching sale, or line where lines are told apart.

    Money is in cents, days are numbers. ``note`` says why it was not RisingWave. Raises ServerUnavailable.
    """
    grains, note = grains_of(measures, by, where), ""
    if source.stream is not None:
        try:
            return source.stream.sums(source.reader, source.session, grains, by, where, source.shown)
        except PassedOver as passed_over:
            telemetry.passed_over(passed_over.reason)
            note = str(passed_over)
    answer = source.read(lambda found: facts.sums(found, grains, by, where), "+".join(measures))
    return replace(answer, note=answer.note or note)


def grains_of(measures: Sequence[str], by: Sequence[str], where: Where) -> dict[str, Grain]:
    """The facts that each measure is summed over, with one measure more where a group could be left without a row."""
    tells = tells_lines(by) or where.narrows_lines
    grains = {name: MEASURES[name].grain_of(tells) for name in measures}
    if by:  # every group that has a matching line, or sale, gets its row, whatever else is asked
        grains |= {"items_sold": "line"} if tells else {"sales": "sale"}
    return grains


def frame_of(groups: Groups, metrics: Sequence[Metric], by: Sequence[str]) -> pd.DataFrame:
    """The frame that ``ask`` gives, of the measures of each group."""
    keys = ordered(groups)
    columns = key_columns(keys, by)
    for metric in metrics:
        kind = "int64" if metric.unit == "count" else object
        columns[metric.name] = pd.Series([_value(metric, groups[key]) for key in keys], dtype=kind)
    return pd.DataFrame(columns)


def _value(metric: Metric, sums: Mapping[str, int]) -> Any:
    over = sums.get(metric.over, 0)
    if metric.unit == "count":
        return over
    if not metric.under:
        return Decimal(over).scaleb(-2)
    under = sum(sums.get(measure, 0) for measure in metric.under)
    if under == 0:
        return None
    # Cents over a count are cents; a percent of cents over cents has no unit.
    scale = {"money": Decimal("0.01"), "percent": Decimal(100), "ratio": Decimal(1)}[metric.unit]
    return (Decimal(over) * scale / Decimal(under)).quantize(CENT, ROUND_HALF_UP)
