"""Top products: by revenue, by quantity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pandas as pd

from workbench import look
from workbench.dashboards.bars import LABEL_LENGTH, BarTile
from workbench.dashboards.chart import alphas, floats, short, theme_color
from workbench.dashboards.feed import Moment
from workbench.filters import drop
from workbench.metrics import Asked
from workbench.products import known_products
from workbench.replication import Answer
from workbench.words import visible

TOP = 10


class TopProducts(BarTile):
    """The ten products with the most of one metric."""

    dimension, narrows, noun, most = "product", "products", "Product", TOP
    metric: ClassVar[str] = "revenue"

    def asks(self, moment: Moment) -> Sequence[Asked]:
        """Every product, of which both orders of the top ones are taken."""
        return [Asked(("revenue", "items_sold"), ("product",), drop(moment.where, self.narrows))]

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """One row for each of the top products: product, name, revenue (Decimal) and items_sold, the most first."""
        (asked,) = self.asks(moment)
        answer = moment.ask(*asked)
        frame = answer.value.sort_values([self.metric, "product"], ascending=[False, True]).head(TOP)
        names = product_names(moment)
        frame.insert(1, "name", [names.get(code, code) for code in frame["product"]])
        return Answer(frame.reset_index(drop=True), answer.engine, answer.as_of, answer.note)

    def prepare(self, moment: Moment, frame: pd.DataFrame) -> pd.DataFrame:
        """The bars, each with its label and the texts of its hover."""
        codes = frame["product"].tolist()
        labels = short(frame["name"], LABEL_LENGTH)
        self._values = dict(zip(labels, codes, strict=True))
        pairs = zip(frame["revenue"], frame["items_sold"].tolist(), strict=True)
        texts = [f"{self.text(revenue)}, {look.count(items)} sold" for revenue, items in pairs]
        return self.from_below(
            {
                "label": labels,
                "revenue": floats(frame[self.metric]),
                "name": frame["name"],
                "text": texts,
                "color": theme_color(2 if self.metric == "items_sold" else 0),
                "alpha": alphas(codes, moment.where.products),
            }
        )


class TopProductsByRevenue(TopProducts):
    """The ten products that brought most."""

    title = "Top 10 products by revenue"


class TopProductsByQuantity(TopProducts):
    """The ten products that were sold most often."""

    title, metric = "Top 10 products by quantity", "items_sold"


def product_names(moment: Moment) -> dict[str, str]:
    """The name of each product code."""
    found: Any = moment.answer("product names", lambda source: known_products(source.reader, source.session))
    return {code: visible(name) for code, name in found.value}
