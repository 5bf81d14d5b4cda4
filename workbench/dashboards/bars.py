"""Bars to click: revenue by store, category, payment method, cashier. A click narrows, a second one opens again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import holoviews as hv
import pandas as pd
from holoviews.streams import Tap
from hvplot import hvPlot

from workbench import look
from workbench.dashboards.chart import ChartTile, alphas, by_column, floats, frameless, padded, short, theme_color
from workbench.dashboards.feed import Moment
from workbench.filters import Filters, drop, value_text
from workbench.metrics import Asked
from workbench.replication import Answer

LABEL_LENGTH = 18
MOST_BARS = 12


class BarTile(ChartTile):
    """Revenue by one dimension, the highest first. ``narrows`` is the list of Filters that a click sets."""

    dimension: ClassVar[str] = ""
    narrows: ClassVar[str] = ""
    noun: ClassVar[str] = ""
    most: ClassVar[int] = MOST_BARS

    def __init__(self, source: Any, filters: Filters | None = None) -> None:
        super().__init__(source, filters)
        self._values: dict[str, Any] = {}
        self._most_shown = 0

    def asks(self, moment: Moment) -> Sequence[Asked]:
        """Every value of the dimension, the chosen ones and the others."""
        return [Asked(("revenue",), (self.dimension,), drop(moment.where, self.narrows))]

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """One row for each value, with revenue (Decimal), the highest first."""
        (asked,) = self.asks(moment)
        return moment.ask(*asked).map(
            lambda frame: frame.sort_values("revenue", ascending=False, kind="stable").reset_index(drop=True)
        )

    def depends_on(self, moment: Moment) -> object:
        """Which bars are chosen."""
        return tuple(getattr(moment.where, self.narrows))

    def prepare(self, moment: Moment, frame: pd.DataFrame) -> pd.DataFrame:
        """The highest bars, each with its label, colour and the text of its hover."""
        top = frame.head(self.most)
        values = top[self.dimension].tolist()
        labels = short((self.label(value) for value in values), LABEL_LENGTH)
        self._values = dict(zip(labels, values, strict=True))
        return self.from_below(
            {
                "label": labels,
                "revenue": floats(top["revenue"]),
                "name": [self.label(value) for value in values],
                "text": [self.text(value) for value in top["revenue"]],
                "color": [self.color(value) for value in values],
                "alpha": alphas(values, getattr(moment.where, self.narrows)),
            }
        )

    def from_below(self, columns: Mapping[str, Any]) -> pd.DataFrame:
        """The bars as they are drawn, the last one first."""
        data = pd.DataFrame(columns)
        self._most_shown = max(self._most_shown, len(data))
        return padded(data, "label", self._most_shown).iloc[::-1]

    def plot(self, data: pd.DataFrame) -> Any:
        """Bars that lie, so that names have room."""
        bars = hvPlot(data).barh(
            x="label",
            y="revenue",
            hover_cols=["name", "text", "color", "alpha"],
            height=self.height,
            responsive=True,
            xlabel="",
            ylabel="",
            legend=False,
        )
        return bars.opts(
            hv.opts.Bars(
                line_alpha=0,
                bar_width=0.7,
                tools=["hover"],
                hover_tooltips=[(self.noun, "@name"), ("Revenue", "@text")],
                default_tools=[],
                toolbar=None,
                xformatter=self.amounts,
                hooks=[frameless, by_column(fill_color="color", fill_alpha="alpha")],
                framewise=True,
            )
        )

    def listen(self, chart: hv.DynamicMap) -> None:
        """A click on a bar narrows every other tile to it."""
        tap = Tap(source=chart, x=None, y=None)
        tap.param.watch(self._tapped, ["x", "y"], onlychanged=False)

    def _tapped(self, *events: Any) -> None:
        for event in events:
            if isinstance(event.new, str) and event.new in self._values:
                self.feed.filters.toggle(**{self.narrows: self._values[event.new]})

    def label(self, value: Any) -> str:
        """A value as people read it."""
        return value_text(self.narrows, value, {})

    def color(self, value: Any) -> str:
        """The bar's colour."""
        return theme_color()


class RevenueByStore(BarTile):
    """Revenue by store, in the colour that the store has everywhere."""

    title, dimension, narrows, noun = "Revenue by store", "store", "stores", "Store"

    def label(self, value: Any) -> str:
        """``Store 3``."""
        return f"Store {value}"

    def color(self, value: Any) -> str:
        """The store's colour."""
        return look.store_color(value)


class RevenueByCategory(BarTile):
    """Revenue by category; lines without one are ``(none)``."""

    title, dimension, narrows, noun = "Revenue by category", "category", "categories", "Category"


class RevenueByPaymentMethod(BarTile):
    """Revenue by payment method."""

    title, dimension, narrows, noun = "Revenue by payment method", "payment_method", "payment_methods", "Payment method"


class RevenueByCashier(BarTile):
    """Revenue by cashier, those with the most."""

    title, dimension, narrows, noun = "Revenue by cashier", "cashier", "cashiers", "Cashier"

    def label(self, value: Any) -> str:
        """``Cashier 301``."""
        return f"Cashier {value}"
