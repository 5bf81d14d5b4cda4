"""A rollup in memory: columns of NumPy, sorted by day, replaced as a whole when days change."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.metrics.category_sets import members
from workbench.metrics.filters import EPOCH, Where
from workbench.metrics.registry import SPANS

Ints = npt.NDArray[np.int64]
Groups = dict[tuple[Any, ...], dict[str, int]]

DENSE_GROUPS = 1_000_000  # up to so many possible groups are counted in one array
MOST_CHOICES = 4  # filters whose rows are remembered, for the tiles that ask one after the other


@dataclass(frozen=True)
class Codes:
    """A dimension's column: ``values[code]`` is what a row has."""

    values: tuple[Any, ...]
    codes: npt.NDArray[np.int32]

    @classmethod
    def of(cls, column: pd.Series) -> Codes:
        """Encodes a column; a missing value is a value of its own, None."""
        codes, values = pd.factorize(column, use_na_sentinel=False)
        return cls(tuple(_plain(value) for value in values), codes.astype(np.int32))

    def take(self, rows: npt.NDArray[Any]) -> Codes:
        """The column of these rows alone."""
        return Codes(self.values, self.codes[rows])

    def append(self, other: Codes) -> Codes:
        """This column, then the other, in one set of values."""
        place = {value: code for code, value in enumerate(self.values)}
        translation = np.array([place.setdefault(value, len(place)) for value in other.values], dtype=np.int32)
        added = translation[other.codes] if len(other.values) else other.codes
        return Codes(tuple(place), np.concatenate([self.codes, added]))

    def among(self, allowed: Sequence[Any]) -> npt.NDArray[np.bool_]:
        """Which rows have one of the allowed values."""
        wanted = set(allowed)
        return np.array([value in wanted for value in self.values], dtype=bool)[self.codes]

    def sharing(self, allowed: Sequence[Any]) -> npt.NDArray[np.bool_]:
        """Which rows, each with a set of categories, have one of the allowed categories in it."""
        wanted = set(allowed)
        return np.array([not wanted.isdisjoint(members(text)) for text in self.values], dtype=bool)[self.codes]


@dataclass(frozen=True)
class Cube:
    """Rows of one rollup, sorted by ``day`` (its number). ``key`` is the column that changes are told by."""

    day: npt.NDArray[np.int32]
    key: Ints
    dimensions: Mapping[str, Codes]
    measures: Mapping[str, npt.NDArray[Any]]
    _choices: dict[Where, tuple[slice, Any]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, rows: pd.DataFrame, dimensions: Sequence[str], measures: Sequence[str], key: str) -> Cube:
        """A cube of fetched rows; ``day`` is a number, and money is cents."""
        rows = rows.sort_values("day", kind="stable")
        return cls(
            day=rows["day"].to_numpy(np.int32),
            key=rows[key].to_numpy(np.int64),
            dimensions={name: Codes.of(rows[name]) for name in dimensions if name != "day"},
            measures={name: _small(rows[name].to_numpy(np.int64)) for name in measures},
        )

    def replaced(self, keys: Sequence[int], by: Cube) -> Cube:
        """This cube with the rows of ``keys`` replaced by another cube's."""
        keep = ~np.isin(self.key, np.array(keys, dtype=np.int64))
        day = np.concatenate([self.day[keep], by.day])
        order = np.argsort(day, kind="stable")
        return Cube(
            day=day[order],
            key=np.concatenate([self.key[keep], by.key])[order],
            dimensions={
                name: column.take(keep).append(by.dimensions[name]).take(order)
                for name, column in self.dimensions.items()
            },
            measures={
                name: np.concatenate([column[keep], by.measures[name]])[order] for name, column in self.measures.items()
            },
        )

    def sums(self, measures: Sequence[str], by: Sequence[str], where: Where) -> Groups:
        """The sum of each measure for each group that has a row; one group when ``by`` is empty."""
        part, chosen = self.chosen(where)
        grouping = Grouping.of([self.column(name, part, chosen) for name in by])
        found = [self._totals(name, part, chosen, grouping).tolist() for name in measures]
        return {
            key: dict(zip(measures, values, strict=True)) for key, *values in zip(grouping.keys, *found, strict=True)
        }

    def has_one(self, names: Sequence[str], where: Where) -> bool:
        """Whether the rows have at most one value in each of those of these dimensions that there are."""
        part, chosen = self.chosen(where)
        columns = [self.dimensions[name].codes[part][chosen] for name in names if name in self.dimensions]
        return all(len(codes) == 0 or bool((codes == codes[0]).all()) for codes in columns)

    def chosen(self, where: Where) -> tuple[slice, Any]:
        """The rows of the days, and an index of those of them that have only allowed values."""
        found = self._choices.get(where)
        if found is None:
            found = self._chosen(where)
            if len(self._choices) >= MOST_CHOICES:
                self._choices.clear()
            self._choices[where] = found
        return found

    def rows(self, where: Where) -> Ints:
        """The numbers of the rows of these days with only allowed values."""
        part, chosen = self.chosen(where)
        found: Ints = np.arange(part.start, part.stop)[chosen]
        return found

    def _totals(self, name: str, part: slice, chosen: Any, grouping: Grouping) -> Ints:
        if name == "customers":
            return grouping.different(self.dimensions["customer"].codes[part][chosen])
        return grouping.sums(self.measures[name][part][chosen])

    def _chosen(self, where: Where) -> tuple[slice, Any]:
        first, last = where.days
        start = 0 if first is None else int(np.searchsorted(self.day, first))
        end = len(self.day) if last is None else int(np.searchsorted(self.day, last, side="right"))
        part = slice(start, max(start, end))
        chosen: Any = None
        for name, values in where.by_dimension.items():
            found = self._allowed(name, part, values)
            chosen = found if chosen is None else chosen & found
        return part, slice(None) if chosen is None else np.flatnonzero(chosen)

    def _allowed(self, name: str, part: slice, values: Sequence[Any]) -> npt.NDArray[np.bool_]:
        """Which rows of the part have one of these values."""
        if name == "category" and "categories" in self.dimensions:
            return self.column("categories", part, slice(None)).sharing(values)
        return self.column(name, part, slice(None)).among(values)

    def column(self, name: str, part: slice, chosen: Any) -> Codes:
        """A dimension, or what the calendar says of the day, of these rows."""
        if name in SPANS:
            starts, codes = np.unique(span_starts(self.day[part][chosen], name), return_inverse=True)
            return Codes(tuple(starts.tolist()), codes.astype(np.int32))
        if name in ("day", "weekday"):
            day = self.day[part][chosen]
            if name == "weekday":  # 2000-01-01 was a Saturday, 6
                return Codes(tuple(range(1, 8)), ((day + 5) % 7).astype(np.int32))
            start = int(day.min()) if len(day) else 0
            end = int(day.max()) + 1 if len(day) else 0
            return Codes(range(start, end), day - start)  # type: ignore[arg-type]
        column = self.dimensions[name]
        return Codes(column.values, column.codes[part][chosen])


