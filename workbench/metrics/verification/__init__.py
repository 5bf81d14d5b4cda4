"""verify(): puts every question to every engine at one token, says what differs to the cent, and keeps the result.

And whether the views that the engines share hold what the sales say.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial

import sqlalchemy as sa

from workbench import locale
from workbench.accounts.actor import Actor, as_actor
from workbench.database.engines import Engines
from workbench.database.failures import named
from workbench.database.positions import Follower, committed_with_heartbeat, followers
from workbench.database.replication import Answer, Reader, ReadPosition
from workbench.database.sql_files import run_sql
from workbench.database.writes import Write, run_file
from workbench.errors import SchemaError, WorkbenchError
from workbench.locale import N_, english
from workbench.metrics import Columns
from workbench.metrics.table_reads import long_snapshot
from workbench.metrics.verification.figures import (
    MISSING,
    Days,
    Figures,
    Key,
    Question,
    ViewRows,
    answered,
    compared,
    differing,
    figures_of,
    newest_days,
    of_columns,
    other,
    questions,
    view_names,
)
from workbench.words import counted

__all__ = ["Difference", "Verification", "last", "save", "verify"]


WAIT_SECONDS = 30.0
TRIES = 5  # while sales are written, figures move between two reads; each try is at a newer token

Advance = Callable[[int, int], None]
ShouldStop = Callable[[], bool]
Way = Callable[[str, Question], Figures | None]  # an engine's figures up to a token; None when it has none of these


@dataclass(frozen=True)
class Difference:
    """One figure that an engine has otherwise than the master; texts, as they are shown."""

    metric: str
    dimension: str  # empty: in total
    group: str
    engine: str
    master: str
    found: str


@dataclass(frozen=True)
class Verification:
    """What was compared and what differs. ``problems`` say what could not be compared, and which views are wrong."""

    verified_at: datetime
    token: str
    engines: tuple[str, ...]
    figures: int
    differences: tuple[Difference, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether everything was compared and nothing differs."""
        return not self.differences and not self.problems


def verify(
    engines: Engines,
    progress: Advance = lambda done, total: None,
    should_stop: ShouldStop = lambda: False,
    columns: Columns | None = None,
) -> Verification:
    """Compares the followers and the columns with the master; what is away is among the problems.

    ``progress`` gets how many questions are done, of how many. When ``should_stop`` says so, what is left is a problem
    too. Raises ServerUnavailable when the master does not answer.
    """
    token = committed_with_heartbeat(engines)
    result = Verification(datetime.now(UTC), token, ("master",), 0)
    ways, missing = _ways(engines, columns, token)
    result = replace(result, engines=("master", *ways), problems=missing)
    asking = questions()
    for done, question in enumerate(asking):
        if should_stop():
            return replace(result, problems=(*result.problems, f"Stopped after {done} of {len(asking)} questions."))
        progress(done, len(asking))
        result = _compared(engines, question, ways, result)
    progress(len(asking), len(asking))
    return replace(result, problems=(*result.problems, *_wrong_views(engines)))


def _wrong_views(engines: Engines) -> list[str]:
    """A line for each view on the master that does not hold what the sales say, or could not be asked."""
    master = Reader(replace(engines, replica=None))
    try:
        days = master.read_master(ReadPosition(), newest_days).value
    except WorkbenchError as error:
        return [f"The views were not compared with the sales. {error}"]
    if days is None:
        return []
    found = []
    for view in view_names():
        try:
            rows = master.read_master(ReadPosition(), partial(_compared_at_length, view=view, days=days)).value
        except WorkbenchError as error:
            found.append(f"The view {view} was not compared with the sales. {error}")
        else:
            found += [_wrong_view(rows, days)] if rows.differing else []
    return found


def _compared_at_length(connection: sa.Connection, view: str, days: Days) -> ViewRows:
    """As ``compared``, with more time than a page's query has."""
    with long_snapshot(connection):
        return compared(connection, view, days)


def _wrong_view(rows: ViewRows, days: Days) -> str:
    return (
        f"The view {rows.view} on the master does not hold what the sales say: from {days[0]} to {days[1]}"
        f" {locale.number(rows.differing)} of {counted(rows.rows, 'row')} differ. `workbench migrate` makes a view anew"
        " whose body has changed; if it stays so, the body in sql/metrics is wrong."
    )


