"""drop(): removes what the workbench made in RisingWave, and the slot on the master, which nobody else would drop."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from workbench.database.engines import Engines
from workbench.errors import RisingWaveRefused
from workbench.servers.risingwave import fingerprints
from workbench.servers.risingwave.cdc import Say
from workbench.servers.risingwave.console import Console, console
from workbench.servers.risingwave.pieces import (
    FINGERPRINTS,
    FOLLOWED,
    NEW,
    SECRET,
    SOURCE,
    Piece,
    changes_of,
    tables,
    views,
)
from workbench.servers.risingwave.server import SLOT
from workbench.servers.risingwave.slots import drop_slot


def drop(engines: Engines, materialized: Sequence[Piece], say: Say = lambda line: None) -> list[str]:
    """Removes everything, these views with it, and returns the names of what there was; can be repeated.

    Raises RisingWaveRefused, ServerUnavailable and SettingsError; then the slot is still there.
    """
    with console(engines) as rw:
        dropped = _drop_all(rw, materialized, say)
    return dropped + ([SLOT] if drop_slot(engines) else [])


def _drop_all(rw: Console, pieces: Sequence[Piece], say: Say) -> list[str]:
    """From what depends on others to what others depend on."""
    names = rw.names()
    known = fingerprints.read(rw, names)
    materialized = {piece.name for piece in pieces} | {n for n in known if names.get(n) == "materialized view"}
    plain = {piece.name for piece in views()} | {n for n in known if names.get(n) == "view"}
    wanted = [("subscription", changes_of(name)) for name in (*FOLLOWED, *sorted(materialized))]
    wanted += [("materialized view", name + end) for name in sorted(materialized) for end in ("", NEW)]
    wanted += [("view", name) for name in (*sorted(plain), FINGERPRINTS)]
    wanted += [("table", table.name) for table in reversed(tables())] + [("source", SOURCE)]
    dropped = []
    for kind, name in wanted:
        if names.get(name) == kind:
            say(f"Dropping the {kind} {name}")
            rw.run(f"drop {kind} {name}")
            dropped.append(name)
    with suppress(RisingWaveRefused):  # without the licence for secrets there is none, and it may not be asked for
        rw.run(f"drop secret if exists {SECRET}")
    return dropped
