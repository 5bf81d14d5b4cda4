"""Tiles whose body is a table of texts, every one escaped: recent sales, products, baskets, customers, discounts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import ClassVar

import pandas as pd
import panel_material_ui as pmui
from panel.viewable import Viewable

from workbench import locale
from workbench.components import theme
from workbench.components.html import table_html
from workbench.connection import Workbench
from workbench.dashboards.feed import Feed, Moment
from workbench.dashboards.tile import MOST_ROWS, Tile, first_of
from workbench.database.replication import Answer
from workbench.filters import NO_CATEGORY, Filters, until_words
from workbench.forms.sale_html import sale_text
from workbench.locale import N_, _
from workbench.metrics import Source, insights
from workbench.metrics.sale_pages import newest_sales
from workbench.sales.fields import FIELDS


class TableTile(Tile):
    """``heads`` names the columns in English, and says of each whether it holds numbers."""

    heads: ClassVar[Mapping[str, bool]] = {}

    def __init__(self, source: Workbench | Feed, filters: Filters | None = None) -> None:
        super().__init__(source, filters)
        self._frame, self._above, self._first = pd.DataFrame(), "", ""

    def rows(self, frame: pd.DataFrame) -> Iterable[Sequence[str]]:
        """The plain texts of each row."""
        raise NotImplementedError

    def above(self, moment: Moment, frame: pd.DataFrame) -> str:
        """What is said above the table, as plain text."""
        return ""

    def draw(self, moment: Moment, frame: pd.DataFrame) -> None:
        """Writes the table."""
        self._frame, self._above, self._first = frame, self.above(moment, frame), self.prepared(moment, frame)
        self._write()

    def prepare(self, moment: Moment, frame: pd.DataFrame) -> str:
        """The first rows as HTML."""
        return self._table(frame.head(self.most))

    def _table(self, frame: pd.DataFrame) -> str:
        heads = [(_(head), is_number) for head, is_number in self.heads.items()]
        return table_html(heads, self.rows(frame), kind="full")

    def _write(self) -> None:
        above = f'<p class="soft">{theme.esc(self._above)}</p>' if self._above else ""
        whole = f"{first_of(len(self._frame))}{self._table(self._frame.head(MOST_ROWS))}" if self.is_whole else ""
        self.card.fill(above + (whole or self._first))
        self.card.buttons = self.all_button(len(self._frame))

    def pressed(self, button: str) -> None:
        """Shows all rows, or the first ones alone again."""
        if button == "all":
            self.is_whole = not self.is_whole
            self._write()


def columns(*names: str, texts: Collection[str]) -> dict[str, bool]:
    """The heads of a table whose columns hold numbers, except for ``texts``."""
    return {name: name not in texts for name in names}


def percent(value: Decimal | None, is_change: bool = False) -> str:
    """``12.3%`` for 12.3; a dash for None."""
    return theme.percent(None if value is None else value / 100, is_change)


COLUMNS = ("transaction_id", "transaction_time", "store_id", "payment_method", "total_amount")
RECENT = 10


class RecentSales(TableTile):
    """A table of the newest sales."""

    title = N_("Recent transactions")
    heads: ClassVar[Mapping[str, bool]] = {FIELDS[name].english: FIELDS[name].is_number for name in COLUMNS}

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """COLUMNS of the ten newest sales, the newest first."""
        where = moment.where

        def work(source: Source) -> Answer[pd.DataFrame]:
            return newest_sales(source, where, RECENT).map(lambda rows: rows[list(COLUMNS)])

        return moment.answer(("recent", where), work)

    def rows(self, frame: pd.DataFrame) -> Iterable[Sequence[str]]:
        """The texts of a row for each sale, the newest first."""
        for sale in frame.itertuples(index=False):
            cells = zip(COLUMNS, sale, strict=True)
            yield [sale_text(name, value, self.currency, self.known_names) for name, value in cells]


MOST_PAIRS = 200
SORTS = {"revenue": N_("Revenue"), "items_sold": N_("Quantity"), "growth": N_("Growth")}


class ProductTable(TableTile):
    """The top products by revenue, quantity or growth, with ABC class."""

    title = N_("Products")
    about = N_(
        "Class A brings the first 80 % of revenue, B the next 15 %, C the rest. Growth is against the comparison."
    )
    heads: ClassVar[Mapping[str, bool]] = columns(
        "#",
        N_("Product"),
        N_("Category"),
        N_("Class"),
        N_("Revenue"),
        N_("Share"),
        N_("Sold"),
        N_("Growth"),
        texts=["Product", "Category", "Class"],
    )

    def __init__(self, source: Workbench | Feed, filters: Filters | None = None) -> None:
        super().__init__(source, filters)
        self.sort = pmui.RadioButtonGroup(
            label=_("Sort products by"),
            options={_(text): name for name, text in SORTS.items()},
            value="revenue",
            margin=0,
        )
        self.sort.param.watch(lambda _: self.feed.renew(), "value")

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """The rows of ``insights.products``, the most first."""
        sort = self.sort.value

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
        if not until or moment.comparison is None:
            return ""
        return _("Growth: both periods {until}.", until=until)

    def rows(self, frame: pd.DataFrame) -> Iterable[Sequence[str]]:
        """The texts of a row for each product, in the order of the frame."""
        for row in frame.to_dict("records"):
            yield (
                str(row["rank"]),
                self.known_names.name("product", row["product_code"], row["product_name"]),
                row["category"] if row["category"] is not None else _(NO_CATEGORY),
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

    title = N_("Bought together")
    about = N_("Lift above 1: more often in one sale than chance would have it.")
    heads: ClassVar[Mapping[str, bool]] = columns(
        *(N_("Products"), N_("Sales"), N_("Support"), N_("Confidence"), N_("Lift")), texts=["Products"]
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
                locale.number(row["lift"], 2),
            )


FIGURES = (N_("Given"), N_("Rate"), N_("Lines with one"), N_("Their revenue"))  # of discounts


KINDS = {"new": N_("New"), "returning": N_("Returning"), "no card": N_("No card")}


class Customers(TableTile):
    """New and returning customers, and sales without a card."""

    title = N_("Customers")
    about = N_("New: the first sale ever with that card is among these sales.")
    heads: ClassVar[Mapping[str, bool]] = columns(
        *("", N_("Customers"), N_("Sales"), N_("Revenue"), N_("Revenue a sale")), texts=[""]
    )
    is_slow = True

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """The three rows of ``insights.customers``."""
        return moment.answer(("customers", moment.where), lambda source: insights.customers(source, moment.where))

    def rows(self, frame: pd.DataFrame) -> Iterable[Sequence[str]]:
        """The texts of a row for each kind of customer."""
        for kind, customers, sales, revenue in frame[["kind", "customers", "sales", "revenue"]].itertuples(index=False):
            known = theme.NOTHING if kind == "no card" else theme.count(customers)
            each = self.text(revenue / sales) if sales else theme.NOTHING
            yield _(KINDS[kind]), known, theme.count(sales), self.text(revenue), each


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
                _(NO_CATEGORY) if value is None else self.known_names.name(self.dimension, value, str(value)),
                self.text(row["discount_given"]),
                percent(row["discount_rate"]),
                percent(row["discounted_share"]),
                self.text(row["revenue_discounted"]),
            )


class DiscountsByCategory(Discounts):
    """Discounts by category."""

    title = N_("Discounts by category")
    heads: ClassVar[Mapping[str, bool]] = columns(N_("Category"), *FIGURES, texts=["Category"])


class DiscountsByStore(Discounts):
    """Discounts by store."""

    title, dimension = N_("Discounts by store"), "store"
    heads: ClassVar[Mapping[str, bool]] = columns(N_("Store"), *FIGURES, texts=["Store"])
