"""Metrics: each defined once, asked with one function, answered from rollups or from the database."""

from workbench.metrics.ask import Source, ask, current, sums
from workbench.metrics.filters import AnyWhere, Where
from workbench.metrics.given import NUMBERS
from workbench.metrics.registry import DIMENSIONS, METRICS, SPANS, Dimension, Metric, Rollup
from workbench.metrics.rollups import Rollups
from workbench.metrics.stream import Stream

__all__ = [
    "DIMENSIONS",
    "METRICS",
    "NUMBERS",
    "SPANS",
    "AnyWhere",
    "Dimension",
    "Metric",
    "Rollup",
    "Rollups",
    "Source",
    "Stream",
    "Where",
    "ask",
    "current",
    "sums",
]
