"""What RisingWave refuses and a parser lets through: checks of its statements and of the bodies of its views.

From RisingWave 2.4.2 and 3.0.3: what either of them does not take is refused.
"""

from __future__ import annotations

import re

import sqlglot
from sqlglot import exp

DIALECT = "risingwave"
LENGTH = re.compile(r"\b(numeric|decimal|varchar|character varying|char|character)\s*\(", re.IGNORECASE)
IN_TABLES = {
    "not null": r"\bnot\s+null\b",
    "default": r"\bdefault\b",
    "a serial or identity column": r"\b(serial|bigserial|smallserial|identity)\b",
    "append only": r"\bappend\s+only\b",
    "a check or a foreign key": r"\b(check|references|foreign\s+key|unique)\b",
}
NO_FUNCTIONS = {"current_date", "current_time", "localtime", "localtimestamp", "now", "current_timestamp", "date_bin"}
NOT_STREAMED = (exp.PercentileCont, exp.PercentileDisc, exp.Median, exp.Lateral, exp.CurrentDate, exp.CurrentTimestamp)


def complaints_of_statement(statement: str) -> list[str]:
    """Why RisingWave would refuse a statement; empty when nothing is known against it."""
    plain = _plain(statement)
    found = [f"a length or precision: {match[0]}" for match in LENGTH.finditer(plain)]
    if re.search(r"\bcreate\s+or\s+replace\b", plain):
        found.append("create or replace")
    if re.match(r"\s*create\s+table\b", plain):
        found += [name for name, pattern in IN_TABLES.items() if re.search(pattern, plain)]
        if "primary key" not in plain:
            found.append("no primary key")
    return found


def complaints_of_body(body: str) -> list[str]:
    """Why RisingWave could not keep a SELECT as a materialized view, or PostgreSQL not as a view."""
    found = complaints_of_statement(body)
    tree = sqlglot.parse_one(body, dialect=DIALECT)
    names = {_name(node) for node in tree.walk() if isinstance(node, exp.Func | exp.Column)}
    found += [f"{name}()" for name in sorted(names & NO_FUNCTIONS)]
    found += [type(node).__name__ for node in tree.walk() if isinstance(node, NOT_STREAMED)]
    found += ["an empty PARTITION BY" for window in tree.find_all(exp.Window) if not window.args.get("partition_by")]
    found += ["recursion" for part in tree.find_all(exp.With) if part.args.get("recursive")]
    found += [f"a subquery as a value: {sub.sql()}" for sub in tree.find_all(exp.Subquery) if not _is_from(sub)]
    found += ["exists or in with a subquery" for _ in tree.find_all(exp.Exists)]
    found += [f"a join that is no equation: {join.sql()}" for join in tree.find_all(exp.Join) if not _is_equal(join)]
    found += ["order by without limit" for select in tree.find_all(exp.Select) if _is_only_ordered(select)]
    return found


def _name(node: exp.Expression) -> str:
    return (
        node.sql_name() if isinstance(node, exp.Func) and not isinstance(node, exp.Anonymous) else node.name
    ).lower()


def _plain(statement: str) -> str:
    """Lower case, without comments and without what texts hold."""
    return re.sub(r"'[^']*'", "''", re.sub(r"--.*", "", statement)).lower()


def _is_from(subquery: exp.Subquery) -> bool:
    return isinstance(subquery.parent, exp.From | exp.Join)


def _is_equal(join: exp.Join) -> bool:
    on = join.args.get("on")
    if on is None:
        return bool(join.args.get("using"))
    return all(
        isinstance(part, exp.EQ) and isinstance(part.this, exp.Column) and isinstance(part.expression, exp.Column)
        for part in (on.flatten() if isinstance(on, exp.And) else [on])
    )


def _is_only_ordered(select: exp.Select) -> bool:
    return select.args.get("order") is not None and select.args.get("limit") is None
