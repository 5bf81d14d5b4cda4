"""Ad-hoc reads on the real pair: types, the limits, and every refusal in one line that names its cause."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from tests.conftest import wait_until
from tests.examples import sale
from workbench import figures, notebook
from workbench.config import Settings, child_environment
from workbench.connection import Workbench, open_workbench
from workbench.database.engines import connect
from workbench.database.positions import wait_for_replica
from workbench.database.replication import Reader, ReadPosition
from workbench.database.sql_query import RowsCut, query
from workbench.errors import QueryRefused, ServerUnavailable
from workbench.forms import SalesManager
from workbench.metrics import METRICS, Where
from workbench.reports.data import ReportData


@pytest.fixture
def sold(workbench: Workbench) -> Iterator[Workbench]:
    """A workbench with two sales, one of them without a customer."""
    from uuid import uuid4

    for customer in (7, None):
        workbench.sales().create(sale(customer_id=customer), uuid4())
    assert wait_for_replica(workbench.engines)
    yield workbench


TYPES = """
select transaction_id, transaction_time, created_at, customer_id, total_amount, payment_method,
    transaction_time::date as day, total_amount > 1 as is_much, 1.5::float8 as ratio, null::text as nothing
from sales_transaction order by transaction_id
"""


def test_types_come_from_the_columns(sold: Workbench) -> None:
    frame = query(sold.reader, TYPES)
    kinds = {name: str(kind) for name, kind in frame.dtypes.items()}
    assert kinds == {
        "transaction_id": "int64",
        "transaction_time": "datetime64[us]",
        "created_at": "datetime64[us, UTC]",
        "customer_id": "Int64",
        "total_amount": "float64",
        "payment_method": "object",
        "day": "datetime64[s]",
        "is_much": "bool",
        "ratio": "float64",
        "nothing": "object",
    }
    exact = query(sold.reader, TYPES, exact=True)
    assert all(type(amount) is Decimal for amount in exact["total_amount"])
    assert frame["nothing"].tolist() == [None, None]
    empty = query(sold.reader, TYPES.replace("order by", "where false order by"))
    assert empty.empty
    assert empty["transaction_time"].dtype == frame["transaction_time"].dtype


def test_who_answered_as_of_when(sold: Workbench) -> None:
    attrs = query(sold.reader, "select 1 as one").attrs
    assert (attrs["engine"], attrs["is_cut"], attrs["note"]) == ("replica", False, "")
    assert query(sold.reader, "select 1", engine="master").attrs["engine"] == "master"


def test_values_are_bound_not_written_in(sold: Workbench) -> None:
    hostile = "x'; drop table sales_item; --"
    frame = query(sold.reader, "select :text as text, ';' as mark, 7 % 4 as rest, '1:2' as t", {"text": hostile})
    assert frame.iloc[0].tolist() == [hostile, ";", 3, "1:2"]
    both = query(sold.reader, "select count(*) as n from sales_item where quantity = any(:some)", {"some": [1, 2, 3]})
    assert both["n"].dtype == "int64"


def test_a_cut_is_said(sold: Workbench) -> None:
    with pytest.warns(RowsCut, match="more rows than 3"):
        frame = query(sold.reader, "select * from generate_series(1, 5) as n", limit=3)
    assert frame.attrs["is_cut"]
    assert frame["n"].tolist() == [1, 2, 3]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole = query(sold.reader, "select * from generate_series(1, 5) as n", limit=5)
    assert not whole.attrs["is_cut"]


@pytest.mark.parametrize(
    ("statement", "how", "said"),
    [
        (None, {}, "The query is of the type NoneType: give it as text"),
        ("select 1", {"parameters": [1]}, "The values are of the type list: give them by name"),
        ("select 1", {"limit": "x"}, "limit and seconds must be whole numbers"),
        ("select 1", {"seconds": 1.5}, "limit and seconds must be whole numbers"),
        ("select * form x", {}, r'syntax error at or near "form" \(line 1, column 10\)'),
        ("select\n  foo\nfrom sales_item", {}, r'"foo" does not exist \(line 2, column 3\)'),
        ("select :a + 'x'", {"parameters": {"a": 1}}, r"integer.*\(line 1\)"),
        ("select * from nope", {}, r'"nope" does not exist .*There are sales_transaction'),
        ("select :s as s", {"parameters": {"s": "a\0b"}}, "The value of :s holds U.0000, which no database takes"),
        ("select :s as s", {"parameters": {"s": "\ud800"}}, "The value of :s holds U.D800"),
        ("select '\0' as s", {}, "The query holds U.0000"),
        ("delete from sales_item", {}, "DELETE is refused: this only reads"),
        ("with gone as (delete from sales_item returning *) select * from gone", {}, "This only reads"),
        ("select * from sales_item for update", {}, "This only reads"),
        ("select nextval('sales_transaction_transaction_id_seq')", {}, "This only reads"),
        ("select * from sales_item for update", {"engine": "master"}, "This only reads"),
        ("select 1; drop table sales_item", {}, "One query at a time"),
        ("explain select 1", {}, "begins with EXPLAIN"),
        (" -- nothing", {}, "No SQL was given"),
        ("select pg_sleep(30)", {"seconds": 1}, "longer than 1 s"),
        ("select 1", {"engine": "risingwave"}, "RISINGWAVE_HOST"),
        ("select 1", {"engine": "oracle"}, "no engine 'oracle'"),
        ("select :a", {}, "No value was given for :a"),
        ("select 1", {"parameters": {"a": 1}}, ":a, which is not in the query"),
        ("select 1", {"limit": 0}, "limit must be"),
    ],
)
def test_what_is_refused_says_why_in_one_line(sold: Workbench, statement: str, how: dict[str, Any], said: str) -> None:
    with pytest.raises(QueryRefused, match=said) as caught:
        query(sold.reader, statement, **how)
    assert "\n" not in str(caught.value)


def test_a_query_leaves_nothing_behind(sold: Workbench) -> None:
    """No setting of its session: its connection is not used again."""
    found = query(sold.reader, "select set_config('statement_timeout', '1ms', false), pg_backend_pid() as pid")
    left, of = "select count(*) as n from pg_stat_activity where pid = :pid", {"pid": found["pid"][0]}
    wait_until(lambda: query(sold.reader, left, of)["n"].tolist() == [0], "the end of its session")
    assert figures.sales(sold)["sales"].tolist() == [2]


def test_the_master_answers_for_a_replica_that_is_away_and_without_both_it_is_said(settings: Settings) -> None:
    away = connect(settings.model_copy(update={"replica_db_port": 1}))
    frame = query(Reader(away), "select 1")
    assert (frame.attrs["engine"], frame.attrs["note"]) == ("master", "the replica does not answer")
    away.dispose()
    nobody = connect(settings.model_copy(update={"replica_db_port": 1, "master_db_port": 1}))
    with pytest.raises(ServerUnavailable, match="master at 127.0.0.1:1 does not answer"):
        query(Reader(nobody), "select 1")
    nobody.dispose()


def test_without_a_replica_the_master_answers_and_it_is_said(sold: Workbench, settings: Settings) -> None:
    alone = connect(settings.model_copy(update={"replica_db_host": ""}))
    assert query(Reader(alone), "select 1 as one").attrs["note"] == "no replica is configured"
    alone.dispose()


def test_the_risingwave_engine_reads_only_with_a_postgresql_in_its_place(sold: Workbench, settings: Settings) -> None:
    """A RisingWave cannot run here: its engine is pointed at the master, as a role that may write."""
    names = {"host": "host", "port": "port", "name": "name", "reader_user": "user", "reader_password": "password"}
    place = {f"risingwave_{name}": getattr(settings, f"master_db_{of}") for name, of in names.items()}
    engines = connect(settings.model_copy(update=place))
    reader = Reader(engines)
    frame = query(reader, "select count(*) as n from sales_item where quantity > :q", {"q": 0}, engine="risingwave")
    assert (frame["n"].tolist(), frame.attrs["engine"], frame.attrs["is_cut"]) == ([4], "risingwave", False)
    with pytest.warns(RowsCut):
        assert len(query(reader, "select * from sales_item", engine="risingwave", limit=3)) == 3
    with pytest.raises(QueryRefused, match="This only reads"):
        query(reader, "select * from sales_item for update", engine="risingwave")
    with pytest.raises(QueryRefused, match=r"at or near \"form\" \(line 1, column 10\)"):
        query(reader, "select * form x", engine="risingwave")
    engines.dispose()


def test_metrics_are_functions(sold: Workbench) -> None:
    frame = figures.revenue(sold, by="store", where=Where(stores=(1, 2, 3)))
    assert frame.columns.tolist() == ["store", "revenue"]
    assert frame.attrs["engine"] == "replica"
    together = figures.ask(sold, list(METRICS), read_position=ReadPosition())
    assert together.columns.tolist() == list(METRICS)
    assert isinstance(together, pd.DataFrame)


def test_connect_opens_one_workbench_and_its_heartbeat(workbench: Workbench, settings: Settings) -> None:
    one = notebook.connect(settings)
    assert notebook.connect(settings) is one
    assert one.monitor.is_running
    one.close()
    other = notebook.connect(settings)
    assert other is not one
    other.close()


# Bokeh 3.9 hands data frames over in a way that pandas 3.1 means to end.
@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_components_and_reports_without_a_workbench_share_that_of_connect(
    workbench: Workbench, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its heartbeat runs, so that none of them reads a replica that stands still."""
    for name, value in child_environment(settings).items():
        monkeypatch.setenv(name, value)
    one = notebook.connect()
    try:
        assert SalesManager().sales.engines is one.engines
        assert ReportData().workbench is one and open_workbench() is one
        assert one.monitor.is_running
    finally:
        one.close()


def test_connect_says_what_is_wrong_when_nobody_answers(settings: Settings) -> None:
    with pytest.raises(ServerUnavailable, match="master at 127.0.0.1:1 does not answer"):
        notebook.connect(settings.model_copy(update={"master_db_port": 1, "replica_db_port": 1}))
