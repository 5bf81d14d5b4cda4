"""Metrics: each defined once, asked with one function, answered from the columns or from the database."""

from workbench.metrics.ask import MetricQuery, Source, ask, ask_together, sums
from workbench.metrics.columns import Columns
from workbench.metrics.definitions import DIMENSIONS, MEASURES, METRICS, SPANS, Dimension, Measure, Metric
from workbench.metrics.views import Stream
from workbench.metrics.where import DIMENSION_OF, KINDS, NUMBERS, AnyWhere, SaleWhere, Where

__all__ = [
    "DIMENSIONS",
    "DIMENSION_OF",
    "KINDS",
    "MEASURES",
    "METRICS",
    "NUMBERS",
    "SPANS",
    "AnyWhere",
    "Columns",
    "Dimension",
    "Measure",
    "Metric",
    "MetricQuery",
    "SaleWhere",
    "Source",
    "Stream",
    "Where",
    "ask",
    "ask_together",
    "sums",
]
