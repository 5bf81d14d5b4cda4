"""A query of a person's own cannot be left: what holds is the server, whatever the reading of the text makes of it."""

from __future__ import annotations

import pytest

from workbench.config import Settings
from workbench.database import sql_query
from workbench.database.engines import Engines, connect
from workbench.database.positions import beat, wait_for_replica
from workbench.database.replication import EngineName, Reader
from workbench.database.sql_query import query
from workbench.errors import QueryRefused

LEAVING = [
    r"select E'\'' ; commit; select lo_create(0); --'",
    "select 1 as a$$ ; commit; select 2 as b$$",
    "/* /* */ select */ commit",
    "select 1 as é$$ ; commit; select lo_create(0) as b$$",
    "select 1; commit",
]


@pytest.mark.parametrize("engine", ["replica", "master"])
@pytest.mark.parametrize("statement", LEAVING)
@pytest.mark.parametrize("is_read", [True, False], ids=["as it is read", "past the reading"])
def test_a_query_cannot_be_left(
    engines: Engines, monkeypatch: pytest.MonkeyPatch, engine: EngineName, statement: str, is_read: bool
) -> None:
    if not is_read:
        monkeypatch.setattr(sql_query, "_check", lambda *_: None)
    with pytest.raises(QueryRefused, match=r"One query at a time|begins with COMMIT|syntax error"):
        query(Reader(engines), statement, engine=engine)
    with engines.owner.connect() as connection:
        assert connection.exec_driver_sql("select count(*) from pg_largeobject_metadata").scalar_one() == 0


@pytest.mark.parametrize("engine", ["replica", "master"])
def test_a_query_does_nothing_but_read(engines: Engines, engine: EngineName) -> None:
    for call in ("lo_create(0)", "pg_terminate_backend(1)", "pg_logical_emit_message(true, 'a', 'b')"):
        with pytest.raises(QueryRefused, match=r"only reads, .*permission denied for function"):
            query(Reader(engines), f"select {call}", engine=engine)


ORDINARY = [
    ("select 'a;b' as it", "a;b"),
    ("select 'it''s; --' as it;", "it's; --"),
    (r"select E'\';\n' as it", "';\n"),
    ("select $$ a ; 'b' $$ as it ;", " a ; 'b' "),
    ("select $x$ $$;$$ $x$ as it", " $$;$$ "),
    ("select 1 as it -- ; it ends here", 1),
    ("select /* ; /* nested; */ */ 2 as it; -- done", 2),
    ("""select 3 as "it;" where ';"' <> '"'""", 3),
    ("with a as (select 4 as it), b as (table a) select * from b", 4),
    ("values (5)", 5),
    ("table heartbeat", 1),
    ("(select 6 as it) union all (select 6) limit 1", 6),
    ("""select 7 as it where 'a :b c' like '%:b%' and '{"a":1}'::jsonb @> '{"a":1}'""", 7),
    ("select cardinality((array[1, 2, 3])[2:3]) + 6 as it", 8),
    ("select 7 % 4 + 6 as it", 9),
    (r"select E'\\' || ':x;' as it", r"\:x;"),
    (r"select 10 as it where '2026-01-01 10:00'::timestamp < '2026-01-01'\:\:date + 1", 10),
]


@pytest.mark.parametrize(("statement", "first"), ORDINARY)
def test_an_ordinary_query_is_answered(engines: Engines, statement: str, first: object) -> None:
    if "heartbeat" in statement:
        beat(engines)
        assert wait_for_replica(engines)
    assert query(Reader(engines), statement).iloc[0, 0] == first


CATALOG = ["rw_catalog.rw_sources", 'RW_CATALOG."rw_sources"', "pg_views", "x$$ from rw_sources --$$", r'U&"\0072w"']


def test_a_postgresql_in_risingwaves_place_takes_one_statement_and_shows_no_catalogue(
    engines: Engines, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {"host": "host", "port": "port", "name": "name", "reader_user": "user", "reader_password": "password"}
    place = {f"risingwave_{name}": getattr(settings, f"master_db_{of}") for name, of in names.items()}
    made = connect(settings.model_copy(update=place))
    for catalog in CATALOG:
        with pytest.raises(QueryRefused, match="is refused: RisingWave's catalogue also shows"):
            query(Reader(made), f"select definition from {catalog}", engine="risingwave")
    assert query(Reader(made), "select :a as it", {"a": "rw_1"}, engine="risingwave")["it"].tolist() == ["rw_1"]
    monkeypatch.setattr(sql_query, "_check", lambda *_: None)
    with pytest.raises(QueryRefused, match="One query at a time: the server"):
        drop = "select 1 as a$$; commit; drop view sales_by_hour cascade; select 2 as b$$"
        query(Reader(made), drop, engine="risingwave")
    made.dispose()
