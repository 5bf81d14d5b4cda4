"""What the workbench makes in RisingWave, read from the SQL files; who defines figures gives the materialized views.

RisingWave keeps no comments on views, and shows definitions in words of its own: neither tells whether a body is still
the one of its file.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from workbench.database.sql_files import read_sql, sql_names
from workbench.servers.risingwave.console import Console

Kind = Literal["source", "table", "view", "materialized view"]
SOURCE = "workbench_master"
SECRET = "workbench_cdc_password"
FINGERPRINTS = "workbench_built"
HEARTBEAT = "heartbeat"
FOLLOWED = ("sales_transaction", "sales_item")  # tables whose changes somebody is told
NEW = "__new"  # ends the name of what is being built beside what is in use


@dataclass(frozen=True)
class Relation:
    """A source or a table with its statement, or a view with its body."""

    name: str
    kind: Kind
    text: str

    @property
    def fingerprint(self) -> str:
        """Changes with the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]


def source() -> Relation:
    """The source of all tables."""
    return next(relation for relation in _cdc() if relation.kind == "source")


def tables() -> list[Relation]:
    """The tables of sales, then the heartbeat: it is read when they have been, and so vouches for them."""
    return [relation for relation in _cdc() if relation.kind == "table"]


def views() -> list[Relation]:
    """The facts: plain views, since they hold a row for each sale or line, as the tables do."""
    return [Relation(path.rsplit("/", 1)[1], "view", read_sql(path)) for path in sql_names("metrics")]


def changes_of(table: str) -> str:
    """The name of the subscription to a table's changes."""
    return f"sub_{table}"


def _cdc() -> list[Relation]:
    found = []
    for name in sql_names("risingwave"):
        text = read_sql(name)
        made = re.search(r"^create (source|table) if not exists (\w+)", text, re.MULTILINE)
        assert made is not None, f"{name} makes neither a source nor a table"
        found.append(Relation(made[2], "source" if made[1] == "source" else "table", text))
    return found


def read_fingerprints(rw: Console, names: Mapping[str, str]) -> dict[str, str]:
    """The fingerprint of each thing that was made, by its name."""
    if FINGERPRINTS not in names:
        return {}
    return {row.name: row.mark for row in rw.run(read_sql("risingwave/templates/read_marks"))}


def write_fingerprints(rw: Console, fingerprints: Mapping[str, str]) -> None:
    """Replaces all fingerprints. One that is lost in between only costs a rebuild."""
    rw.run(f"drop view if exists {FINGERPRINTS}")
    rows = ", ".join(f"('{name}', '{mark}')" for name, mark in sorted(fingerprints.items()))
    if rows:
        rw.run(read_sql("risingwave/templates/marks").format(rows=rows))
