"""Bars to click: revenue by store, category, payment method, cashier; top products by revenue and by quantity."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from decimal import Decimal
from itertools import zip_longest
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import Plot
from hvplot import hvPlot

from workbench.components import theme
from workbench.dashboards.chart import (
    ChartTile,
    alphas,
    amounts,
    beside,
    by_column,
    extremes,
    floats,
    frameless,
    on_click,
    padded,
    short,
    theme_color,
    tooltips,
    unit_text,
)
from workbench.dashboards.feed import Moment
from workbench.dashboards.kpis import change
from workbench.dashboards.tables import percent
from workbench.dashboards.tile_card import Button
from workbench.database.replication import Answer
from workbench.filters import Filters, drop, value_text
from workbench.locale import N_, _, in_sentence
from workbench.metrics import DIMENSION_OF, DIMENSIONS, METRICS, MetricQuery, definitions
from workbench.words import heading, visible

LABEL_LENGTH = 18
MOST_BARS, ALL_BARS = 12, 500  # a canvas has an end: files have all
ROW, FRAME = 22, 48  # pixels of a bar, and of what is around them all


class BarTile(ChartTile):
    """Revenue by one ``dimension``, the highest first. ``narrows`` is the list of Filters that a click sets.

    A click narrows to one mark, Ctrl and a click add another; a click on the only one opens again.
    """

    dimension: ClassVar[str] = ""
    narrows: ClassVar[str] = ""
    noun: ClassVar[str] = ""
    metric: ClassVar[str] = "revenue"
    metrics: ClassVar[tuple[str, ...]] = ("revenue",)  # what is asked
    most = MOST_BARS
    is_alike = True

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.dimension:
            cls.noun = DIMENSIONS[cls.dimension].english
            cls.narrows = next(name for name, dimension in DIMENSION_OF.items() if dimension == cls.dimension)

    def __init__(self, source: Any, filters: Filters | None = None) -> None:
        super().__init__(source, filters)
        self._most_shown = 0

    def asks(self, moment: Moment) -> Sequence[MetricQuery]:
        """Every value of the dimension, the chosen ones and the others; the same so far, and of the comparison."""
        spans = [moment.where] if moment.comparison is None else [moment.where, moment.so_far, moment.comparison]
        return [MetricQuery(self.metrics, (self.dimension,), drop(where, self.narrows)) for where in spans]

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """One row for each value, with revenue (Decimal), the highest first.

        ``so_far`` is what of it is compared with ``before``; both are None when nothing is compared.
        """
        asked, *compared = self.asks(moment)
        answer = moment.ask(*asked)
        frame = answer.value.sort_values(self.metric, ascending=False, kind="stable", ignore_index=True)
        values = frame[self.dimension].tolist()
        others = (moment.ask(*other).value for other in compared)
        found = [
            dict(zip(other[self.dimension].tolist(), other[self.metric].tolist(), strict=True)) for other in others
        ]
        none = Decimal("0.00") if METRICS[self.metric].unit == "money" else 0
        for name, figures in zip_longest(("so_far", "before"), found):
            of_values = [None if figures is None else figures.get(value, none) for value in values]
            frame[name] = np.array(of_values, object)
        return Answer(frame, answer.engine, answer.as_of, answer.note)

    def depends_on(self, moment: Moment) -> object:
        """Which bars are chosen, and up to when they are compared."""
        return tuple(getattr(moment.where, self.narrows)), moment.so_far.before

    @property
    def reads(self) -> Mapping[str, str]:  # type: ignore[override]
        """What the pointer reads: whose bar it is, how much, its share of all bars and its change."""
        return {self.noun: "name", METRICS[self.metric].english: "text", N_("Share"): "share", N_("Change"): "change"}

    def prepare(self, moment: Moment, frame: pd.DataFrame) -> pd.DataFrame:
        """A row for each bar, the highest first, with its label, colour and the texts of its hover."""
        values, figures = frame[self.dimension].tolist(), frame[self.metric].tolist()
        names = self.names(frame)
        labels = short(names, LABEL_LENGTH)
        whole = sum(figures)
        return pd.DataFrame(
            {
                "label": labels,
                "of": pd.Series(values, dtype=object),
                "revenue": floats(figures),
                "name": names,
                "text": self.texts(frame),
                "value": [theme.brief(figure) for figure in figures],
                "share": [percent(definitions.percent(figure, whole) if whole > 0 else None) for figure in figures],
                "change": self._changes(frame),
                "color": self.colors(values),
                "alpha": alphas(values, getattr(moment.where, self.narrows)),
            }
        )

    def _changes(self, frame: pd.DataFrame) -> list[str]:
        found = [change(*pair) for pair in zip(frame["so_far"], frame["before"], strict=True)]
        return [theme.percent(ratio, is_change=True) for ratio in found]

    def summarized(self, data: pd.DataFrame) -> str:
        """``12 stores, highest … with …, lowest … with …``."""
        values = {"n": len(data), "what": in_sentence(heading(self.narrows)), "extremes": extremes(data, "name")}
        return _("{n} {what}, {extremes}.", **values)

    def marks(self, data: pd.DataFrame) -> pd.DataFrame:
        """The highest bars, or all of them, as they are drawn: the last one first."""
        return padded(data.head(self._count(data)), "label", self._most_shown).iloc[::-1]

    def _count(self, data: pd.DataFrame) -> int:
        return min(len(data), ALL_BARS if self.is_whole else self.most)

    def variant(self) -> Hashable:
        """How many bars are shown, and for how many there is room."""
        return self.is_whole, self._most_shown

    def redraw(self) -> None:
        """Keeps room for as many bars as there were."""
        self._most_shown = max(self._most_shown, self._count(self._data))
        super().redraw()

    def offers(self) -> list[Button]:
        """A button for all bars where there are more than are shown."""
        return self.all_button(len(self._data), ALL_BARS)

    def pressed(self, button: str) -> None:
        """Shows all bars, or the highest alone again."""
        super().pressed(button)
        if button == "all":
            self.is_whole = not self.is_whole
            self._most_shown = 0
            bars = self._count(self._data) if self.is_whole else 0
            self.height = max(type(self).height, FRAME + ROW * bars)
            self.redraw()

    def plot(self, data: pd.DataFrame) -> Any:
        """Bars that lie, so that names have room."""
        return lying(data, ["share", "change"], tooltips(self.reads), height=self.height, ylabel=self.unit)

    def listen(self, figure: Plot) -> None:
        """A click on a bar narrows every other tile to it."""
        on_click(figure, self._clicked)

    def _clicked(self, _x: Any, label: Any, is_adding: bool) -> None:
        values = dict(zip(self._data["label"], self._data["of"], strict=True))
        if label in values:
            self.feed.filters.toggle(is_adding=is_adding, **{self.narrows: values[label]})

    @property
    def unit(self) -> str:
        """What the axis counts."""
        return unit_text(self.metric, self.currency)

    def texts(self, frame: pd.DataFrame) -> list[str]:
        """How much each bar is, in words."""
        return [self.text(value) for value in frame["revenue"]]

    def names(self, frame: pd.DataFrame) -> list[str]:
        """Each value as people read it."""
        named = self.known_names.of(self.dimension)
        return [value_text(self.narrows, value, named) for value in frame[self.dimension]]

    def colors(self, values: Sequence[Any]) -> list[str]:
        """The bars' colours."""
        return [theme_color()] * len(values)


