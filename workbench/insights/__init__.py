"""Insights: answers that are more than a metric by a dimension. Functions without a page; all figures are exact."""

from workbench.insights.baskets import Baskets, baskets
from workbench.insights.customers import customers
from workbench.insights.discounts import discounts
from workbench.insights.effects import effects
from workbench.insights.products import products

__all__ = ["Baskets", "baskets", "customers", "discounts", "effects", "products"]
