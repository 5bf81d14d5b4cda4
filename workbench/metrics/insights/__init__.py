"""Insights: answers that are more than a metric by a dimension. Functions without a page; all figures are exact."""

from workbench.metrics.insights.baskets import Baskets, baskets
from workbench.metrics.insights.customers import customers
from workbench.metrics.insights.discounts import discounts
from workbench.metrics.insights.products import effects, products

__all__ = ["Baskets", "baskets", "customers", "discounts", "effects", "products"]