class RevenueByStore(BarTile):
    """Revenue by store, in the colour that the store has everywhere."""

    title, dimension = N_("Revenue by store"), "store"

    def names(self, frame: pd.DataFrame) -> list[str]:
        """Its name; ``Store 3`` where it has none."""
        return [self.known_names.called("store", value) for value in frame["store"]]

    def colors(self, values: Sequence[Any]) -> list[str]:
        """The stores' colours."""
        found = theme.store_colors(values)
        return [found[value] for value in values]


class RevenueByCategory(BarTile):
    """Revenue by category; lines without one are ``(none)``."""

    title, dimension = N_("Revenue by category"), "category"


class RevenueByPaymentMethod(BarTile):
    """Revenue by payment method."""

    title, dimension = N_("Revenue by payment method"), "payment_method"


class RevenueByCashier(BarTile):
    """Revenue by cashier, those with the most."""

    title, dimension = N_("Revenue by cashier"), "cashier"

    def names(self, frame: pd.DataFrame) -> list[str]:
        """Their name; ``Cashier 301`` where they have none."""
        return [self.known_names.called("cashier", value) for value in frame["cashier"]]


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
        return [_("{revenue}, {n} sold", revenue=self.text(revenue), n=theme.count(items)) for revenue, items in pairs]

    def colors(self, values: Sequence[Any]) -> list[str]:
        """One colour a metric."""
        return [theme_color(2 if self.metric == "items_sold" else 0)] * len(values)


class TopProductsByRevenue(TopProducts):
    """The ten products that brought most."""

    title = N_("Top 10 products by revenue")


class TopProductsByQuantity(TopProducts):
    """The ten products that were sold most often."""

    title, metric = N_("Top 10 products by quantity"), "items_sold"


def lying(data: pd.DataFrame, hover: Sequence[str], tooltips: Any, **look: Any) -> Any:
    """Bars that lie, so that names have room, of columns as ``BarTile.prepare`` makes them, and those of ``hover``."""
    columns = ["name", "text", "value", *hover, "color", "alpha"]
    bars = hvPlot(data).barh(
        x="label", y="revenue", hover_cols=columns, responsive=True, xlabel="", legend=False, **look
    )
    return bars.opts(
        hv.opts.Bars(
            line_alpha=0,
            bar_width=0.7,
            tools=["hover"],
            hover_tooltips=tooltips,
            default_tools=[],
            toolbar=None,
            xformatter=amounts(),
            hooks=[beside, frameless, by_column(fill_color="color", fill_alpha="alpha")],
            framewise=True,
        )
    )


def product_names(moment: Moment) -> dict[str, str]:
    """The name of each product code: the catalogue's, else that of its newest line."""
    found = moment.answer("product names", lambda source: source.read(lambda facts: facts.product_names(), "products"))
    return {code: visible(name) for code, name in found.value.items()} | dict(moment.names.of("product"))
