"""Metrics: each defined once, asked with one function, answered from the columns or from the database."""

from workbench.metrics.ask import Source, ask, sums
from workbench.metrics.columns import Columns
from workbench.metrics.definitions import DIMENSIONS, MEASURES, METRICS, SPANS, Dimension, Measure, Metric
from workbench.metrics.filters import AnyWhere, Where
from workbench.metrics.given import NUMBERS
from workbench.metrics.stream import Stream

__all__ = [
    "DIMENSIONS",
    "MEASURES",
    "METRICS",
    "NUMBERS",
    "SPANS",
    "AnyWhere",
    "Columns",
    "Dimension",
    "Measure",
    "Metric",
    "Source",
    "Stream",
    "Where",
    "ask",
    "sums",
]
