"""Top products: by revenue, by quantity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from workbench.components import theme
from workbench.dashboards.bars import BarTile
from workbench.dashboards.chart import theme_color
from workbench.dashboards.feed import Moment
from workbench.database.replication import Answer
from workbench.words import visible

TOP = 10


class TopProducts(BarTile):
    """The products with the most of one metric: ten of them, or all."""

    dimension, most = "product", TOP
    metrics = ("revenue", "items_sold")

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """The same with name and items_sold, those with the most of the metric first."""
        answer = super().fetch(moment)
        names = product_names(moment)
        answer.value.insert(1, "name", [names.get(code, code) for code in answer.value["product"]])
        return answer

    def names(self, frame: pd.DataFrame) -> list[str]:
        """The products' names."""
        return frame["name"].tolist()

    def texts(self, frame: pd.DataFrame) -> list[str]:
        """``USD 12.50, 5 sold``."""
        pairs = zip(frame["revenue"], frame["items_sold"].tolist(), strict=True)
        return [f"{self.text(revenue)}, {theme.count(items)} sold" for revenue, items in pairs]

    def colors(self, values: Sequence[Any]) -> list[str]:
        """One colour a metric."""
        return [theme_color(2 if self.metric == "items_sold" else 0)] * len(values)


class TopProductsByRevenue(TopProducts):
    """The ten products that brought most."""

    title = "Top 10 products by revenue"


class TopProductsByQuantity(TopProducts):
    """The ten products that were sold most often."""

    title, metric = "Top 10 products by quantity", "items_sold"


def product_names(moment: Moment) -> dict[str, str]:
    """The name of each product code: the catalogue's, else that of its newest line."""
    found = moment.answer("product names", lambda source: source.read(lambda facts: facts.product_names(), "products"))
    return {code: visible(name) for code, name in found.value.items()} | dict(moment.names.of("product"))
