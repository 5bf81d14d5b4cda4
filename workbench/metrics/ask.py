"""ask(): the one question. Takes each measure from the cheapest place that gives it exactly, and makes one frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pandas as pd

from workbench.metrics import direct
from workbench.metrics.cube import Cube, Groups
from workbench.metrics.filters import AnyWhere, Where
from workbench.metrics.frames import key_columns, ordered
from workbench.metrics.registry import CENTS, DIMENSIONS, OF_LINES, Metric, checked
from workbench.metrics.rollups import Rollups
from workbench.metrics.state import State
from workbench.models import CENT
from workbench.replication import Answer, Reader, Session


@dataclass(frozen=True)
class Source:
    """Who is asked, for whom. Without ``rollups`` every figure is asked of the database."""

    reader: Reader
    session: Session
    rollups: Rollups | None = None

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
    ``where`` may also be a dict of its fields, or a Filters. The session sees its own writes; ``engine`` and ``as_of``
    are those of the oldest part. Raises MetricError for what a metric cannot give and ServerUnavailable.
    """
    chosen = checked(metrics, by)
    found = _summed(source, [metric.measures for metric in chosen], by, source.where(where))
    return Answer(frame_of(found.value, chosen, by), found.engine, found.as_of, found.note)


def sums(source: Source, measures: Sequence[str], by: Sequence[str], where: Where) -> Answer[Groups]:
    """Measures of the registry's rollups, all of one moment, for each group that has a matching sale or line.

    Money is in cents, days are numbers. Raises ServerUnavailable.
    """
    return _summed(source, [tuple(measures)], by, where)


def _summed(source: Source, together: Sequence[Sequence[str]], by: Sequence[str], where: Where) -> Answer[Groups]:
    """The measures, of which some are of one moment. ``engine`` and ``as_of`` are those of the oldest part."""
    # Different customers of two days may be the same: they cannot be added up.
    adds_up = not any("customers" in measures for measures in together)
    pieces = where.pieces if adds_up else (where,)
    parts = [part for piece in pieces for part in _parts(source, together, by, piece)]
    groups: Groups = {}
    for part in parts:
        for key, values in part.value.items():
            group = groups.setdefault(key, {})
            group.update({name: group.get(name, 0) + value for name, value in values.items()})
    oldest = min(parts, key=lambda part: part.as_of)
    return Answer(groups, oldest.engine, oldest.as_of, oldest.note)


def _parts(source: Source, together: Sequence[Sequence[str]], by: Sequence[str], where: Where) -> list[Answer[Groups]]:
    """The measures that the rollups can give, and the others from the database in one snapshot."""
    state = current(source)
    grains = {measure: grain_of(measure, by, where) for measures in together for measure in measures}
    if by and where.narrows_lines:
        grains["items"] = "line"  # every group that has a matching line gets its row, whatever else is asked
    elif by and not any(DIMENSIONS[name].grain == "line" for name in by):
        grains["sales"] = "sale"  # every group that has a sale does
    cubes = {} if state is None else {name: state.cube(name, grain, by, where) for name, grain in grains.items()}
    missing = _with_others(together, [name for name in grains if cubes.get(name) is None])
    parts: list[Answer[Groups]] = []
    if state is not None and state.as_of is not None:
        asked: dict[int, tuple[Cube, list[str]]] = {}
        for name, cube in cubes.items():
            if cube is not None and name not in missing:
                asked.setdefault(id(cube), (cube, []))[1].append(name)
        parts += [Answer(cube.sums(names, by, where), state.engine, state.as_of) for cube, names in asked.values()]
    if missing:
        parts.append(_asked(source, state, {name: grains[name] for name in missing}, by, where))
    return parts


def _asked(
    source: Source, state: State | None, grains: dict[str, str], by: Sequence[str], where: Where
) -> Answer[Groups]:
    """The database's answer, remembered until something changes."""
    if not by and where.date_from != where.date_to and "customers" not in grains:
        return _in_total(_asked(source, state, grains, ("day",), where), grains)  # which is asked soon, or was

    def read() -> Answer[Groups]:
        asked = "+".join(sorted(grains))
        return source.reader.read(source.session, lambda connection: direct.sums(connection, grains, by, where), asked)

    if source.rollups is None or state is None:
        return read()
    state.hold(source.session)
    return source.rollups.answers.remembered(state, (tuple(by), where), grains, read)


def _in_total(days: Answer[Groups], measures: Iterable[str]) -> Answer[Groups]:
    """The sums over all days: a sale, like the first one of a customer, is of one day."""
    total = {name: sum(values.get(name, 0) for values in days.value.values()) for name in measures}
    return replace(days, value={(): total})


def _with_others(together: Sequence[Sequence[str]], missing: list[str]) -> list[str]:
    """With the other measures of a ratio that misses one: a ratio is never of two moments."""
    found = dict.fromkeys(missing)
    for measures in together:
        if any(name in found for name in measures):
            found.update(dict.fromkeys(measures))
    return list(found) if len(found) == len(missing) else _with_others(together, list(found))


def current(source: Source) -> State | None:
    """The rollups, when they have what this session has written."""
    if source.rollups is None:
        return None
    if source.rollups.state.as_of is not None and not source.rollups.state.reaches(source.session.token):
        source.rollups.catch_up(source.reader, source.session)
    state = source.rollups.state
    return state if state.reaches(source.session.token) else None


def grain_of(measure: str, by: Sequence[str], where: Where) -> str:
    """Lines are summed when they are told apart; then, too, a header's totals would be of other lines as well."""
    if measure in OF_LINES:
        return "line"
    tells_lines = where.narrows_lines or any(DIMENSIONS[name].grain == "line" for name in by)
    return "line" if tells_lines and measure in CENTS else "sale"


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
