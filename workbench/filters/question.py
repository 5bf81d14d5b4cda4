"""Question: which metrics by what, in which shape; read from an address, and what of it cannot be given, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import param

from workbench.errors import MetricError
from workbench.filters.model import Filters
from workbench.filters.periods import AUTO, fitting
from workbench.locale import N_, _
from workbench.metrics import DIMENSIONS, METRICS, MetricQuery, Where
from workbench.metrics.definitions import checked

GRAINED = ("week", "month")  # a day's grains: chosen beside it, not in its place
BY = {name: dimension.english for name, dimension in DIMENSIONS.items() if name not in GRAINED}
SHAPES = {"chart": N_("Chart"), "table": N_("Table")}
NAMES = ("metrics", "by", "shape")  # in an address; the grain is that of the filters
MOST_BY = 2


def title_of(metrics: Sequence[str], by: Sequence[str]) -> str:
    """``Revenue by store and category``, in English, as files are named."""
    what, of = ", ".join(METRICS[name].english for name in metrics), (DIMENSIONS[name].english.lower() for name in by)
    return " by ".join([what, *([" and ".join(of)] if by else [])])


def heading_of(metrics: Sequence[str], by: Sequence[str]) -> str:
    """The same as people read it."""
    what, nouns = ", ".join(METRICS[name].label for name in metrics), [DIMENSIONS[name].noun for name in by]
    if len(nouns) > 1:
        return _("{what} by {one} and {other}", what=what, one=nouns[0], other=nouns[1])
    return _("{what} by {one}", what=what, one=nouns[0]) if nouns else what


class Asked(NamedTuple):
    """What is put to the engine: metrics that can be given by ``by``, rows first, then columns."""

    metrics: tuple[str, ...]
    by: tuple[str, ...]

    def totals(self, where: Where) -> list[MetricQuery]:
        """Every total by itself, for customers, averages and rates do not add up; of one dimension its groups."""
        return [MetricQuery(self.metrics, by, where) for by in [*((name,) for name in self.by), ()]]


class Names(param.List):
    """Names of metrics, or at most two of BY. Raises MetricError for anything else, and the ones before stay."""

    def _validate(self, val: Any) -> None:
        super()._validate(val)
        if self.name == "metrics" and val:
            checked(val, ())
        if self.name == "by":
            _refuse_by(val)


def _refuse_by(names: list[str]) -> None:
    for name in names:
        if name in GRAINED:
            raise MetricError(_("A {grain} is asked by 'day', with {grain} as the grain of the filters.", grain=name))
        if name not in BY:
            text = _("There is no dimension {name}. There are {names}.", name=repr(name), names=", ".join(BY))
            raise MetricError(text)
    if len(names) > MOST_BY:
        values = {"n": MOST_BY, "names": ", ".join(names)}
        raise MetricError(_("At most {n} dimensions can be asked at once, and not {names}.", **values))
    checked(list(METRICS)[:1], names)  # each once


class Question(param.Parameterized):
    """``by`` are at most two of BY: the rows and the columns of a table."""

    metrics = Names(default=["revenue"], item_type=str)
    by = Names(default=["store"], item_type=str)
    shape: Any = param.Selector(default="chart", objects=list(SHAPES))

    def dimensions(self, filters: Filters, days: int | None) -> tuple[str, ...]:
        """``by`` with the grain of the filters for a day; one that fits ``days`` (None: open) where none is chosen."""
        grain = filters.grain
        if grain == AUTO:
            grain = "month" if days is None else fitting(grain, days)
        return tuple(grain if name == "day" else name for name in self.by)

    def asked(self, dimensions: tuple[str, ...]) -> tuple[Asked, list[str]]:
        """What of it can be given, and a sentence for each metric that cannot."""
        given, refused = [], []
        for name in self.metrics:
            try:
                given += checked([name], dimensions)
            except MetricError as error:
                first, dot, _rest = str(error).partition(". ")
                refused.append(_("{error} Choose another dimension for it.", error=first + dot.strip()))
        return Asked(tuple(metric.name for metric in given), dimensions), refused

    def asked_now(self, filters: Filters, now: datetime) -> tuple[Asked, list[str]]:
        """The same, with the grain that fits the period at this time of the stores' clock."""
        first, last = filters.period_days(now)
        days = None if first is None or last is None else (last - first).days + 1
        return self.asked(self.dimensions(filters, days))

    def texts(self) -> dict[str, str]:
        """Its values in an address."""
        return {"metrics": ",".join(self.metrics), "by": ",".join(self.by), "shape": self.shape}

    def read(self, found: Mapping[str, str]) -> list[str]:
        """Takes values of an address; what is not there gets its default. A sentence for each that cannot be used."""
        problems: list[str] = []
        metrics = _known(
            N_("There is no metric {name}: it was left out. There are {names}."),
            found.get("metrics"),
            METRICS,
            self.param.metrics.default,
            problems,
        )
        by = _known(
            N_("There is no dimension {name}: it was left out. There are {names}."),
            found.get("by"),
            BY,
            self.param.by.default,
            problems,
        )
        if len(by) > MOST_BY:
            left_out = ", ".join(by[MOST_BY:])
            problems.append(
                _("At most {n} dimensions can be asked at once: {names} was left out.", n=MOST_BY, names=left_out)
            )
        shape = found.get("shape") or self.param.shape.default
        if shape not in SHAPES:
            values = {"name": "shape", "value": repr(shape[:60]), "allowed": ", ".join(SHAPES)}
            problems.append(_("{name} cannot be {value}, only one of {allowed}: it was left out.", **values))
            shape = self.param.shape.default
        self.param.update(metrics=metrics or list(self.param.metrics.default), by=by[:MOST_BY], shape=shape)
        return problems


def _known(
    said: str, text: str | None, known: Mapping[str, object], default: list[str], problems: list[str]
) -> list[str]:
    """The names of a list that there are, each once."""
    if text is None:
        return list(default)
    names = list(dict.fromkeys(name for name in text.split(",") if name))
    if unknown := [name for name in names if name not in known]:
        shown = ", ".join(unknown)[:60]
        problems.append(_(said, name=repr(shown), names=", ".join(known)))
    return [name for name in names if name in known]
