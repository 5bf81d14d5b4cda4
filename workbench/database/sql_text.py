"""The text of a query: what in it is code and what only quoted, and parameters put in their places, as SQL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
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
from workbench.errors import QueryRefused

# Where something begins that is not code: a comment, a text, a name in quotes. A dollar inside a name opens nothing.
_OPENS = re.compile(r"""--|/\*|(?<![\w$])[eE]'|['"]|(?<![\w$])\$(?:[^\W\d]\w*)?\$""")
_ENDS = {
    "--": re.compile(r"[^\n]*"),
    "'": re.compile(r"(?:[^']|'')*(?:'|$)"),
    '"': re.compile(r'(?:[^"]|"")*(?:"|$)'),
    "e'": re.compile(r"(?:[^'\\]|''|\\.)*(?:'|\\?$)", re.DOTALL),
}
_COMMENT = re.compile(r"/\*|\*/")
# :name, as what `in` looks through or elsewhere; not the second colon of a cast, nor one after a backslash.
_NAME = r"[^\W\d]\w*"
_PLACE = re.compile(
    rf"(?<!\w)(?P<not>not\s+)?in(?:\s*\(\s*:(?P<inside>{_NAME})\s*\)|\s+:(?P<after>{_NAME}))"
    rf"|(?<![:\w\\]):(?P<alone>{_NAME})",
    re.IGNORECASE,
)

Many = list[str]  # the elements of a list, each as SQL


def parts(text: str) -> Iterator[tuple[bool, str]]:
    """The text cut into what is code (True) and what is quoted or commented out; put together it is the text."""
    start = 0
    while found := _OPENS.search(text, start):
        yield True, text[start : found.start()]
        start = _end(text, found)
        yield False, text[found.start() : start]
    yield True, text[start:]


def code(text: str) -> str:
    """The text with a blank for everything that is quoted or commented out."""
    return "".join(part if is_code else " " for is_code, part in parts(text))


def names(text: str) -> set[str]:
    """The names of its parameters."""
    return {_name(found) for found in _PLACE.finditer(code(text))}


def filled(text: str, values: Mapping[str, str | Many]) -> str:
    """The text with each ``:name`` replaced by its value, which is SQL already; a list fits ``any`` and ``in``."""

    def fill(found: re.Match[str]) -> str:
        value = values[_name(found)]
        if isinstance(value, str) or found["alone"]:
            return found[0].replace(f":{_name(found)}", value if isinstance(value, str) else array(value))
        if value:
            return f"{found['not'] or ''}in ({', '.join(value)})"
        return f"<> all ({array(value)})" if found["not"] else f"= any ({array(value)})"  # in () would be an error

    return "".join(_PLACE.sub(fill, part).replace("\\:", ":") if is_code else part for is_code, part in parts(text))


def _name(found: re.Match[str]) -> str:
    return found["inside"] or found["after"] or found["alone"]


def array(elements: Many) -> str:
    """An array of these elements; one without any has the type that its place wants."""
    return f"array[{', '.join(elements)}]" if elements else "'{}'"


def _end(text: str, found: re.Match[str]) -> int:
    """Where what begins there is over; at the end of the text when nothing closes it."""
    opens = found[0].lower()
    if opens == "/*":
        return _end_of_comment(text, found.end())
    if opens.startswith("$"):
        closes = text.find(found[0], found.end())
        return len(text) if closes < 0 else closes + len(found[0])
    ends = _ENDS[opens].match(text, found.end())
    return ends.end() if ends else len(text)


def _end_of_comment(text: str, start: int) -> int:
    """Comments hold comments."""
    depth = 1
    while depth and (mark := _COMMENT.search(text, start)):
        depth += 1 if mark[0] == "/*" else -1
        start = mark.end()
    return start if not depth else len(text)


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
