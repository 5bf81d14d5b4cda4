"""Fingerprints: what each thing in RisingWave was made from, kept there as a view of constants.

RisingWave keeps no comments on views, and shows definitions in words of its own: neither tells whether a body is still
the one of its file.
"""

from __future__ import annotations

from collections.abc import Mapping

from workbench.database.sql_files import read_sql
from workbench.servers.risingwave.console import Console
from workbench.servers.risingwave.pieces import FINGERPRINTS


def read(rw: Console, names: Mapping[str, str]) -> dict[str, str]:
    """The fingerprint of each thing that was made, by its name."""
    if FINGERPRINTS not in names:
        return {}
    return {row.name: row.mark for row in rw.run(read_sql("risingwave/templates/read_marks"))}


def write(rw: Console, fingerprints: Mapping[str, str]) -> None:
    """Replaces all fingerprints. One that is lost in between only costs a rebuild."""
    rw.run(f"drop view if exists {FINGERPRINTS}")
    rows = ", ".join(f"('{name}', '{mark}')" for name, mark in sorted(fingerprints.items()))
    if rows:
        rw.run(read_sql("risingwave/templates/marks").format(rows=rows))
