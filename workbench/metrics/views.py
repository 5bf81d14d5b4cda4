"""Views: what RisingWave keeps materialized, and the questions that are answered by SQL on it.

As few as the pages ask for, of a grain that their tiles ask for, with the day first: a row less is time saved twice, in
RisingWave and at each question.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from workbench.database.sql_files import read_sql
from workbench.metrics.definitions import DIMENSIONS, MEASURES, SPANS, Grain, Metric
from workbench.metrics.facts import TABLES, Grouping, Groups, group, line_conditions, sale_conditions, shown
from workbench.metrics.where import Where
from workbench.sales.fields import GROUPED
from workbench.servers.risingwave.relations import Relation


@dataclass(frozen=True)
class View:
    """A materialized view: one row per day and the other ``dimensions``, with the sums of ``measures``."""

    name: str
    grain: Grain
    dimensions: tuple[str, ...]
    measures: tuple[str, ...]

    @property
    def body(self) -> str:
        """Its statement, made of the definitions; it stands alone, so that it can be changed by itself."""
        keys = [DIMENSIONS[name].column for name in self.dimensions]
        totals = [f"{MEASURES[name].expression} as {name}" for name in self.measures]
        selected = ",\n    ".join([*keys, *totals])
        facts = TABLES[self.grain].name
        body = textwrap.indent(read_sql(f"metrics/{facts}").rstrip(), "    ")
        return f"select\n    {selected}\nfrom (\n{body}\n) as {facts}\ngroup by {', '.join(keys)}\n"

    def holds(self, measure: str, grain: Grain, by: Sequence[str], where: Where) -> bool:
        """Whether it gives this measure, of this grain, by these dimensions and under this filter."""
        known = {*self.dimensions, "weekday", *SPANS}
        is_held = known.issuperset(by) and known.issuperset(where.by_dimension)
        has_times = where.time_from is not None or where.time_to is not None or where.before is not None
        return is_held and grain == self.grain and measure in self.measures and not has_times

    @property
    def table(self) -> sa.TableClause:
        """It as a table that statements name."""
        facts = TABLES[self.grain].c
        keys = [DIMENSIONS[name].column for name in self.dimensions]
        columns = [sa.column(key, facts[key].type) for key in keys]
        return sa.table(self.name, *columns, *(sa.column(name, sa.Numeric) for name in self.measures))


_SALES = ("sales", "revenue", "discount_given", "returns")
_LINES = ("items_sold", "revenue", "discount_given", "returns", "lines", "discounted_lines", "discounted_revenue")
_CHOICES = (field.dimension for field in GROUPED if field.choices)
VIEWS = (
    View("sales_by_store", "sale", ("day", "store", *_CHOICES), _SALES),
    View("sales_by_hour", "sale", ("day", "hour", "store"), _SALES),
    View("lines_by_category", "line", ("day", "store", "category"), _LINES),
    View("lines_by_product", "line", ("day", "product", "category"), _LINES),
)


def materialized_views() -> list[Relation]:
    """The views as what is built in RisingWave."""
    return [Relation(view.name, "materialized view", view.body) for view in VIEWS]


def holding(grouping: Grouping) -> dict[View, list[str]] | None:
    """The views that give these measures, and which of them each gives; None when one is given by none."""
    found: dict[View, list[str]] = {}
    for measure, grain in grouping.grains.items():
        held = (view for view in VIEWS if view.holds(measure, grain, grouping.by, grouping.where))
        view = next(held, None)
        if view is None:
            return None
        found.setdefault(view, []).append(measure)
    return found


def sums(connection: sa.Connection, asked: Mapping[View, Sequence[str]], grouping: Grouping) -> Groups:
    """The groups of a grouping, summed over the views that ``holding`` has found."""
    groups: Groups = {}
    by, where = grouping.by, grouping.where
    for view, measures in asked.items():
        table = view.table
        keys = [group(table, name).label(name) for name in by]
        conditions = sale_conditions(table, where)
        if where.narrows_lines:
            conditions += line_conditions(table, where)
        query = sa.select(*map(shown, keys), *(_total(table, name) for name in measures)).select_from(table)
        for row in connection.execute(query.where(*conditions).group_by(*keys)):
            values = zip(measures, map(int, row[len(by) :]), strict=True)
            groups.setdefault(tuple(row[: len(by)]), {}).update(values)
    return groups


def _total(table: sa.TableClause, name: str) -> sa.ColumnElement[int]:
    total = sa.func.coalesce(sa.func.sum(table.c[name]), 0)
    return sa.cast(total * 100 if MEASURES[name].unit == "money" else total, sa.BigInteger)


def given(metrics: Sequence[Metric], by: Sequence[str]) -> list[Metric]:
    """Those of the metrics that the views give by these dimensions."""
    return [metric for metric in metrics if holding(Grouping.of(metric.measures, by, Where())) is not None]
