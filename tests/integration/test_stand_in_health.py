"""The health of RisingWave, with a PostgreSQL database that stands in for it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from tests.stand_in import stand_in
from workbench.config import Settings
from workbench.database.engines import Engines, connect
from workbench.database.positions import beat, followers
from workbench.servers.health import Health, status

COPY_BEAT = """
insert into heartbeat values (1, :beat_at, :lsn)
on conflict (heartbeat_id) do update set beat_at = excluded.beat_at, lsn = excluded.lsn
"""


@pytest.fixture
def with_stand_in(settings: Settings, engines: Engines) -> Iterator[Engines]:
    with stand_in(settings) as made:
        connected = connect(made)
        yield connected
        connected.dispose()


def health_with(settings: Settings, **changes: object) -> Health:
    engines = connect(settings.model_copy(update=changes))
    try:
        return status(engines).risingwave
    finally:
        engines.dispose()


def carry_beat(engines: Engines, seconds_older: float = 0) -> str:
    """What CDC would do: the master's heartbeat row as it is, in the stand-in."""
    assert engines.risingwave is not None
    beat(engines)
    with engines.master_reader.connect() as connection:
        row = connection.execute(
            sa.text("select beat_at - make_interval(secs => :s) as beat_at, lsn from heartbeat"), {"s": seconds_older}
        ).one()
    with engines.risingwave.connect() as connection:
        connection.execute(sa.text(COPY_BEAT), {"beat_at": row.beat_at, "lsn": row.lsn})
    return str(row.lsn)


def test_lag_is_told_by_the_heartbeat_that_the_stand_in_has(with_stand_in: Engines) -> None:
    lsn = carry_beat(with_stand_in, seconds_older=3)
    found = status(with_stand_in).risingwave
    assert (found.state, found.lsn, found.note) == ("up", lsn, "")
    assert found.lag_seconds is not None
    assert abs(found.lag_seconds - 3) < 0.5
    assert found.version.startswith("PostgreSQL")  # the stand-in's; the real one's is read out of such a text


def test_a_stand_in_that_lags_is_noted_with_what_to_do(with_stand_in: Engines) -> None:
    carry_beat(with_stand_in, seconds_older=40)
    note = status(with_stand_in).risingwave.note
    assert "no longer reads the master's changes and is 40 s behind" in note
    assert "docker compose restart risingwave" in note


def test_without_tables_apply_is_named(settings: Settings, engines: Engines) -> None:
    with stand_in(settings, is_built=False) as made:
        found = health_with(made)
    assert found.state == "up"
    assert "workbench risingwave apply" in found.note


def test_the_cause_is_named(settings: Settings, engines: Engines) -> None:
    with stand_in(settings) as made:
        wrong = health_with(made, risingwave_reader_password=SecretStr("wrong")).note
        assert "refuses the password" in wrong and "Run `workbench risingwave apply`, which makes" in wrong
        assert "has no database nowhere" in health_with(made, risingwave_name="nowhere").note
        away = health_with(made, risingwave_port=1)
    assert away.state == "down"
    assert away.note == (
        f"RisingWave at {made.risingwave_host}:1 does not answer: nothing listens there. Start it with `docker compose"
        " up -d risingwave`, or check the RISINGWAVE_* settings."
    )


def test_one_that_accepts_and_says_nothing_costs_two_seconds(settings: Settings, engines: Engines) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        found = health_with(settings, risingwave_host="127.0.0.1", risingwave_port=silent.getsockname()[1])
    assert found.state == "down"
    assert time.monotonic() - start < 5


def test_a_token_is_reached_when_the_heartbeat_after_it_is_there(with_stand_in: Engines) -> None:
    risingwave = next(follower for follower in followers(with_stand_in) if follower.name == "risingwave")
    assert not risingwave.has_reached("0/0"), "there is no heartbeat yet"
    lsn = carry_beat(with_stand_in)
    high, low = (int(part, 16) for part in lsn.split("/"))
    assert risingwave.has_reached(lsn)
    assert risingwave.has_reached(f"{high:X}/{low - 1:08X}")
    assert risingwave.has_reached("0/FFFFF"), "fewer digits are less"
    assert not risingwave.has_reached(f"{high:X}/{low + 1:X}")
    assert not risingwave.has_reached(f"{high + 1:X}/0")
