"""Every statement for RisingWave is parsed, and held to what its binder and planner refuse."""

from __future__ import annotations

import re
from typing import Any, cast

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify

from tests.risingwave_rules import DIALECT, complaints_of_body, complaints_of_statement
from workbench.config import Settings, SslMode
from workbench.database.sql_files import read_sql, sql_names
from workbench.metrics.views import VIEWS, View, materialized_views
from workbench.servers.risingwave import cdc, relations
from workbench.servers.risingwave.console import Console

BODIES = {relation.name: relation.text for relation in (*relations.views(), *materialized_views())}


def statements() -> dict[str, str]:
    """All that is sent to RisingWave, filled in, by where it comes from."""
    files = [*sql_names("risingwave"), *sql_names("risingwave/catalog"), *sql_names("risingwave/templates")]
    files += [name for name in sql_names("queries") if name.startswith("queries/risingwave_")]
    found = {name: re.sub(r"(?<!:):(\w+)", r"'\1'", read_sql(name)) for name in files}
    found = {
        name: text.replace("{name}", "x").replace("{rows}", "('a', 'b'), ('c', 'd')") for name, text in found.items()
    }
    for relation in (*relations.views(), *materialized_views()):
        found[relation.name] = f"create {relation.kind} {relation.name} as\n{relation.text}"
    return found


STATEMENTS = statements()


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_is_parsed_and_has_nothing_that_risingwave_refuses(name: str) -> None:
    assert len(sqlglot.parse(STATEMENTS[name], dialect=DIALECT)) == 1
    assert complaints_of_statement(STATEMENTS[name]) == []


@pytest.mark.parametrize("name", BODIES)
def test_a_body_can_be_kept_up_to_date_by_risingwave(name: str) -> None:
    assert complaints_of_body(BODIES[name]) == []


@pytest.mark.parametrize(
    "statement",
    [
        "create table t (id bigint primary key, price numeric(12, 2)) from s table 'public.t'",
        "create table t (id bigint primary key, name varchar(50)) from s table 'public.t'",
        "create table t (id bigint primary key, name varchar not null) from s table 'public.t'",
        "create table t (id bigint primary key, n int default 0) from s table 'public.t'",
        "create table t (id bigserial primary key) from s table 'public.t'",
        "create table t (id bigint) from s table 'public.t'",
        "create or replace materialized view v as select 1 as n",
        "select price::numeric(12, 2) from t",
    ],
)
def test_a_statement_that_risingwave_refuses_would_be_seen(statement: str) -> None:
    assert complaints_of_statement(statement)


@pytest.mark.parametrize(
    "body",
    [
        "select current_date as day, count(*) as n from t group by 1",
        "select count(*) as n from t where at > now()",
        "select localtimestamp as at from t",
        "select date_bin(interval '15 minutes', t.at, timestamp '2000-01-01') as at from t",
        "select n, sum(n) over () as total from t",
        "select n, rank() over (order by n) as place from t",
        "select n, (select max(m) from u) as most from t",
        "select t.n from t where t.n > (select avg(n) from t)",
        "select t.n from t where exists (select 1 from u where u.n = t.n)",
        "select t.n from t cross join u",
        "select t.n from t join u on t.n > u.n",
        "select t.n from t join u on t.n = u.n and t.m < u.m",
        "select percentile_cont(0.5) within group (order by n) as middle from t",
        "with recursive r as (select 1 as n union all select n + 1 from r) select n from r",
        "select n from t order by n",
        "select cast(n as numeric(10, 2)) as n from t",
    ],
)
def test_a_body_that_risingwave_cannot_keep_would_be_seen(body: str) -> None:
    assert complaints_of_body(body)


def columns_of(table: relations.Relation) -> dict[str, str]:
    inside = re.search(r"^create table[^(]*\((.*?)\n\)", table.text, re.DOTALL | re.MULTILINE)
    assert inside is not None
    return dict(line.strip().rstrip(",").split(" ", 1) for line in inside[1].strip().splitlines())


def test_the_tables_have_the_columns_that_the_bodies_read_and_no_others() -> None:
    schema = {table.name: columns_of(table) for table in relations.tables()}
    read: dict[str, set[str]] = {name: set() for name in schema}
    for body in BODIES.values():
        tree = sqlglot.parse_one(body, dialect=DIALECT)
        aliases = {table.alias_or_name: table.name for table in tree.find_all(exp.Table)}
        for column in qualify(tree, schema=schema, dialect=DIALECT).find_all(exp.Column):
            if column.table in aliases:
                read[aliases[column.table]].add(column.name)
    keys = {name: next(iter(columns)) for name, columns in schema.items()}
    for name in ("sales_transaction", "sales_item"):
        assert set(schema[name]) == read[name] | {keys[name]}


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_is_stored_in_the_order_in_which_it_is_read(view: View) -> None:
    """RisingWave keys a view by its groups in their order: a question of some days reads those alone."""
    group = sqlglot.parse_one(BODIES[view.name], dialect=DIALECT).args["group"]
    assert group.expressions[0].name == "day"


class Recorded:
    """Stands for RisingWave's console: it keeps what it is told, and does nothing."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, str]]] = []

    def run(self, statement: str, **values: str) -> list[Any]:
        self.told.append((statement, values))
        return []


@pytest.mark.parametrize(
    ("mode", "ca", "named"),
    [("disable", "", "disabled"), ("require", "", "required"), ("verify-full", "/certs/ca.crt", "verify-full")],
)
def test_the_source_is_told_what_tls_to_ask_the_master_for(mode: SslMode, ca: str, named: str) -> None:
    settings = Settings(_env_file=None, risingwave_cdc_sslmode=mode, risingwave_cdc_sslrootcert=ca)
    console = Recorded()
    cdc._make_source(settings, cast(Console, console), 18, lambda line: None)
    statement, values = console.told[-1]
    assert values["ssl_mode"] == named
    assert values.get("ssl_root_cert", "") == ca
    assert ("ssl.root.cert" in statement) == bool(ca)
