"""Parameters of sql(): what Python, NumPy and pandas have is the same thing in the database, or refused by its name."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from workbench.config import Settings
from workbench.database.engines import Engines, connect
from workbench.database.replication import Reader
from workbench.database.sql_query import query
from workbench.errors import QueryRefused

DAY = datetime(2026, 5, 1, 10, 0)
NEW_YORK = ZoneInfo("America/New_York")
LISTS = [
    ("(1, 2, 3)", [1, 2, 3]),
    ("(1, 2, 3)", (1, 2, 3)),
    ("(1, 2, 3)", {1, 2, 3}),
    ("(1, 2, 3)", range(1, 4)),
    ("(1, 2, 3)", np.array([1, 2, 3])),
    ("(1, 2, 3)", pd.Series([1, 2, 3])),
    ("(1, 2, 3)", pd.Index([1, 2, 3])),
    ("(1, 2, null)", pd.Series([1, 2, None], dtype="Int64")),
    ("(1, 2, null)", [1, np.int64(2), pd.NA]),
]
NUMBERS = "select n from generate_series(1, 5) as n where n {} order by n"


@pytest.mark.parametrize(("means", "value"), LISTS, ids=lambda value: f"{type(value).__name__} {value}"[:30])
def test_a_list_fits_in_and_any(engines: Engines, means: str, value: object) -> None:
    found = query(Reader(engines), NUMBERS.format(f"in {means}"))["n"].tolist()
    for place in ("in :s", "in (:s)", "IN ( :s )", "= any(:s)"):
        assert query(Reader(engines), NUMBERS.format(place), {"s": value})["n"].tolist() == found


def test_one_value_fits_in_too(engines: Engines) -> None:
    assert query(Reader(engines), NUMBERS.format("in (:s, :t)"), {"s": 2, "t": np.int32(4)})["n"].tolist() == [2, 4]
    assert query(Reader(engines), NUMBERS.format("in (:s)"), {"s": 2})["n"].tolist() == [2]


def test_nothing_is_in_a_list_without_elements_and_everything_is_not(engines: Engines) -> None:
    assert query(Reader(engines), NUMBERS.format("in :s"), {"s": []})["n"].tolist() == []
    assert query(Reader(engines), NUMBERS.format("not in :s"), {"s": set()})["n"].tolist() == [1, 2, 3, 4, 5]
    assert query(Reader(engines), NUMBERS.format("not in (:s)"), {"s": [2]})["n"].tolist() == [1, 3, 4, 5]


VALUES = [
    (pd.NaT, "null"),
    (pd.NA, "null"),
    (float("nan"), "null"),
    (np.datetime64("NaT"), "null"),
    (np.datetime64("2026-05-01"), "date '2026-05-01'"),
    (np.datetime64("2026-05-01T10:00"), "timestamp '2026-05-01 10:00'"),
    (pd.Timestamp(DAY), "timestamp '2026-05-01 10:00'"),
    (DAY.date(), "date '2026-05-01'"),
    (np.timedelta64(90, "m"), "interval '90 min'"),
    (pd.Timedelta(minutes=90), "interval '90 min'"),
    (np.float64(1.5), "1.5"),
    (np.bool_(True), "true"),
    (np.str_("x"), "'x'"),
    (Decimal("1.10"), "1.10"),
    (-5, "-5"),
    (b"\x00\\':a;", r"'\x005c273a613b'::bytea"),
    (bytearray(b"ab"), r"'\x6162'::bytea"),
    (memoryview(b"ab"), r"'\x6162'::bytea"),
    (r"back\slash 'x' :b", r"E'back\\slash ''x'' :b'"),
    ([["a", "b"], ["c", None]], "array[['a', 'b'], ['c', null]]"),
]


@pytest.mark.parametrize(("value", "as_sql"), VALUES, ids=lambda value: type(value).__name__)
def test_a_value_is_what_it_is_in_python(engines: Engines, value: object, as_sql: str) -> None:
    found = query(
        Reader(engines), f"select :a is not distinct from {as_sql} as is_same, 5 -:b as n", {"a": value, "b": -1}
    )
    assert found.iloc[0].tolist() == [True, 6]


def test_a_time_with_a_zone_is_the_stores_time(engines: Engines, settings: Settings) -> None:
    abroad = connect(settings.model_copy(update={"workbench_timezone": "Asia/Kathmandu"}))
    moment = datetime(2026, 5, 1, 10, 0, tzinfo=UTC)
    asked = "select :a as wall, :a = timestamptz '2026-05-01 10:00Z' as is_it, :b as many"
    for value in (
        moment,
        pd.Timestamp(moment),
        pd.Series([moment])[0],
        moment.astimezone(ZoneInfo("America/New_York")),
    ):
        found = query(Reader(abroad), asked, {"a": value, "b": [value]})
        assert found.iloc[0].tolist() == [pd.Timestamp("2026-05-01 15:45"), True, [datetime(2026, 5, 1, 15, 45)]]
    abroad.dispose()


def test_bytes_come_back_as_bytes(engines: Engines) -> None:
    assert query(Reader(engines), "select :a as it", {"a": b"\x00a"})["it"][0] == b"\x00a"


REFUSED = [
    ({"a": 1}, "type dict; allowed are text, a number"),
    (pd.DataFrame({"a": [1]}), "whole DataFrame; give one column"),
    (pd.Period("2026-05"), "type Period"),
    (np.datetime64("30000-01-01"), "years 1 to 9999"),
    ("a\x00b", "holds U.0000"),
    ("\ud800", "holds U.D800"),
]


@pytest.mark.parametrize(("value", "said"), REFUSED, ids=lambda value: type(value).__name__)
def test_another_value_is_refused_by_name(engines: Engines, value: object, said: str) -> None:
    with pytest.raises(QueryRefused, match=f":since .*{said}"):
        query(Reader(engines), "select :since", {"since": value})
