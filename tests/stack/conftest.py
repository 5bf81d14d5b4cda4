"""Tests of a running stack (`make stack`): WORKBENCH_STACK=1 pytest tests/stack. Elsewhere they are skipped.

They need nothing but the addresses in the settings (the environment, or .env beside docker-compose.yml), and leave the
stack's data as it was.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.config import Settings
from workbench.connection import Workbench
from workbench.connection import connect as connect_workbench
from workbench.engines import Engines
from workbench.engines import connect as connect_engines

ROOT = Path(__file__).parents[2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips these tests, and says why, unless a stack is there for them."""
    if os.environ.get("WORKBENCH_STACK") == "1":
        return
    skipped = pytest.mark.skip(reason="needs a running stack: `make stack`, then WORKBENCH_STACK=1 pytest tests/stack")
    for item in items:
        if Path(item.path).is_relative_to(Path(__file__).parent):
            item.add_marker(skipped)


@pytest.fixture(scope="session")
def stack_settings() -> Settings:
    """The settings of the running stack."""
    settings = Settings(_env_file=ROOT / ".env")
    assert not settings.is_embedded, "no stack is configured: run `make env`, or set MASTER_DB_HOST and the others"
    return settings


@pytest.fixture(scope="session")
def stack_engines(stack_settings: Settings) -> Iterator[Engines]:
    """Engines on the running stack."""
    engines = connect_engines(stack_settings)
    yield engines
    engines.dispose()


@pytest.fixture
def stack(stack_settings: Settings) -> Iterator[Workbench]:
    """A workbench on the running stack."""
    made = connect_workbench(stack_settings)
    yield made
    made.close()
