"""The sales of the reports, and one of today, in the run's own cluster."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from tests.examples import LATTE, sale
from tests.notebooks.report_fixture import load_fixture
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.database.engines import Engines


@pytest.fixture(scope="module")
def report_settings(settings: Settings, shared_engines: Engines) -> Settings:
    """The settings of servers that hold the sales of the reports; no test of the module may ask for empty tables."""
    load_fixture(shared_engines)
    return settings


@pytest.fixture
def sold(workbench: Workbench) -> Workbench:
    """A workbench with one sale of today, of 7.00 in store 3."""
    now = datetime.now().replace(microsecond=0) - timedelta(minutes=1)
    workbench.sales().create(sale(transaction_time=str(now), store_id=3, lines=[LATTE]), uuid4())
    return workbench
