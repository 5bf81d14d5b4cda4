"""Tables of products: with class and growth, and what is bought together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

import pandas as pd
import panel_material_ui as pmui
from panel.viewable import Viewable

from workbench.components import theme
from workbench.connection import Workbench
from workbench.dashboards.feed import Feed, Moment
from workbench.dashboards.table import TableTile, columns, percent
from workbench.database.replication import Answer
from workbench.filters import NO_CATEGORY, Filters, until_words
from workbench.metrics import Source, insights

MOST_PAIRS = 200
SORTS = {"Revenue": "revenue", "Quantity": "items_sold", "Growth": "growth"}


class ProductTable(TableTile):
    """The top products by revenue, quantity or growth, with ABC class."""

    title = "Products"
    about = "Class A brings the first 80 % of revenue, B the next 15 %, C the rest. Growth is against the comparison."
    heads: ClassVar[Mapping[str, bool]] = columns(
        "#",
        "Product",
        "Category",
        "Class",
        "Revenue",
        "Share",
        "Sold",
        "Growth",
        texts=["Product", "Category", "Class"],
    )

    def __init__(self, source: Workbench | Feed, filters: Filters | None = None) -> None:
        super().__init__(source, filters)
        self.sort = pmui.RadioButtonGroup(label="Sort products by", options=list(SORTS), value="Revenue", margin=0)
        self.sort.param.watch(lambda _: self.feed.renew(), "value")

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """The rows of ``insights.products``, the most first."""
        sort = SORTS[self.sort.value]

        def work(source: Source) -> Answer[pd.DataFrame]:
            periods = {"so_far": moment.so_far, "compared": moment.comparison}
            return insights.products(source, moment.where, **periods, sort=sort)  # type: ignore[arg-type]

        return moment.answer(("products", moment.where, moment.so_far, moment.comparison, sort), work)

    def depends_on(self, moment: Moment) -> object:
        """The hour up to which growth is counted: what ``prepare`` needs besides the frame."""
        return moment.so_far.before

    def above(self, moment: Moment, frame: pd.DataFrame) -> str:
        """Of which part of a running period the growth is."""
        until = until_words(moment.so_far.before)
        return f"Growth: both periods {until}." if until and moment.comparison is not None else ""

    def rows(self, frame: pd.DataFrame) -> Iterable[Sequence[str]]:
        """The texts of a row for each product, in the order of the frame."""
        for row in frame.to_dict("records"):
            yield (
                str(row["rank"]),
                self.known_names.name("product", row["product_code"], row["product_name"]),
                row["category"] if row["category"] is not None else NO_CATEGORY,
                row["abc_class"],
                self.text(row["revenue"]),
                percent(row["share"]),
                theme.count(row["items_sold"]),
                percent(row["growth"], is_change=True),
            )

    def drawn(self) -> Viewable:
        """The Select by which the order is chosen."""
        return self.sort


class Baskets(TableTile):
    """Pairs of products in the same sale."""

    title = "Bought together"
    about = "Lift above 1: more often in one sale than chance would have it."
    heads: ClassVar[Mapping[str, bool]] = columns(
        "Products", "Sales", "Support", "Confidence", "Lift", texts=["Products"]
    )
    is_slow = True
    limit_seconds = 60.0

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """The pairs of ``insights.baskets``, highest lift first."""

        def shown(found: insights.Baskets) -> pd.DataFrame:
            found.pairs.attrs["about"] = found.about
            return found.pairs

        def work(source: Source) -> Answer[pd.DataFrame]:
            return insights.baskets(source, moment.where, limit=MOST_PAIRS).map(shown)

        return moment.answer(("baskets", moment.where), work)

    def above(self, moment: Moment, frame: pd.DataFrame) -> str:
        """In words, how many sales the pairs were counted in."""
        return str(frame.attrs["about"])

    def rows(self, frame: pd.DataFrame) -> Iterable[Sequence[str]]:
        """The texts of a row for each pair of products, in the order of the frame."""
        for row in frame.to_dict("records"):
            pair = [self.known_names.name("product", row[f"product_{n}"], row[f"name_{n}"]) for n in "ab"]
            yield (
                " + ".join(pair),
                theme.count(row["sales_both"]),
                percent(row["support"]),
                f"{percent(row['confidence_ab'])} / {percent(row['confidence_ba'])}",
                f"{row['lift']:.2f}",
            )
