"""What is compared: the same questions to every engine, and the rows of each view beside what the sales say.

A follower has the master's own views, so a wrong body is as wrong there: only this finds it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd
import sqlalchemy as sa

from workbench.database.engines import Engines
from workbench.database.failures import SERVER_ERRORS, is_missing, named
from workbench.database.replication import Reader, ReadPosition
from workbench.database.sql_files import read_sql, sql_names
from workbench.errors import ServerUnavailable
from workbench.locale import english
from workbench.metrics import DIMENSIONS, METRICS, SPANS, Columns, Source, Stream, Where, ask, facts, views
from workbench.metrics.ask import frame_of
from workbench.metrics.definitions import COLUMNS
from workbench.metrics.facts import FACT_SALES, TABLES, Grouping
from workbench.metrics.views import VIEWS, View

# Which group (None: all sales) and which metric; a figure is compared as it is shown, to the cent.
Key = tuple[Any, str]
Figures = Mapping[Key, Any]

MISSING = "no such group"
# What RisingWave says when it took the query and could not end it, as when its store has too many requests (429).
BUSY = "Failed to run the query"
PAUSES = (1.0, 4.0, 10.0)  # seconds, after which it is asked again

# Different customers cost a pass of their own; asked apart, no query comes near the statement timeout.
APART = ("customers", "new_customers")


@dataclass(frozen=True)
class Question:
    """Some metrics by one dimension, or for all sales."""

    dimension: str | None
    metrics: tuple[str, ...]

    @property
    def by(self) -> tuple[str, ...]:
        """The dimension as questions take it."""
        return () if self.dimension is None else (self.dimension,)

    @property
    def label(self) -> str:
        """What is compared, in English: what `verify` says is kept, and read by a person in any place."""
        by = "in total" if self.dimension is None else f"by {DIMENSIONS[self.dimension].english.lower()}"
        return f"{', '.join(METRICS[name].english.lower() for name in self.metrics)} {by}"


def questions() -> list[Question]:
    """Every metric in total and by every dimension that it can be given for; weeks are days, which are."""
    groups = [tuple(name for name in METRICS if name not in APART), *((name,) for name in APART)]
    found = []
    for dimension in (None, *(name for name in DIMENSIONS if name not in SPANS)):
        for group in groups:
            names = tuple(name for name in group if dimension is None or dimension in METRICS[name].dimensions)
            if names:
                found.append(Question(dimension, names))
    return found


def figures_of(reader: Reader, engine: str, token: str, question: Question, where: Where = Where()) -> Figures:
    """The figures of a server, which has reached ``token``. Raises ServerUnavailable when it did not answer itself."""
    answer = ask(Source(reader, ReadPosition(token)), question.metrics, by=question.by, where=where)
    if answer.engine != engine:
        raise ServerUnavailable(f"{english(named(engine))} did not answer: {answer.note}.")
    return _figures(answer.value, question)


def of_columns(columns: Columns, reader: Reader, token: str, question: Question) -> Figures:
    """The figures of the columns, which first read what has changed up to ``token``.

    Raises ServerUnavailable, and FiguresUnavailable when they cannot be kept.
    """
    by = question.by
    metrics = [METRICS[name] for name in question.metrics]
    grouping = Grouping.of([measure for metric in metrics for measure in metric.measures], by, Where())
    answer = columns.read(reader, ReadPosition(token), lambda found: facts.sums(found, [grouping])[0])
    if answer is None:
        raise ServerUnavailable(f"The columns do not hold what was committed up to {token}.")
    return _figures(frame_of(answer.value, metrics, by), question)


def answered(engines: Engines, name: str, token: str, question: Question, where: Where = Where()) -> Figures | None:
    """The figures of the follower ``name``, as ``streamed`` or ``asked`` gives them."""
    if name == "risingwave" and engines.risingwave is not None:
        return streamed(engines.risingwave, question, where)
    return figures_of(Reader(engines), name, token, question, where)


def streamed(engine: sa.Engine, question: Question, where: Where = Where()) -> Figures | None:
    """The figures of RisingWave's materialized views; None when these give none of the metrics (others answer those).

    Of ``where`` the dates count, as no view gives every metric for everything else. A RisingWave that is busy is asked
    again a few times. Raises ServerUnavailable.
    """
    by = question.by
    metrics = views.given([METRICS[name] for name in question.metrics], by)
    days = Where(date_from=where.date_from, date_to=where.date_to)
    grouping = Grouping.of([measure for metric in metrics for measure in metric.measures], by, days)
    held = views.holding(grouping)
    if not metrics or held is None:
        return None
    pauses = iter(PAUSES)
    while True:
        try:
            with Stream(engine).snapshot("verification") as (connection, _):
                return _figures(frame_of(views.sums(connection, held, grouping), metrics, by), question)
        except SERVER_ERRORS as error:
            if is_missing(error):
                lacking = " or ".join(view.name for view in held)
                raise ServerUnavailable(f"RisingWave lacks {lacking}. Run `workbench risingwave apply`.") from error
            cause = str(getattr(error, "orig", error)).strip().splitlines()[0]
            pause = next(pauses, None) if cause.startswith(BUSY) else None
            if pause is None:
                said = f"RisingWave did not answer: {cause}. See `workbench risingwave status`."
                raise ServerUnavailable(said) from error
        time.sleep(pause)


def _figures(frame: pd.DataFrame, question: Question) -> Figures:
    groups = [None] * len(frame) if question.dimension is None else frame[question.dimension].tolist()
    return {
        (group, name): value
        for name in question.metrics
        if name in frame
        for group, value in zip(groups, frame[name].tolist(), strict=True)
    }


def differing(truth: Figures, figures: Figures) -> list[Key]:
    """Where a follower differs. It has no figure of a metric that its views cannot give, nor when it has no rows."""
    given = {metric for _, metric in figures}
    return [key for key in other(truth, figures) if key[1] in given or not given]


def other(one: Figures, another: Figures) -> list[Key]:
    """The figures that are not the same in both, in order."""
    keys = list(dict.fromkeys((*one, *another)))
    return [key for key in keys if one.get(key, MISSING) != another.get(key, MISSING)]


DAYS = 60  # compared by verify(): a body that is wrong is wrong on any day
Days = tuple[date, date]


@dataclass(frozen=True)
class ViewRows:
    """A view's rows on the days that were compared; ``differing`` counts those that one of the two alone has."""

    view: str
    rows: int
    differing: int


