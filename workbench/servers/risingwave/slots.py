"""The slot on the master from which RisingWave reads: nobody but the workbench drops it."""

from __future__ import annotations

import time

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from workbench.database.engines import Engines
from workbench.database.failures import in_words, is_away
from workbench.database.sql_files import run_sql
from workbench.errors import CdcError
from workbench.servers.risingwave.server import SLOT

LEAVE_SECONDS = 15.0  # RisingWave lets go of the slot a moment after its source is dropped
POLL_SECONDS = 0.2


def drop_slot(engines: Engines, *, ends_reader: bool = True) -> bool:
    """Drops the slot; False when there was none. A reader gets some seconds to go, and is ended then.

    Raises CdcError when it cannot be dropped (or, without ``ends_reader``, is still read), ServerUnavailable.
    """
    try:
        with engines.cdc.connect() as connection:
            end = time.monotonic() + (LEAVE_SECONDS if ends_reader else 0)
            while (slot := _slot(connection)) is not None and slot.active_pid is not None:
                if time.monotonic() >= end:
                    break
                time.sleep(POLL_SECONDS)
            if slot is not None and slot.active_pid is not None and not ends_reader:
                raise CdcError(
                    f"The slot {SLOT} on the master is read by another RisingWave already (process {slot.active_pid})."
                    " Two must not read from one slot: run `workbench risingwave drop` for that one first."
                )
            return run_sql(connection, "queries/drop_slot", {"slot": SLOT}).one_or_none() is not None
    except DBAPIError as error:
        if is_away(error):
            raise in_words(engines.settings, "master", error) from None
        raise CdcError(
            f"The slot {SLOT} could not be dropped: {str(error.orig).splitlines()[0]}. Stop RisingWave, then run"
            " `workbench risingwave drop --slot-only`."
        ) from error


def is_read(engines: Engines) -> bool:
    """Whether RisingWave reads from the slot at this moment. Raises ServerUnavailable."""
    try:
        with engines.cdc.connect() as connection:
            slot = _slot(connection)
    except DBAPIError as error:
        raise in_words(engines.settings, "master", error) from None
    return slot is not None and slot.active_pid is not None


def _slot(connection: sa.Connection) -> sa.Row[tuple[str, int]] | None:
    return run_sql(connection, "queries/cdc_slot", {"slot": SLOT}).one_or_none()
