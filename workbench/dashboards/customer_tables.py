"""Tables of customers (new, returning, without card) and of discounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

import pandas as pd

from workbench.components import theme
from workbench.dashboards.feed import Moment
from workbench.dashboards.table import TableTile, columns, percent
from workbench.database.replication import Answer
from workbench.filters import NO_CATEGORY
from workbench.metrics import Source, insights

FIGURES = ("Given", "Rate", "Lines with one", "Their revenue")  # of discounts


class Customers(TableTile):
    """New and returning customers, and sales without a card."""

    title = "Customers"
    about = "New: the first sale ever with that card is among these sales."
    heads: ClassVar[Mapping[str, bool]] = columns("", "Customers", "Sales", "Revenue", "Revenue a sale", texts=[""])
    is_slow = True

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """The three rows of ``insights.customers``."""
        return moment.answer(("customers", moment.where), lambda source: insights.customers(source, moment.where))

    def rows(self, frame: pd.DataFrame) -> Iterable[Sequence[str]]:
        """The texts of a row for each kind of customer."""
        for kind, customers, sales, revenue in frame[["kind", "customers", "sales", "revenue"]].itertuples(index=False):
            known = theme.NOTHING if kind == "no card" else theme.count(customers)
            each = self.text(revenue / sales) if sales else theme.NOTHING
            yield str(kind).capitalize(), known, theme.count(sales), self.text(revenue), each


class Discounts(TableTile):
    """Discounts by one dimension."""

    dimension: ClassVar[str] = "category"
    is_slow = True
    limit_seconds = 60.0

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """The rows of ``insights.discounts``, most discount first."""

        def work(source: Source) -> Answer[pd.DataFrame]:
            answer = insights.discounts(source, moment.where, by=[self.dimension])
            return answer.map(
                lambda frame: frame.sort_values("discount_given", ascending=False, kind="stable", ignore_index=True)
            )

        return moment.answer(("discounts", self.dimension, moment.where), work)

    def rows(self, frame: pd.DataFrame) -> Iterable[Sequence[str]]:
        """The texts of a row for each value of the dimension."""
        for row in frame.to_dict("records"):
            value = row[self.dimension]
            yield (
                NO_CATEGORY if value is None else self.known_names.name(self.dimension, value, str(value)),
                self.text(row["discount_given"]),
                percent(row["discount_rate"]),
                percent(row["discounted_share"]),
                self.text(row["revenue_discounted"]),
            )


class DiscountsByCategory(Discounts):
    """Discounts by category."""

    title = "Discounts by category"
    heads: ClassVar[Mapping[str, bool]] = columns("Category", *FIGURES, texts=["Category"])


class DiscountsByStore(Discounts):
    """Discounts by store."""

    title, dimension = "Discounts by store", "store"
    heads: ClassVar[Mapping[str, bool]] = columns("Store", *FIGURES, texts=["Store"])
