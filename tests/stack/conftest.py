"""Tests of the whole system, with a real RisingWave. They run in two ways, and are skipped elsewhere:

- WORKBENCH_STACK=1: against a running stack (`make stack`). They need nothing but the addresses in the settings (the
  environment, or .env beside docker-compose.yml), and leave the stack's data as it was.
- WORKBENCH_TEST_RISINGWAVE=/path/to/risingwave, with its jars in libs/ beside it and JAVA_HOME: they start that program
  beside a master and a replica of their own, on free ports of 127.0.0.1; nothing is left of them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.conftest import running_pair
from tests.stack import program
from tests.stack.program import Program
from workbench import sample
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.connection import connect as connect_workbench
from workbench.database.engines import Engines
from workbench.database.engines import connect as connect_engines
from workbench.database.positions import beat, followers, mark
from workbench.database.replication import ReadPosition

ROOT = Path(__file__).parents[2]
SALES = 3_000  # of a stack of one's own


def _own() -> Path | None:
    """The program of a RisingWave to be started, where one is named."""
    named = os.environ.get("WORKBENCH_TEST_RISINGWAVE")
    return Path(named) if named else None


def _missing() -> str:
    if os.environ.get("WORKBENCH_STACK") == "1":
        return ""
    if own := _own():
        return program.missing(own)
    return (
        "needs a RisingWave: WORKBENCH_STACK=1 for a running stack (`make stack`), or"
        " WORKBENCH_TEST_RISINGWAVE=/path/to/risingwave for one of its own"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips these tests, and says why, unless a RisingWave is there for them."""
    if missing := _missing():
        for item in items:
            if Path(item.path).is_relative_to(Path(__file__).parent):
                item.add_marker(pytest.mark.skip(reason=missing))


@pytest.fixture(scope="session")
def own_risingwave() -> Iterator[Program]:
    """The RisingWave of this run, which it may kill; the tests that ask for it are skipped on a running stack."""
    path = _own()
    if path is None:
        pytest.skip("WORKBENCH_TEST_RISINGWAVE is not set: nobody kills what runs in a stack")
    with tempfile.TemporaryDirectory(prefix="workbench-risingwave-") as folder:
        started = Program(path, Path(folder))
        try:
            started.start()
            yield started
        finally:
            started.stop()


@pytest.fixture(scope="session")
def stack_settings(request: pytest.FixtureRequest) -> Iterator[Settings]:
    """The settings of the running stack, or of one of this run's own."""
    if _own() is None:
        settings = Settings(_env_file=ROOT / ".env")
        assert not settings.is_embedded, "no stack is configured: run `make env`, or set MASTER_DB_HOST and the others"
        yield settings
        return
    with ExitStack() as stack:
        pair = stack.enter_context(running_pair("stack"))
        risingwave = request.getfixturevalue("own_risingwave")
        changes = {
            "risingwave_host": "localhost",  # as its certificate has it
            "risingwave_port": risingwave.port,
            "risingwave_sslmode": "verify-full",
            "risingwave_sslrootcert": risingwave.file("ca.crt"),
            "risingwave_reader_password": SecretStr("reader-of-a-test"),
        }
        engines = connect_engines(pair)
        sample.load(engines, SALES)
        engines.dispose()
        yield pair.model_copy(update=changes)


@pytest.fixture(scope="session")
def stack_engines(stack_settings: Settings) -> Iterator[Engines]:
    """Engines on the stack."""
    engines = connect_engines(stack_settings)
    yield engines
    engines.dispose()


@pytest.fixture
def stack(stack_settings: Settings) -> Iterator[Workbench]:
    """A workbench on the stack."""
    made = connect_workbench(stack_settings)
    yield made
    made.close()


def has_caught_up(engines: Engines) -> bool:
    """Waits until every follower has what has been committed so far; False when one has not after two minutes."""
    read_position = ReadPosition()
    mark(engines, read_position)
    beat(engines)
    assert read_position.token is not None
    return all(follower.wait(read_position.token, 120) for follower in followers(engines))
