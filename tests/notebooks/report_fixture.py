"""The sales that the committed outputs of notebooks/reports are of: the same rows on every machine."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from tests.conftest import EMPTY
from workbench.database.engines import Engines
from workbench.database.positions import wait_for_replica
from workbench.sample import load
from workbench.sample.entries import fill

SALES, SEED, LAST_DAY = 12_000, 5, date(2026, 10, 31)


def load_fixture(engines: Engines) -> None:
    """Replaces all sales by those of the reports, with their catalogue, and waits until the replica has them."""
    with engines.owner.begin() as connection:
        connection.execute(sa.text(EMPTY))
    load(engines, SALES, seed=SEED, until=LAST_DAY)
    fill(engines)
    assert wait_for_replica(engines), "the replica did not catch up"
