"""A real RisingWave reads the master's changes over TLS, and only from a master that proves who it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from tests.conftest import wait_until
from tests.examples import sale
from tests.stack.program import Program
from tests.stack.tls_front import TlsFront
from workbench.config import Settings
from workbench.database.engines import Engines, connect
from workbench.database.replication import Reader, ReadPosition
from workbench.errors import CdcError
from workbench.metrics import views
from workbench.sales.service import Sales
from workbench.servers.risingwave import build


@pytest.fixture
def front(own_risingwave: Program, stack_settings: Settings) -> Iterator[TlsFront]:
    """The master as RisingWave reaches it: as ``localhost``, over TLS alone."""
    master = (stack_settings.master_db_host, stack_settings.master_db_port)
    made = TlsFront(master, own_risingwave.file("server.crt"), own_risingwave.file("server.key"))
    yield made
    made.close()


@pytest.fixture
def none_built(stack_engines: Engines) -> Iterator[Engines]:
    """Nothing is built, before and after: what is built elsewhere reads the master without TLS."""
    build.drop(stack_engines, views.materialized_views())
    yield stack_engines
    build.drop(stack_engines, views.materialized_views())


def over_tls(settings: Settings, front: TlsFront, ca: str, **changed: Any) -> Engines:
    """Engines on the stack whose RisingWave is to verify the master by this CA."""
    asked = {"host": "localhost", "port": front.port, "sslmode": "verify-full", "sslrootcert": ca} | changed
    return connect(settings.model_copy(update={f"risingwave_cdc_{name}": value for name, value in asked.items()}))


def test_changes_come_over_tls_from_a_master_that_is_verified(
    own_risingwave: Program, stack_settings: Settings, front: TlsFront, none_built: Engines
) -> None:
    unknown = over_tls(stack_settings, front, own_risingwave.file("other.crt"))
    misnamed = over_tls(stack_settings, front, own_risingwave.file("ca.crt"), host="127.0.0.1")
    for refused in (unknown, misnamed):
        with pytest.raises(CdcError, match="RISINGWAVE_CDC_SSLROOTCERT .* has to vouch"):
            build.apply(refused, ())
        refused.dispose()
    before = front.came
    engines = over_tls(stack_settings, front, own_risingwave.file("ca.crt"))
    build.apply(engines, (), print)
    assert front.came > before
    made = Sales(engines, Reader(engines), ReadPosition(), "tester").create(sale(), uuid4())
    has_come = sa.text("select count(*) from sales_transaction where transaction_id = :id")

    def is_there() -> bool:
        assert engines.risingwave_owner is not None
        with engines.risingwave_owner.connect() as connection:
            return bool(connection.execute(has_come, {"id": made.transaction_id}).scalar_one())

    wait_until(is_there, "the sale in RisingWave", 120)
    engines.dispose()
