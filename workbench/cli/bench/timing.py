"""How long something takes, and what of many times is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from workbench.telemetry import quantiles


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def p95(took: Sequence[float]) -> float:
    """The 95th percentile, by nearest rank."""
    found = quantiles(took)
    assert found is not None
    return found.p95
