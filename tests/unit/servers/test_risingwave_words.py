"""RisingWave's refusals, as its two versions word them, in one line that names the cause."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import psycopg2
import pytest
from pydantic import SecretStr
from sqlalchemy.exc import InternalError, OperationalError

from workbench.config import Settings
from workbench.database.engines import Engines
from workbench.database.failures import in_words, is_missing
from workbench.errors import CdcError
from workbench.servers.risingwave import cdc
from workbench.servers.risingwave.console import Console, first_cause

CHAIN = """Failed to run the query

Caused by these errors (recent errors listed first):
  1: gRPC request to meta service failed: Internal error
  2: failed to create source worker
  3: org.postgresql.util.PSQLException: The connection attempt failed.
"""
ONE = """Failed to run the query

Caused by:
  Catalog error: table or source not found: heartbeat
"""
POSTGRESQL = 'relation "heartbeat" does not exist\nLINE 1: select beat_at\n        ^\n'


def refused(text: str) -> InternalError:
    return InternalError("select 1", {}, psycopg2.InternalError(text))


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (CHAIN, "org.postgresql.util.PSQLException: The connection attempt failed."),
        (ONE, "Catalog error: table or source not found: heartbeat"),
        (POSTGRESQL, 'relation "heartbeat" does not exist'),
        ("", "InternalError"),
    ],
)
def test_the_first_cause_is_told(text: str, cause: str) -> None:
    assert first_cause(refused(text)) == cause


class Behind:
    """Stands for a RisingWave that reaches each of these positions in the time that one waits for it."""

    name = "risingwave"

    def __init__(self, *reached: str) -> None:
        self._reached = list(reached)

    def wait(self, token: str, seconds: float) -> bool:
        return self._reached.pop(0) == token

    def run(self, statement: str) -> list[SimpleNamespace]:
        return [SimpleNamespace(lsn=self._reached[0])]


def test_apply_waits_for_a_risingwave_that_is_behind_while_it_comes_nearer(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def wait_for(risingwave: Behind) -> None:
        monkeypatch.setattr(cdc, "followers", lambda _: [risingwave])
        monkeypatch.setattr(cdc, "committed_with_heartbeat", lambda _: "0/9")
        cdc._wait_for_a_beat(cast(Engines, None), cast(Console, risingwave), said.append)

    wait_for(Behind("0/1", "0/2", "0/5", "0/9"))
    assert len(said) == 3
    assert "up to 0/5" in said[1]
    with pytest.raises(CdcError, match="shows no change of the master's after 120 s"):
        wait_for(Behind("0/1", "0/2", "0/2", "0/2", "0/9"))


def test_a_table_that_is_not_there_is_known() -> None:
    assert is_missing(refused(ONE))
    assert not is_missing(refused(CHAIN))


def configured() -> Settings:
    return Settings(
        _env_file=None,
        master_db_host="db.example",
        risingwave_host="rw.example",
        risingwave_cdc_host="master",
        risingwave_cdc_port=5432,
        risingwave_cdc_password=SecretStr("canary-3"),
    )


def test_a_master_that_risingwave_does_not_reach_is_told_with_the_settings() -> None:
    told = cdc._refusal(configured(), f"RisingWave refuses: {first_cause(refused(CHAIN))}")
    assert told.startswith("RisingWave does not reach the master at master:5432. Set RISINGWAVE_CDC_HOST and")
    assert "in Docker Compose: master and 5432" in told
    assert "\n" not in told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("FATAL:  Invalid password", "refuses the password of workbench_reader"),
        ('FATAL:  Failed to start a new session: database "dev" does not exist', "has no database dev"),
        ("FATAL:  Failed to start a new session: Catalog error: database not found: dev", "has no database dev"),
        ("FATAL:  Failed to start a new session: Role workbench_reader does not exist", "no role workbench_reader"),
        ("connection refused", "does not answer"),
    ],
)
def test_why_risingwave_cannot_be_used_is_told(text: str, said: str) -> None:
    error = OperationalError("", {}, psycopg2.OperationalError(text))
    told = str(in_words(configured(), "risingwave", error))
    assert told.startswith("RisingWave at rw.example:4566")
    assert said in told
    is_user = "workbench_reader" in said
    assert ("`workbench risingwave apply`, which makes" if is_user else "docker compose up -d risingwave") in told
