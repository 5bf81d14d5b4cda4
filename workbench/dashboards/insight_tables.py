"""Tables of insights: products with class and growth, what is bought together, customers, discounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import ClassVar

import pandas as pd
import panel_material_ui as pmui
from panel.viewable import Viewable

from workbench import insights, look
from workbench.connection import Workbench
from workbench.dashboards.feed import Feed, Moment
from workbench.dashboards.table import TableTile
from workbench.filters import NO_CATEGORY
from workbench.metrics import Source
from workbench.replication import Answer

TOP = 15
SORTS = {"Revenue": "revenue", "Quantity": "items_sold", "Growth": "growth"}


def percent(value: Decimal | None, is_change: bool = False) -> str:
    """``12.3%`` for 12.3; a dash for None."""
    return look.percent(None if value is None else value / 100, is_change)


class ProductTable(TableTile):
    """The top products by revenue, quantity or growth, with ABC class."""

    title = "Products"
    about = "Class A brings the first 80 % of revenue, B the next 15 %, C the rest. Growth is against the comparison."
    heads: ClassVar[Mapping[str, bool]] = {
        "#": True,
        "Product": False,
        "Category": False,
        "Class": False,
        "Revenue": True,
        "Share": True,
        "Sold": True,
        "Growth": True,
    }

    def __init__(self, source: Workbench | Feed) -> None:
        super().__init__(source)
        self.sort = pmui.RadioButtonGroup(label="Sort products by", options=list(SORTS), value="Revenue", margin=0)
        self.sort.param.watch(lambda _: self.feed.renew(), "value")

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """The first TOP rows of ``insights.products``, the most first."""
        sort = SORTS[self.sort.value]

        def work(source: Source) -> Answer[pd.DataFrame]:
            return insights.products(source, moment.where, compared=moment.comparison, sort=sort, limit=TOP)  # type: ignore[arg-type]

        return moment.answer(("products", moment.where, moment.comparison, sort), work)

    def rows(self, frame: pd.DataFrame) -> Iterable[Sequence[str]]:
        """One row a product."""
        for row in frame.to_dict("records"):
            yield (
                str(row["rank"]),
                row["product_name"],
                row["category"] if row["category"] is not None else NO_CATEGORY,
                row["abc_class"],
                self.text(row["revenue"]),
                percent(row["share"]),
                look.count(row["items_sold"]),
                percent(row["growth"], is_change=True),
            )

    def drawn(self) -> Viewable:
        """The choice of the order, and the table."""
        return pmui.Column(self.sort, self._pane, sx={"gap": "8px"}, sizing_mode="stretch_width", margin=0)


class Baskets(TableTile):
    """Pairs of products in the same sale."""

    title = "Bought together"
    about = "Lift above 1: more often in one sale than chance would have it."
    heads: ClassVar[Mapping[str, bool]] = {
        "Products": False,
        "Sales": True,
        "Support": True,
        "Confidence": True,
        "Lift": True,
    }
    is_slow = True
    limit_seconds = 60.0

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """The pairs of ``insights.baskets``, highest lift first."""

        def work(source: Source) -> Answer[pd.DataFrame]:
            answer = insights.baskets(source, moment.where, limit=TOP)
            pairs = answer.value.pairs
            pairs.attrs["about"] = answer.value.about
            return Answer(pairs, answer.engine, answer.as_of, answer.note)

        return moment.answer(("baskets", moment.where), work)

    def draw(self, moment: Moment, frame: pd.DataFrame) -> None:
        """The table, and of how many sales it is."""
        super().draw(moment, frame)
        self._pane.object = f'<p class="soft">{look.esc(frame.attrs["about"])}</p>{self._pane.object}'

    def rows(self, frame: pd.DataFrame) -> Iterable[Sequence[str]]:
        """One row a pair."""
        for row in frame.to_dict("records"):
            yield (
                f"{row['name_a']} + {row['name_b']}",
                look.count(row["sales_both"]),
                percent(row["support"]),
                f"{percent(row['confidence_ab'])} / {percent(row['confidence_ba'])}",
                f"{row['lift']:.2f}",
            )


class Customers(TableTile):
    """New and returning customers, and sales without a card."""

    title = "Customers"
    about = "New: the first sale ever with that card is in the period."
    heads: ClassVar[Mapping[str, bool]] = {
        "": False,
        "Customers": True,
        "Sales": True,
        "Revenue": True,
        "Revenue a sale": True,
    }
    is_slow = True

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """The three rows of ``insights.customers``."""
        return moment.answer(("customers", moment.where), lambda source: insights.customers(source, moment.where))

    def rows(self, frame: pd.DataFrame) -> Iterable[Sequence[str]]:
        """One row a kind."""
        for kind, customers, sales, revenue in frame[["kind", "customers", "sales", "revenue"]].itertuples(index=False):
            known = look.NOTHING if kind == "no card" else look.count(customers)
            each = self.text(revenue / sales) if sales else look.NOTHING
            yield str(kind).capitalize(), known, look.count(sales), self.text(revenue), each


class Discounts(TableTile):
    """Discounts by one dimension."""

    dimension: ClassVar[str] = "category"
    is_slow = True
    limit_seconds = 60.0

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """The rows of ``insights.discounts``, most discount first."""

        def work(source: Source) -> Answer[pd.DataFrame]:
            answer = insights.discounts(source, moment.where, by=[self.dimension])
            frame = answer.value.sort_values("discount_given", ascending=False, kind="stable").reset_index(drop=True)
            return Answer(frame, answer.engine, answer.as_of, answer.note)

        return moment.answer(("discounts", self.dimension, moment.where), work)

    def rows(self, frame: pd.DataFrame) -> Iterable[Sequence[str]]:
        """One row a value."""
        for row in frame.to_dict("records"):
            value = row[self.dimension]
            yield (
                NO_CATEGORY if value is None else str(value),
                self.text(row["discount_given"]),
                percent(row["discount_rate"]),
                percent(row["discounted_share"]),
                self.text(row["revenue_discounted"]),
            )


class DiscountsByCategory(Discounts):
    """Discounts by category."""

    title = "Discounts by category"
    heads: ClassVar[Mapping[str, bool]] = {
        "Category": False,
        "Given": True,
        "Rate": True,
        "Lines with one": True,
        "Their revenue": True,
    }


class DiscountsByStore(Discounts):
    """Discounts by store."""

    title, dimension = "Discounts by store", "store"
    heads: ClassVar[Mapping[str, bool]] = {
        "Store": False,
        "Given": True,
        "Rate": True,
        "Lines with one": True,
        "Their revenue": True,
    }
