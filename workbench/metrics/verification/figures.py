"""The questions that are put to every engine, and their answers as plain figures that can be compared."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import sqlalchemy as sa

from workbench.database.engines import Engines
from workbench.database.failures import SERVER_ERRORS, is_missing, named
from workbench.database.replication import Reader, ReadPosition
from workbench.errors import ServerUnavailable
from workbench.locale import english
from workbench.metrics import DIMENSIONS, METRICS, SPANS, Columns, Source, Stream, Where, ask, facts, views
from workbench.metrics.ask import frame_of
from workbench.metrics.facts import Grouping

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
