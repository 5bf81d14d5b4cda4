"""Definitions: each measure, ratio and dimension is one row. Every engine's SQL, and every list of them, follows.

Two grains. A *line* has its own category and product and the dimensions of its one sale, so a metric of line grain
(revenue, items sold, discount) can be given for every dimension. A *sale* has several categories and products: a metric
of sale grain (sales, average sale, customers) would count it once for each, so those two dimensions are refused.

Filters by category or product are taken by every metric. They keep the matching lines for what is summed over lines
(revenue, items, discount), and the sales with at least one matching line for what counts sales or customers. An average
sale under such a filter is therefore what those sales spent on those lines.

A return is no sale and its amounts and quantities are negative: what is summed (revenue, items, discount) is net of it,
what counts sales, lines or customers leaves it out, and every group that has only returns still has its row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, get_args

from workbench.errors import MetricError
from workbench.locale import N_, Labelled, _
from workbench.sales.fields import GROUPED
from workbench.sales.models import CENT

Grain = Literal["sale", "line", "first sale"]
Unit = Literal["money", "count", "percent", "ratio"]
_ADDS_UP = re.compile(r"(sum|count)\([^()]*\)( filter \([^()]*\))?")


@dataclass(frozen=True)
class Dimension(Labelled):
    """What a metric can be given for. ``column`` is its name in the facts; weekday is that of the day."""

    name: str
    english: str
    column: str
    grain: Grain = "sale"


DIMENSIONS = {
    dimension.name: dimension
    for dimension in (
        Dimension("day", N_("Day"), "day"),
        Dimension("hour", N_("Hour"), "hour"),
        Dimension("weekday", N_("Weekday"), "day"),  # 1 is Monday, 7 is Sunday
        Dimension("week", N_("Week"), "day"),  # each of these four is told by its first day
        Dimension("month", N_("Month"), "day"),
        Dimension("quarter", N_("Quarter"), "day"),
        Dimension("year", N_("Year"), "day"),
        *(Dimension(field.dimension, field.english.capitalize(), field.fact) for field in GROUPED),
        Dimension("customer_type", N_("Customer"), "customer_type"),  # card: the customer is known; no card
        Dimension("category", N_("Category"), "category", "line"),  # None: a line without one
        Dimension("product", N_("Product"), "product_code", "line"),
    )
}
COLUMNS = {d.name: d.column for d in DIMENSIONS.values()} | {"customer": "customer_id"}  # a filter can name a customer
SPANS = ("week", "month", "quarter", "year")  # they are made of days: who tells days, tells them
SALE_DIMENSIONS = tuple(d.name for d in DIMENSIONS.values() if d.grain == "sale")


@dataclass(frozen=True)
class Measure:
    """An aggregate over the facts of its grain. One with a label is a metric by itself.

    ``expression`` is SQL that DuckDB, PostgreSQL and RisingWave understand alike. ``is_of_header``: a sale has it as
    well as its lines, so that lines need only be read when they are told apart.
    """

    name: str
    english: str
    unit: Unit
    grain: Grain
    expression: str
    described: str = ""
    is_of_header: bool = False

    @property
    def adds_up(self) -> bool:
        """Whether those of two parts of a group add up to that of the group, as different customers do not."""
        return "distinct" not in self.expression and _ADDS_UP.fullmatch(self.expression) is not None

    def grain_of(self, tells_lines: bool) -> Grain:
        """The facts that give it, when the question tells lines apart or does not."""
        return "sale" if self.is_of_header and not tells_lines else self.grain


_MEASURES = (
    Measure(
        "revenue",
        N_("Revenue"),
        "money",
        "line",
        "sum(revenue)",
        N_("What customers paid, after discount and returns."),
        True,
    ),
    Measure(
        "sales",
        N_("Sales"),
        "count",
        "sale",
        "count(*) filter (where not is_return)",
        N_("Sales, each counted once; a return is none."),
    ),
    Measure(
        "items_sold", N_("Items sold"), "count", "line", "sum(items)", N_("Items sold, less those that were returned.")
    ),
    Measure(
        "discount_given",
        N_("Discount given"),
        "money",
        "line",
        "sum(discount)",
        N_("Discount on all lines, less that on what was returned."),
        True,
    ),
    Measure(
        "returns",
        N_("Returns"),
        "money",
        "line",
        "sum(-revenue) filter (where is_return)",
        N_("What was given back to customers for items that they returned, on the day they did."),
        True,
    ),
    Measure(
        "customers",
        N_("Customers"),
        "count",
        "sale",
        "count(distinct customer_id) filter (where not is_return)",
        N_("Different customers with a card who bought something."),
    ),
    Measure(
        "new_customers",
        N_("New customers"),
        "count",
        "first sale",
        "count(*)",
        N_("Customers whose first sale ever is among these sales."),
    ),
    Measure("lines", "", "count", "line", "count(*) filter (where not is_return)"),
    Measure("discounted_lines", "", "count", "line", "count(*) filter (where discount > 0)"),
    Measure("discounted_revenue", "", "money", "line", "sum(revenue) filter (where discount <> 0)"),
)


@dataclass(frozen=True)
class Metric(Labelled):
    """A measure, or a ratio of two sums: ``over`` divided by ``under`` added up (nothing: not divided)."""

    name: str
    english: str
    unit: Unit
    grain: Grain
    over: str
    under: tuple[str, ...] = ()
    described: str = ""

    @property
    def about(self) -> str:
        """What it means, in a sentence."""
        return _(self.described)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The names of the dimensions that this metric can be given for."""
        return tuple(DIMENSIONS) if self.grain == "line" else SALE_DIMENSIONS

    @property
    def measures(self) -> tuple[str, ...]:
        """What has to be summed to compute it."""
        return (self.over, *self.under)


