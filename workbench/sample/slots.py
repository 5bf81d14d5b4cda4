"""Waiting for those who follow the master, before what is loaded costs one of them its place in the WAL."""

from __future__ import annotations

import time
from collections.abc import Callable

import sqlalchemy as sa

from workbench.database.engines import Engines
from workbench.database.sql_files import run_sql
from workbench.servers.risingwave.server import SLOT

LOOK_SECONDS = 1.0
READERS = {SLOT: "RisingWave", "replica": "the replica"}


def wait_for_slots(engines: Engines, say: Callable[[str], None], should_stop: Callable[[], bool]) -> bool:
    """Returns when no slot keeps more than half of the WAL that it may keep; False when it is told to stop before.

    ``say`` gets what is waited for, again and again, and an empty text when that is over. Raises DBAPIError.
    """
    has_waited = False
    with engines.owner.connect() as connection:
        while not should_stop():
            found = run_sql(connection, "sample/slot_in_danger").one_or_none()
            connection.rollback()  # a snapshot that is held would keep what slots keep
            if found is None:
                if has_waited:
                    say("")
                return True
            has_waited = True
            say(_text(found))
            time.sleep(LOOK_SECONDS)
    return False


def _text(slot: sa.Row[tuple[str, bool, int, int]]) -> str:
    reader = READERS.get(slot.slot_name, "its reader")
    cause = f"{reader} has not read that yet" if slot.is_active else "nobody reads from it"
    return (
        f"Waiting: the slot {slot.slot_name} keeps {slot.kept_bytes >> 20:,} MB of WAL, of the"
        f" {slot.most_bytes >> 20:,} MB with which it is lost, and {cause}."
    )
