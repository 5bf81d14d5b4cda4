"""The columns of a frame that tell its groups apart: sorted, typed, with None last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from workbench.metrics.definitions import SPANS
from workbench.metrics.where import EPOCH
from workbench.sales.fields import GROUPED

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