_RATIOS = (
    Metric("average_sale", N_("Average sale"), "money", "sale", "revenue", ("sales",), N_("Revenue for each sale.")),
    Metric(
        "discount_rate",
        N_("Discount rate"),
        "percent",
        "line",
        "discount_given",
        ("revenue", "discount_given"),
        N_("Discount as a share of the price before it."),
    ),
    Metric(
        "items_per_sale",
        N_("Items per sale"),
        "ratio",
        "sale",
        "items_sold",
        ("sales",),
        N_("Items sold for each sale."),
    ),
    Metric(
        "return_rate",
        N_("Return rate"),
        "percent",
        "line",
        "returns",
        ("revenue", "returns"),
        N_("Returns as a share of the revenue before them."),
    ),
)


def usable(
    measures: Iterable[Measure], ratios: Iterable[Metric]
) -> tuple[dict[str, Measure], dict[str, Metric], dict[str, str]]:
    """Measures and metrics by name, and by name why a row is none: it alone is out, and says so when it is asked."""
    found: dict[str, Measure] = {}
    metrics: dict[str, Metric] = {}
    problems: dict[str, str] = {}
    rows: list[Measure | Metric] = [*measures, *ratios]
    for row in rows:
        problem = _problem(row, found, {*found, *metrics})
        if problem:
            problems[row.name] = f"The metric {row.name!r} cannot be used: {problem}."
        elif isinstance(row, Metric):
            metrics[row.name] = row
        else:
            found[row.name] = row
            if row.english:
                metrics[row.name] = Metric(row.name, row.english, row.unit, row.grain, row.name, (), row.described)
    return found, metrics, problems


def _problem(row: Measure | Metric, measures: Mapping[str, Measure], names: set[str]) -> str:
    if not row.name.isidentifier() or row.name in names:
        return "its name is no name of a function, or there is another of this name"
    if row.grain not in get_args(Grain):
        return f"its grain {row.grain!r} is none of {', '.join(get_args(Grain))}"
    if isinstance(row, Metric) and (unknown := [name for name in row.measures if name not in measures]):
        return f"there is no measure {unknown[0]!r}, only {', '.join(measures)}"
    units = ("money", "percent", "ratio") if isinstance(row, Metric) else ("money", "count")
    return "" if row.unit in units else f"its unit {row.unit!r} is none of {', '.join(units)}"


MEASURES, METRICS, UNUSABLE = usable(_MEASURES, _RATIOS)


def tells_lines(by: Sequence[str]) -> bool:
    """Whether groups tell the lines of one sale apart."""
    return any(DIMENSIONS[name].grain == "line" for name in by)


def checked(names: Sequence[str], by: Sequence[str]) -> list[Metric]:
    """The metrics of these names. Raises MetricError for an unknown name, or a dimension that one cannot give."""
    if isinstance(names, str) or isinstance(by, str):
        raise MetricError(_("Metrics and dimensions are asked as lists of names, such as ['revenue'] by ['store']."))
    if not names:
        raise MetricError(_("No metric was asked. There are {names}.", names=", ".join(METRICS)))
    for name in by:
        if name not in DIMENSIONS:
            text = _("There is no dimension {name}. There are {names}.", name=repr(name), names=", ".join(DIMENSIONS))
            raise MetricError(text)
    if len(set(by)) < len(by) or len(set(names)) < len(names):
        raise MetricError(_("A metric or a dimension was asked twice."))
    return [_checked(name, by) for name in names]


def _checked(name: str, by: Sequence[str]) -> Metric:
    if name not in METRICS:
        text = _("There is no metric {name}. There are {names}.", name=repr(name), names=", ".join(METRICS))
        raise MetricError(UNUSABLE.get(name, text))
    metric = METRICS[name]
    refused = [dimension for dimension in by if dimension not in metric.dimensions]
    if refused:
        raise MetricError(
            _(
                "{metric} by {dimension} cannot be given: one sale has several, and would count more than once."
                " {metric} can be given by {dimensions}.",
                metric=metric.label,
                dimension=DIMENSIONS[refused[0]].noun,
                dimensions=", ".join(metric.dimensions),
            )
        )
    return metric


def percent(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """``part`` as a percent of ``whole`` (4.35 is 4.35 %), with two places; None when ``whole`` is zero."""
    return ratio(part * 100, whole)


def ratio(over: Decimal | int, under: Decimal | int) -> Decimal | None:
    """``over`` divided by ``under``, with two places; None when ``under`` is zero."""
    return (Decimal(over) / Decimal(under)).quantize(CENT, ROUND_HALF_UP) if under else None
