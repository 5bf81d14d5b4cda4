"""Insights: answers that are more than a metric by a dimension. Functions without a page; all figures are exact."""

from workbench.metrics.insights.customers import Baskets, baskets, customers
from workbench.metrics.insights.products import discounts, effects, products

__all__ = ["Baskets", "baskets", "customers", "discounts", "effects", "products"]
