"""Reconciliation of some days: every metric on every server at one token, by a role that can only read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd

from workbench import locale
from workbench.database.engines import Engines
from workbench.database.failures import named
from workbench.database.positions import followers, mark
from workbench.database.replication import Reader, ReadPosition
from workbench.errors import ServerUnavailable, WorkbenchError
from workbench.locale import N_, _
from workbench.metrics import DIMENSIONS, METRICS, Where
from workbench.metrics.verification.figures import (
    Days,
    Figures,
    Question,
    answered,
    differing,
    figures_of,
    questions,
    view_names,
)
from workbench.metrics.verification.figures import compared as view_rows
from workbench.reports.data import ReportData, within

SERVERS = ("master", "replica", "risingwave")
# How long a follower is waited for, try by try: figures move while sales are written. An idle master's position can lie
# inside a record that it has not written out to its end; equal figures are equal, whatever the position.
WAITS = (0.3, 2.0, 5.0, 20.0)
ANY_POSITION = "0/0"
EQUAL, ABSENT = N_("equal"), N_("not configured")
UNANSWERED = N_("not answered")


@dataclass(frozen=True)
class Reconciliation:
    """``totals``: every metric on every server; ``compared``: for each dimension, how many figures, and whether equal.

    ``differences`` has a row for each figure that a follower has otherwise than the master, or cannot give; ``views``,
    for each view on the master, how many rows it has, and how many of them are not what the sales say. Nothing differs.
    """

    totals: pd.DataFrame
    compared: pd.DataFrame
    differences: pd.DataFrame
    views: pd.DataFrame


def reconcile(data: ReportData, days: Days) -> Reconciliation:
    """Compares the followers with the master on these days, to the cent, and the master's views with the sales.

    Raises ServerUnavailable when the master does not answer, or a follower is behind.
    """
    engines, where = data.workbench.engines, within(days)
    answers = [(question, _figures(engines, question, where)) for question in questions()]
    data.ask(["sales"], where=where)  # so that the report says as of when
    totals: dict[str, Figures] = {name: {} for name in SERVERS}
    for question, figures in answers:
        if question.dimension is None:
            for name, found in figures.items():
                totals[name] = {**totals[name], **found}
    differences = [row for question, figures in answers for row in _differences(question, figures)]
    return Reconciliation(
        totals=pd.DataFrame([_total(name, totals) for name in METRICS], columns=["metric", *SERVERS], dtype=object),
        compared=pd.DataFrame(_compared(answers), dtype=object),
        differences=pd.DataFrame(differences, columns=["figure", "server", "master", "found"], dtype=object),
        views=pd.DataFrame(_views(engines, days), columns=["view", "rows", "differ"], dtype=object),
    )


def _views(engines: Engines, days: Days) -> list[list[object]]:
    master = Reader(replace(engines, replica=None))
    read = [master.read_master(ReadPosition(), partial(view_rows, view=view, days=days)).value for view in view_names()]
    return [[rows.view, rows.rows, rows.differing] for rows in read]


def _figures(engines: Engines, question: Question, where: Where) -> dict[str, Figures]:
    """Every server's answer at one token; asked again while they differ, for sales may be coming in."""
    present = followers(engines)
    found: dict[str, Figures] = {}
    for seconds in WAITS:
        read_position = ReadPosition()
        mark(engines, read_position)
        token = read_position.token
        if token is None:
            raise ServerUnavailable(_("The master does not say what is committed: nothing can be compared with it."))
        found["master"] = figures_of(Reader(replace(engines, replica=None)), "master", token, question, where)
        behind = [follower.name for follower in present if not follower.wait(token, seconds)]
        for follower in present:
            reached = ANY_POSITION if follower.name in behind else token
            try:
                figures = answered(engines, follower.name, reached, question, where)
            except WorkbenchError as error:  # a view of RisingWave's that is missing, say: the others are compared
                figures = {(None, UNANSWERED): str(error)}
            if figures is not None:
                found[follower.name] = figures
        if not any(differing(found["master"], figures) for figures in found.values()):
            return found
    if behind:
        raise ServerUnavailable(
            _("{who} has not reached {token} within {n} s.", who=named(behind[0]), token=token, n=f"{WAITS[-1]:.0f}")
        )
    return found


def _total(metric: str, totals: Mapping[str, Figures]) -> list[object]:
    return [METRICS[metric].label, *(totals[name].get((None, metric), _(ABSENT)) for name in SERVERS)]


def _compared(answers: Sequence[tuple[Question, dict[str, Figures]]]) -> list[dict[str, object]]:
    rows = []
    for dimension in dict.fromkeys(question.dimension for question, _figures in answers):
        of_it = [figures for question, figures in answers if question.dimension == dimension]
        row: dict[str, object] = {"by": _("in total") if dimension is None else DIMENSIONS[dimension].label}
        row["figures"] = sum(len(figures["master"]) for figures in of_it)
        for name in SERVERS[1:]:
            counts = [len(differing(figures["master"], figures[name])) for figures in of_it if name in figures]
            differ = _("{n} differ", n=locale.number(sum(counts))) if sum(counts) else _(EQUAL)
            row[name] = differ if counts else _(ABSENT)
        rows.append(row)
    return rows


def _differences(question: Question, figures: Mapping[str, Figures]) -> list[list[object]]:
    truth = figures["master"]
    rows = []
    for name, found in figures.items():
        for group, metric in differing(truth, found):
            what = METRICS[metric].label if metric in METRICS else _(metric)
            if question.dimension is not None:
                what = _("{metric} of {dimension} {group}", metric=what, dimension=question.dimension, group=group)
            rows.append([what, name, truth.get((group, metric)), found.get((group, metric))])
    return rows
