"""A rollup in memory: columns of NumPy, sorted by day, replaced as a whole when days change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.metrics.filters import Where

Ints = npt.NDArray[np.int64]
Groups = dict[tuple[Any, ...], dict[str, int]]

DENSE_GROUPS = 4_000_000  # up to so many possible groups are counted in one array


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


@dataclass(frozen=True)
class Cube:
    """Rows of one rollup, sorted by ``day`` (its number). ``key`` is the column that changes are told by."""

    day: npt.NDArray[np.int32]
    key: Ints
    dimensions: Mapping[str, Codes]
    measures: Mapping[str, Ints]

    @classmethod
    def of(cls, rows: pd.DataFrame, dimensions: Sequence[str], measures: Sequence[str], key: str) -> Cube:
        """A cube of fetched rows; ``day`` is a number, and money is cents."""
        rows = rows.sort_values("day", kind="stable")
        return cls(
            day=rows["day"].to_numpy(np.int32),
            key=rows[key].to_numpy(np.int64),
            dimensions={name: Codes.of(rows[name]) for name in dimensions if name != "day"},
            measures={name: rows[name].to_numpy(np.int64) for name in measures},
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
        part, chosen = self._chosen(where)
        group, keys = _groups([self._column(name, part, chosen) for name in by])
        found = {name: self._totals(name, part, chosen, group, len(keys)).tolist() for name in measures}
        return {key: {name: found[name][n] for name in measures} for n, key in enumerate(keys)}

    def has_one(self, names: Sequence[str], where: Where) -> bool:
        """Whether the rows have at most one combination of values in those of these dimensions that there are."""
        part, chosen = self._chosen(where)
        return len(_groups([self._column(name, part, chosen) for name in names if name in self.dimensions])[1]) <= 1

    def _totals(self, name: str, part: slice, chosen: Any, group: Ints | None, count: int) -> Ints:
        if name == "customers":
            return _distinct(self.dimensions["customer"].codes[part][chosen], group, count)
        values = self.measures[name][part][chosen]
        return values.sum(keepdims=True) if group is None else _sum(values, group, count)

    def _chosen(self, where: Where) -> tuple[slice, Any]:
        """The rows of the days, and an index of those of them that have only allowed values."""
        first, last = where.days
        start = 0 if first is None else int(np.searchsorted(self.day, first))
        end = len(self.day) if last is None else int(np.searchsorted(self.day, last, side="right"))
        part = slice(start, max(start, end))
        chosen: Any = None
        for name, values in where.by_dimension.items():
            found = self._column(name, part, slice(None)).among(values)
            chosen = found if chosen is None else chosen & found
        return part, slice(None) if chosen is None else np.flatnonzero(chosen)

    def _column(self, name: str, part: slice, chosen: Any) -> Codes:
        if name in ("day", "weekday"):
            day = self.day[part][chosen]
            if name == "weekday":  # 2000-01-01 was a Saturday, 6
                return Codes(tuple(range(1, 8)), ((day + 5) % 7).astype(np.int32))
            start = int(day.min()) if len(day) else 0
            end = int(day.max()) + 1 if len(day) else 0
            return Codes(range(start, end), day - start)  # type: ignore[arg-type]
        column = self.dimensions[name]
        return Codes(column.values, column.codes[part][chosen])


def _groups(columns: list[Codes]) -> tuple[Ints | None, list[tuple[Any, ...]]]:
    """A group number for each row, and the values of each group; no numbers when all rows are one group."""
    if not columns:
        return None, [()]
    sizes = [max(1, len(column.values)) for column in columns]
    flat = np.ravel_multi_index([column.codes for column in columns], sizes).astype(np.int64)
    if np.prod(sizes, dtype=float) <= DENSE_GROUPS:
        present = np.flatnonzero(np.bincount(flat, minlength=1))
        place = np.zeros(int(present[-1]) + 1 if len(present) else 1, dtype=np.int64)
        place[present] = np.arange(len(present))
        group = place[flat]
    else:
        present, group = np.unique(flat, return_inverse=True)
    codes = np.unravel_index(present, sizes)
    values = [[column.values[code] for code in chosen.tolist()] for column, chosen in zip(columns, codes, strict=True)]
    return group, list(zip(*values, strict=True))


def _sum(values: Ints, group: npt.NDArray[np.int64], count: int) -> Ints:
    """The sum of each group, exact: a float holds whole numbers up to 2**53."""
    if float(np.abs(values).sum(dtype=float)) < 2**52:
        return np.bincount(group, weights=values, minlength=count).astype(np.int64)
    exact = np.zeros(count, dtype=np.int64)
    np.add.at(exact, group, values)
    return exact


def _distinct(codes: npt.NDArray[np.int32], group: Ints | None, count: int) -> Ints:
    """How many different codes each group has."""
    width = int(codes.max()) + 1 if len(codes) else 1
    flat = codes.astype(np.int64) if group is None else group * width + codes
    if count * width <= DENSE_GROUPS:
        is_there = np.zeros(count * width, dtype=bool)
        is_there[flat] = True
        return is_there.reshape(count, width).sum(axis=1)
    return np.bincount(np.unique(flat) // width, minlength=count)


def _plain(value: Any) -> Any:
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value
