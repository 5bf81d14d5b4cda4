"""A parameter's value as SQL: what Python, NumPy and pandas have for numbers, texts, times, and lists of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import psycopg
from psycopg import sql

from workbench.config.clock import StoreClock
from workbench.database.sql_text import Many, array
from workbench.errors import QueryRefused

PLAIN = (str, bool, int, float, Decimal, date, time, timedelta, UUID, bytes)
ALLOWED = "text, a number, true or false, a day, a time, bytes, None, or a list of these"


def literal(name: str, value: Any, clock: StoreClock) -> str | Many:
    """``value`` as SQL, a list as the SQL of its elements. Missing values of pandas (NaN, NA, NaT) are null; a moment
    with a time zone becomes the time of the stores' clock, as ``transaction_time`` is.

    Raises QueryRefused, which names the parameter and says what is allowed.
    """
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, bytearray, memoryview, Mapping)):
        if isinstance(value, pd.DataFrame):
            raise QueryRefused(f":{name} is a whole DataFrame; give one column of it.")
        if getattr(value, "ndim", 1) != 0:
            return [_element(name, each, clock) for each in value]
    plain = _plain(name, value, clock)
    if isinstance(plain, bytes):
        return f"'\\x{plain.hex()}'::bytea"
    try:
        return sql.Literal(plain).as_string()  # a negative number has a blank before it: a-:b is no comment
    except (psycopg.Error, UnicodeError, ValueError) as error:
        raise QueryRefused(f":{name} is refused: {' '.join(str(error).split())}.") from None


def _element(name: str, value: Any, clock: StoreClock) -> str:
    made = literal(name, value, clock)
    return array(made) if isinstance(made, list) else made


def _plain(name: str, value: Any, clock: StoreClock) -> Any:
    """The value as one of PLAIN, or None."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, np.ndarray):  # one that holds a single value and has no dimension
        value = value[()]
    if value is None or value is pd.NA or value is pd.NaT or value != value:  # NaN of any kind is not itself
        return None
    if isinstance(value, np.datetime64 | np.timedelta64):
        value = _time(name, value)
    if isinstance(value, pd.Timestamp):
        value = value.to_pydatetime(warn=False)
    if isinstance(value, pd.Timedelta):
        value = value.to_pytimedelta()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytearray | memoryview):
        value = bytes(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = clock.wall(value)
    if not isinstance(value, PLAIN):
        raise QueryRefused(f":{name} is of the type {type(value).__name__}; allowed are {ALLOWED}.")
    return value


def _time(name: str, value: np.datetime64 | np.timedelta64) -> Any:
    """As Python has it: a day as a date. Python knows the years 1 to 9999."""
    found = value.astype("datetime64[us]" if isinstance(value, np.datetime64) else "timedelta64[us]").item()
    if not isinstance(found, datetime | timedelta):
        raise QueryRefused(f":{name} is {value}; allowed are the years 1 to 9999.")
    return found.date() if isinstance(found, datetime) and np.datetime_data(value.dtype)[0] == "D" else found
