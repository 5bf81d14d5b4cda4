"""The sales of the reports, in the run's own cluster."""

from __future__ import annotations

import pytest

from tests.notebooks.report_fixture import load_fixture
from workbench.config import Settings
from workbench.engines import Engines


@pytest.fixture(scope="module")
def report_settings(settings: Settings, shared_engines: Engines) -> Settings:
    """The settings of servers that hold the sales of the reports; no test of the module may ask for empty tables."""
    load_fixture(shared_engines)
    return settings
