"""The registry: what each metric is, which dimensions its grain can give, and which rollup holds what.

Two grains. A *line* has its own category and product and the dimensions of its one header, so a metric of line grain
(revenue, items sold, discount) can be given for every dimension. A *sale* has several categories and products: a metric
of sale grain (sales, average sale, customers) would count it once for each, so those two dimensions are refused.

Filters by category or product are taken by every metric. They keep the matching lines for what is summed over lines
(revenue, items, discount), and the sales with at least one matching line for what counts sales or customers. An average
sale under such a filter is therefore what those sales spent on those lines.

A new metric is an entry in METRICS when it combines measures that are there; a new measure is a column of the facts
and of the rollups that can give it (sql/metrics), a name in Measure and in those rollups of ROLLUPS, and in CENTS or
OF_LINES where that is what it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from workbench.errors import MetricError

Grain = Literal["sale", "line"]
Unit = Literal["money", "count", "percent", "ratio"]
Measure = Literal[
    "sales",
    "revenue",
    "discount",
    "items",
    "customers",
    "new_customers",
    "lines",
    "discounted_lines",
    "discounted_revenue",
    "card_sales",
    "card_revenue",
]

CENTS = ("revenue", "discount", "discounted_revenue", "card_revenue")  # money; it is summed as whole cents
OF_LINES = ("items", "lines", "discounted_lines", "discounted_revenue")  # only lines have them


@dataclass(frozen=True)
class Dimension:
    """What a metric can be given for. ``column`` is its name in sql/metrics; weekday is that of the day."""

    name: str
    label: str
    column: str
    grain: Grain = "sale"


DIMENSIONS = {
    dimension.name: dimension
    for dimension in (
        Dimension("day", "Day", "day"),
        Dimension("hour", "Hour", "hour"),
        Dimension("weekday", "Weekday", "day"),  # 1 is Monday, 7 is Sunday
        Dimension("week", "Week", "day"),  # each of these four is told by its first day, a week by its Monday
        Dimension("month", "Month", "day"),
        Dimension("quarter", "Quarter", "day"),
        Dimension("year", "Year", "day"),
        Dimension("store", "Store", "store_id"),
        Dimension("cashier", "Cashier", "cashier_id"),
        Dimension("payment_method", "Payment method", "payment_method"),
        Dimension("customer_type", "Customer", "customer_type"),  # card: the customer is known; no card
        Dimension("category", "Category", "category", "line"),  # None: a line without one
        Dimension("product", "Product", "product_code", "line"),
    )
}
# A filter can also name a customer; a rollup can hold all categories of a sale as one value.
COLUMNS = {d.name: d.column for d in DIMENSIONS.values()} | {"customer": "customer_id", "categories": "categories"}
SPANS = ("week", "month", "quarter", "year")  # they are made of days: who tells days, tells them
SALE_DIMENSIONS = tuple(d.name for d in DIMENSIONS.values() if d.grain == "sale")


@dataclass(frozen=True)
class Metric:
    """A sum, or a ratio of two sums: ``over`` summed, divided by ``under`` summed (nothing: not divided)."""

    name: str
    label: str
    unit: Unit
    grain: Grain
    over: Measure
    under: tuple[Measure, ...] = ()
    about: str = ""

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The names of the dimensions that this metric can be given for."""
        return tuple(DIMENSIONS) if self.grain == "line" else SALE_DIMENSIONS

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What has to be summed to compute it."""
        return (self.over, *self.under)


_ROWS = (
    Metric("revenue", "Revenue", "money", "line", "revenue", about="What customers paid, after discount."),
    Metric("sales", "Sales", "count", "sale", "sales", about="Sales, each counted once."),
    Metric("items_sold", "Items sold", "count", "line", "items", about="The sum of the lines' quantities."),
    Metric("average_sale", "Average sale", "money", "sale", "revenue", ("sales",), "Revenue for each sale."),
    Metric("discount_given", "Discount given", "money", "line", "discount", about="Discount on all lines."),
    Metric(
        "discount_rate",
        "Discount rate",
        "percent",
        "line",
        "discount",
        ("revenue", "discount"),
        "Discount as a share of the price before it.",
    ),
    Metric("customers", "Customers", "count", "sale", "customers", about="Different customers with a card."),
    Metric(
        "new_customers",
        "New customers",
        "count",
        "sale",
        "new_customers",
        about="Customers whose first sale ever is among these sales.",
    ),
    Metric("items_per_sale", "Items per sale", "ratio", "sale", "items", ("sales",), "Items sold for each sale."),
)


def usable(rows: Iterable[Metric]) -> tuple[dict[str, Metric], dict[str, str]]:
    """The metrics by name, and by name why a row is none: it alone is out, and says so when it is asked for."""
    found: dict[str, Metric] = {}
    problems: dict[str, str] = {}
    for row in rows:
        if problem := _problem(row, found):
            problems[row.name] = f"The metric {row.name!r} cannot be used: {problem}."
        else:
            found[row.name] = row
    return found, problems


def _problem(row: Metric, found: Mapping[str, Metric]) -> str:
    if not row.name.isidentifier() or row.name in found:
        return "its name is no name of a function, or there is another of this name"
    if row.grain not in get_args(Grain):
        return f"its grain {row.grain!r} is none of {', '.join(get_args(Grain))}"
    if unknown := [name for name in row.measures if name not in get_args(Measure)]:
        return f"there is no measure {unknown[0]!r}, only {', '.join(get_args(Measure))}"
    divided = ("money", "percent", "ratio")
    units = divided if row.under else ("money",) if row.over in CENTS else ("count",)
    return "" if row.unit in units else f"its unit {row.unit!r} is none of {', '.join(units)}"


METRICS, UNUSABLE = usable(_ROWS)


@dataclass(frozen=True)
class Rollup:
    """A rollup that is kept in memory: the file in sql/metrics of this name, its dimensions and its measures.

    ``key`` is the column by which changed rows are found. At line grain ``sales`` are those with such a line: they add
    up only where a single category, or product, is left, or where a row has all ``categories`` of its sales.
    ``customers`` are the different values of ``customer``. The measures of cards are named apart, as sales without a
    card are not in them.
    """

    name: str
    grain: Grain
    dimensions: tuple[str, ...]
    measures: tuple[Measure, ...]
    key: Literal["day", "customer_id"] = "day"

    def tells(self, by: Iterable[str], narrowed: Iterable[str]) -> bool:
        """Whether its rows can be grouped by the ones, and chosen by their values of the others."""
        told = {*self.dimensions, "weekday", *SPANS}
        return told.issuperset(by) and (told | {"category"} if "categories" in told else told).issuperset(narrowed)


_SALES: tuple[Measure, ...] = ("sales", "revenue", "discount")
_LINES: tuple[Measure, ...] = (*_SALES, "items", "lines", "discounted_lines", "discounted_revenue")
_CARDS: tuple[Measure, ...] = ("customers", "card_sales", "card_revenue")
_FIRST = ("day", "hour", "store", "cashier", "payment_method", "customer_type", "customer")

# The first one that can answer does, so the smaller ones stand first. They are also loaded in this order.
ROLLUPS = (
    Rollup("rollup_sales_by_hour", "sale", ("day", "hour", "store", "payment_method"), _SALES),
    Rollup("rollup_lines_by_hour", "line", ("day", "hour", "store", "category"), _LINES),
    Rollup("rollup_sales_by_categories", "line", ("day", "store", "categories"), ("sales",)),
    Rollup("rollup_lines_by_product_payment", "line", ("day", "payment_method", "product", "category"), _LINES),
    Rollup("rollup_sales_by_cashier", "sale", ("day", "store", "cashier", "payment_method", "customer_type"), _SALES),
    Rollup("rollup_sales_by_cashier_hour", "sale", ("day", "hour", "store", "cashier"), _SALES),
    Rollup("rollup_lines_by_product", "line", ("day", "store", "product", "category"), _LINES),
    Rollup("rollup_lines_by_product_hour", "line", ("day", "hour", "product", "category"), _LINES),
    Rollup("rollup_first_sales", "sale", _FIRST, ("new_customers",), key="customer_id"),
    Rollup("rollup_customers_by_day", "sale", ("day", "store", "customer"), _CARDS),
    Rollup("rollup_lines_by_cashier", "line", ("day", "store", "cashier", "payment_method", "category"), _LINES),
    Rollup("rollup_lines_by_product_cashier", "line", ("day", "store", "cashier", "product", "category"), _LINES),
)


def checked(names: Sequence[str], by: Sequence[str]) -> list[Metric]:
    """The metrics of these names. Raises MetricError for an unknown name, or a dimension that one cannot give."""
    if isinstance(names, str) or isinstance(by, str):
        raise MetricError("Metrics and dimensions are asked as lists of names, such as ['revenue'] by ['store'].")
    if not names:
        raise MetricError(f"No metric was asked. There are {', '.join(METRICS)}.")
    for name in by:
        if name not in DIMENSIONS:
            raise MetricError(f"There is no dimension {name!r}. There are {', '.join(DIMENSIONS)}.")
    if len(set(by)) < len(by) or len(set(names)) < len(names):
        raise MetricError("A metric or a dimension was asked twice.")
    return [_checked(name, by) for name in names]


def _checked(name: str, by: Sequence[str]) -> Metric:
    if name not in METRICS:
        raise MetricError(UNUSABLE.get(name, f"There is no metric {name!r}. There are {', '.join(METRICS)}."))
    metric = METRICS[name]
    refused = [dimension for dimension in by if dimension not in metric.dimensions]
    if refused:
        raise MetricError(
            f"{metric.label} by {DIMENSIONS[refused[0]].label.lower()} cannot be given: one sale has several, and would"
            f" count more than once. {metric.label} can be given by {', '.join(metric.dimensions)}."
        )
    return metric