def _ways(engines: Engines, columns: Columns | None, token: str) -> tuple[dict[str, Way], tuple[str, ...]]:
    """How each engine that has the token is asked, and a line for each of the others."""
    ways: dict[str, Way] = {}
    missing: list[str] = []
    for follower in followers(engines):
        if follower.wait(token, WAIT_SECONDS):
            ways[follower.name] = partial(_followed, engines, follower)
        else:
            missing.append(
                f"{english(named(follower.name))} has not reached {token} within {WAIT_SECONDS:.0f} s,"
                " so it was not compared. See `workbench status`."
            )
    if columns is not None:
        try:
            columns.refresh(Reader(engines), ReadPosition(token))
        except WorkbenchError as error:
            missing.append(f"The columns were not compared. {error}")
        else:
            ways["columns"] = partial(of_columns, columns, Reader(engines))
    if not ways and not missing:
        missing.append("No follower is configured: there is nothing to compare the master with.")
    return ways, tuple(missing)


def _followed(engines: Engines, follower: Follower, token: str, question: Question) -> Figures | None:
    follower.wait(token, WAIT_SECONDS)
    return answered(engines, follower.name, token, question)


def _compared(engines: Engines, question: Question, ways: Mapping[str, Way], result: Verification) -> Verification:
    """The result with one more question: asked again while sales that are being written move its figures."""
    master = Reader(replace(engines, replica=None))
    token, stood = result.token, False
    try:
        for _ in range(TRIES):
            truth = figures_of(master, "master", token, question)
            token = committed_with_heartbeat(
                engines
            )  # the followers are waited for up to what the master has just said
            found, unanswered = _answers(question, ways, token)
            if not any(differing(truth, figures) for figures in found.values()):
                problems = (*result.problems, *unanswered)
                return replace(result, figures=result.figures + len(truth), problems=problems)
            again = figures_of(master, "master", token, question)
            if again == truth and stood:  # the second time in a row: no write that came and went in between
                break
            stood = again == truth
    except WorkbenchError as error:
        return replace(result, problems=(*result.problems, f"Not compared: {question.label}. {error}"))
    moving = other(truth, again)
    differences = [
        _difference(question, key, name, truth, figures)
        for name, figures in found.items()
        for key in differing(truth, figures)
        if key not in moving
    ]
    figures = counted(len(moving), "figure")
    kept_changing = [f"Not compared, because they kept changing: {figures} of {question.label}."] * bool(moving)
    return replace(
        result,
        figures=result.figures + len(truth) - len(moving),
        differences=(*result.differences, *differences),
        problems=(*result.problems, *unanswered, *kept_changing),
    )


def _answers(question: Question, ways: Mapping[str, Way], token: str) -> tuple[dict[str, Figures], list[str]]:
    """What each engine answers, and a line for each that cannot: one view that is missing is that view's alone."""
    found: dict[str, Figures] = {}
    unanswered = []
    for name, way in ways.items():
        try:
            figures = way(token, question)
        except WorkbenchError as error:
            unanswered.append(f"Not compared: {question.label}. {error}")
            continue
        if figures is not None:
            found[name] = figures
    return found, unanswered


def _difference(question: Question, key: Key, engine: str, truth: Figures, figures: Figures) -> Difference:
    group, metric = key
    shown = f"{group:%Y-%m-%d}" if question.dimension == "day" else str(group)
    return Difference(
        metric,
        question.dimension or "",
        shown if question.dimension else "",
        engine,
        str(truth.get(key, MISSING)),
        str(figures.get(key, MISSING)),
    )


MOST_DIFFERENCES = 1_000  # of one run that are kept; a follower that is all wrong differs in every figure


def save(engines: Engines, result: Verification, actor: Actor | str = "") -> None:
    """Keeps a result. Raises RoleRefused, SignedOut, OutcomeUnknown, and ServerUnavailable without the master."""
    as_actor(actor).need("admin", N_("To keep what a comparison found"))
    values = {
        "verified_at": result.verified_at,
        "token": result.token,
        "engines": list(result.engines),
        "figures": result.figures,
        "differences": json.dumps([asdict(difference) for difference in result.differences[:MOST_DIFFERENCES]]),
        "problems": json.dumps(result.problems),
    }
    write = Write(engines, ReadPosition(), "keep the result", may_repeat=False)
    write.run(lambda connection: run_file(connection, "queries/save_verification", values))


def last(reader: Reader, read_position: ReadPosition) -> Answer[Verification | None]:
    """The newest result, with at most MOST_DIFFERENCES differences; None before the first run.

    Raises ServerUnavailable, and SchemaError when the migration that makes its table has not run yet.
    """

    def work(connection: sa.Connection) -> Verification | None:
        row = run_sql(connection, "queries/last_verification").one_or_none()
        if row is None:
            return None
        try:
            differences = tuple(Difference(**difference) for difference in row.differences)
        except TypeError:
            raise SchemaError(
                "The last comparison was saved by another version, whose result cannot be read. Compare again."
            ) from None
        return Verification(
            row.verified_at, row.token, tuple(row.engines), row.figures, differences, tuple(row.problems)
        )

    return reader.read(read_position, work)
