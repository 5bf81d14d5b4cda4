"""Metrics: each defined once, asked with one function, answered from the columns or from the database."""

from workbench.metrics.ask import Asked, Source, ask, ask_together, sums
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
    "Asked",
    "Columns",
    "Dimension",
    "Measure",
    "Metric",
    "Source",
    "Stream",
    "Where",
    "ask",
    "ask_together",
    "sums",
]