def view_names() -> list[str]:
    """The views of facts and figures, by name."""
    return [*(table.name for table in TABLES.values()), *(view.name for view in VIEWS)]


def newest_days(connection: sa.Connection) -> Days | None:
    """The last DAYS days with sales; None without any."""
    last = connection.execute(sa.select(sa.func.max(FACT_SALES.c.day))).scalar_one()
    return None if last is None else (last - timedelta(days=DAYS - 1), last)


def compared(connection: sa.Connection, view: str, days: Days) -> ViewRows:
    """The rows of one view on these days, first and last included. Raises DBAPIError."""
    names = [column["name"] for column in sa.inspect(connection).get_columns(view)]
    table = sa.table(view, *(sa.column(name) for name in names))
    found = sa.select(*(table.c[name] for name in names)).where(table.c.day.between(*days))
    if f"verification/{view}" in sql_names("verification"):
        plain = sa.text(read_sql(f"verification/{view}")).columns(*(sa.column(name) for name in names)).subquery()
        other = sa.select(*(plain.c[name] for name in names)).where(plain.c.day.between(*days))
    else:
        other = _summed(next(known for known in VIEWS if known.name == view), names, days)
    apart = sa.union_all(
        sa.select(sa.except_all(found, other).subquery()), sa.select(sa.except_all(other, found).subquery())
    )
    rows = sa.select(sa.func.count()).select_from(found.subquery()).scalar_subquery()
    query = sa.select(rows, sa.func.count()).select_from(apart.subquery())
    return ViewRows(view, *connection.execute(query).one())


def _summed(view: View, names: list[str], days: Days) -> sa.Select[Any]:
    """A view's rows, summed from the facts by its dimensions."""
    facts = TABLES[view.grain]
    dimensions = [COLUMNS[name] for name in view.dimensions]
    chosen = [facts.c[name] if name in dimensions else _measure(facts, name).label(name) for name in names]
    return sa.select(*chosen).where(facts.c.day.between(*days)).group_by(*(facts.c[name] for name in dimensions))


def _measure(facts: sa.TableClause, name: str) -> sa.ColumnElement[Any]:
    """A measure of the facts, said in another way than its definition says it."""
    if name == "new_customers":
        return sa.func.count(sa.distinct(facts.c.transaction_id))
    if name == "sales":
        return sa.func.count(sa.distinct(sa.case((facts.c.revenue + facts.c.discount >= 0, facts.c.transaction_id))))
    if name == "lines":
        return sa.func.count(sa.case((facts.c.revenue + facts.c.discount >= 0, facts.c.transaction_id)))
    if name == "returns":
        return -sa.func.sum(sa.case((facts.c.revenue + facts.c.discount < 0, facts.c.revenue)))
    if name == "discounted_lines":
        return sa.func.sum(sa.case((facts.c.discount > 0, 1), else_=0))
    if name == "discounted_revenue":
        return sa.func.sum(sa.case((facts.c.discount > 0, facts.c.revenue), (facts.c.discount < 0, facts.c.revenue)))
    return sa.func.sum(facts.c[{"items_sold": "items", "discount_given": "discount"}.get(name, name)])