@dataclass(frozen=True)
class Grouping:
    """Rows in groups: ``keys`` are the values of each group that has a row.

    ``cell`` is the place of each row among ``cells`` possible ones, None when all rows are one group; ``present`` are
    the cells that have a row, in the order of the keys.
    """

    keys: list[tuple[Any, ...]]
    cell: Ints | None = None
    cells: int = 1
    present: Any = ...

    @classmethod
    def of(cls, columns: Sequence[Codes]) -> Grouping:
        """Groups by these columns; one group of everything without any."""
        if not columns:
            return cls([()])
        sizes = [max(1, len(column.values)) for column in columns]
        cell = columns[0].codes.astype(np.int64)
        for column, size in zip(columns[1:], sizes[1:], strict=True):
            cell = cell * size + column.codes
        cells = math.prod(sizes)
        if cells <= DENSE_GROUPS:
            found = present = np.flatnonzero(np.bincount(cell, minlength=cells))
        else:
            found, cell = np.unique(cell, return_inverse=True)
            present, cells = np.arange(len(found)), len(found)
        codes = np.unravel_index(found, sizes)
        values = [
            [column.values[code] for code in code_of.tolist()] for column, code_of in zip(columns, codes, strict=True)
        ]
        return cls(list(zip(*values, strict=True)), cell, cells, present)

    def sums(self, values: npt.NDArray[Any]) -> Ints:
        """The sum of each group, exact: a float holds whole numbers up to 2**53."""
        if self.cell is None:
            return values.sum(keepdims=True, dtype=np.int64)
        if float(np.abs(values).sum(dtype=float)) < 2**52:
            return np.bincount(self.cell, weights=values, minlength=self.cells)[self.present].astype(np.int64)
        exact = np.zeros(self.cells, dtype=np.int64)
        np.add.at(exact, self.cell, values)
        return exact[self.present]

    def different(self, codes: npt.NDArray[Any]) -> Ints:
        """How many different codes each group has."""
        width = int(codes.max()) + 1 if len(codes) else 1
        flat = codes.astype(np.int64) if self.cell is None else self.cell * width + codes
        if self.cells * width <= DENSE_GROUPS:
            is_there = np.zeros(self.cells * width, dtype=bool)
            is_there[flat] = True
            return is_there.reshape(self.cells, width).sum(axis=1)[self.present]
        return np.bincount(np.unique(flat) // width, minlength=self.cells)[self.present]


def span_starts(days: npt.NDArray[Any], span: str) -> Ints:
    """The number of the first day of the week (its Monday), month, quarter or year that each day is in."""
    number = days.astype(np.int64)
    if span == "week":
        return number - (number + 5) % 7
    first = np.datetime64(EPOCH, "D")
    months = (first + number).astype("datetime64[M]").astype(np.int64)
    months -= months % {"month": 1, "quarter": 3, "year": 12}[span]
    starts: Ints = (months.astype("datetime64[M]").astype("datetime64[D]") - first).astype(np.int64)
    return starts


def _small(values: Ints) -> npt.NDArray[Any]:
    """The same numbers, in half the memory where they fit."""
    is_small = len(values) == 0 or max(abs(int(values.min())), abs(int(values.max()))) < 2**31
    return values.astype(np.int32) if is_small else values


def _plain(value: Any) -> Any:
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value
