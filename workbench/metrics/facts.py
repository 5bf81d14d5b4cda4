"""Facts: one row per sale or return and one row per line, and every figure as a statement over them.

PostgreSQL has the facts as views (sql/metrics), DuckDB as tables (sql/columns): the same statement asks either.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from operator import itemgetter
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from workbench.config.clock import days_from_monday
from workbench.database.failures import state_of
from workbench.database.sql_files import run_sql
from workbench.errors import MetricError
from workbench.files import Rows
from workbench.metrics.definitions import COLUMNS, DIMENSIONS, MEASURES, SPANS, Grain, tells_lines
from workbench.metrics.table_reads import Ids, copied, one_moment
from workbench.metrics.where import EPOCH, Where
from workbench.sales import products
from workbench.sales.fields import GROUPED

Groups = dict[tuple[Any, ...], dict[str, int]]
EXACT_COUNT_LIMIT = 100_000  # of the database: the columns count everything
MOST_DAYS = 100  # beyond it the ids are nearly all, and finding them costs as much as they save

# What figures are given for, as the master's tables, the facts and their copies have it.
GROUPED_COLUMNS: tuple[sa.ColumnClause[Any], ...] = tuple(
    sa.column(field.fact, sa.Text() if field.kind == "choice" else sa.Integer()) for field in GROUPED
)
_HEADER: tuple[sa.ColumnClause[Any], ...] = (
    sa.column("transaction_id", sa.BigInteger),
    sa.column("transaction_time", sa.DateTime),
    sa.column("day", sa.Date),
    sa.column("hour", sa.Integer),
    *GROUPED_COLUMNS,
    sa.column("customer_type", sa.Text),
    sa.column("customer_id", sa.Integer),
)
_MONEY = (sa.column("revenue", sa.Numeric), sa.column("discount", sa.Numeric), sa.column("is_return", sa.Boolean))
_LINE = (sa.column("category", sa.Text), sa.column("product_code", sa.Text))


def _table(name: str, *groups: tuple[sa.ColumnClause[Any], ...]) -> sa.TableClause:
    return sa.table(name, *(sa.column(column.name, column.type) for group in groups for column in group))


FACT_SALES = _table("fact_sales", _HEADER, _MONEY)
FACT_LINES = _table("fact_lines", _HEADER, _MONEY, _LINE, (sa.column("items", sa.Integer),))
FIRST_SALES = _table("first_sales", _HEADER)
_SALES = _table("sales_transaction", _HEADER[:1], (sa.column("return_of", sa.BigInteger),))
_ITEMS = _table("sales_item", _HEADER[:1], _LINE, (sa.column("product_name", sa.Text),))
TABLES: dict[Grain, sa.TableClause] = {"sale": FACT_SALES, "line": FACT_LINES, "first sale": FIRST_SALES}
ARTICLE = tuple(name for name, dimension in DIMENSIONS.items() if dimension.grain == "line")
_ARTICLE = sa.column("article", sa.Integer)


# Of PostgreSQL, for an expression that it cannot make sense of: syntax, column, function, grouping, type.
_SENSELESS = ("42601", "42703", "42883", "42803", "42804", "42P09")


@dataclass(frozen=True)
class Grouping:
    """Measures, each with the grain that it is summed at, for each group of ``by`` under one filter."""

    grains: Mapping[str, Grain]
    by: tuple[str, ...]
    where: Where

    @classmethod
    def of(cls, measures: Sequence[str], by: Sequence[str], where: Where) -> Grouping:
        """These measures, and one more where a group could be left without a row."""
        tells = tells_lines(by) or where.narrows_lines
        grains = {name: MEASURES[name].grain_of(tells) for name in measures}
        if by:  # every group that has a matching line, or sale, gets its row, whatever else is asked
            grains |= {"items_sold": "line"} if tells else {"sales": "sale"}
        return cls(grains, tuple(by), where)

    def at(self, grain: Grain) -> tuple[str, ...]:
        """The measures that are summed at this grain."""
        return tuple(name for name, own in self.grains.items() if own == grain)


@dataclass(frozen=True)
class Counted:
    """How many sales there are, whether that is an estimate, and what they come to: None beside an estimate."""

    count: int
    is_estimate: bool
    amount: Decimal | None


Filled = tuple[Grouping, Groups]  # and what is filled with its groups


class Senseless(Exception):
    """An engine cannot make sense of a statement, for a row of the definitions is wrong. The text is its reason."""


class Facts(Protocol):
    """Who answers statements over the facts, all of one moment."""

    def execute(self, statement: sa.Select[Any]) -> Sequence[Sequence[Any]]:
        """The rows of the statement. Raises Senseless."""

    def matching(self, table: sa.TableClause, where: Where) -> list[sa.ColumnElement[bool]]:
        """The conditions of ``where`` on one of the facts; of a table of sales, that they have a line that matches."""

    def has_product(self, is_wanted: Callable[[str, str], bool]) -> sa.ColumnElement[bool]:
        """The condition on FACT_SALES that they have a line of a product whose code and name are wanted."""

    def return_of(self) -> sa.ColumnElement[int | None]:
        """Of FACT_SALES the sale that a return takes back from."""

    @property
    def articles(self) -> Mapping[int, tuple[Any, ...]]:
        """The values of ARTICLE by the number that lines have in their place, which costs less to group by; or none."""

    def product_names(self) -> dict[str, str]:
        """The newest name of every product that was ever sold, by its code."""

    def count(self, conditions: Sequence[sa.ColumnElement[bool]]) -> Counted:
        """How many of FACT_SALES meet the conditions, and what they come to, less what was returned."""

    def rows(self, statement: sa.Select[Any]) -> AbstractContextManager[Rows]:
        """The rows of the statement, to be written to a file: as many as there are."""


class DatabaseFacts:
    """The facts as PostgreSQL's views, read in one snapshot."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        one_moment(connection)

    def execute(self, statement: sa.Select[Any]) -> Sequence[Sequence[Any]]:
        """As in ``Facts``. Raises DBAPIError."""
        try:
            return self._connection.execute(statement).all()
        except ProgrammingError as error:
            if state_of(error) in _SENSELESS:
                raise Senseless(error.orig.diag.message_primary) from None  # type: ignore[union-attr]
            raise

    def matching(self, table: sa.TableClause, where: Where) -> list[sa.ColumnElement[bool]]:
        """As in ``Facts``."""
        found = sale_conditions(table, where)
        if not where.narrows_lines and table is not FACT_LINES:
            return found
        ids = self._ids(where)
        lines = FACT_LINES if table is FACT_LINES else _ITEMS
        of_lines = line_conditions(lines, where)
        if ids is not None:
            of_lines.append(lines.c.transaction_id.between(*ids))
        if table is FACT_LINES:
            return found + of_lines
        return [*found, sa.exists().where(lines.c.transaction_id == table.c.transaction_id, *of_lines)]

    def has_product(self, is_wanted: Callable[[str, str], bool]) -> sa.ColumnElement[bool]:
        """As in ``Facts``. The few known products are looked through, so that lines are found by an index."""
        known = run_sql(self._connection, "queries/products")
        wanted = [(code, name) for code, name in known if is_wanted(code, name)]
        if not wanted:
            return sa.false()
        is_one = sa.tuple_(_ITEMS.c.product_code, _ITEMS.c.product_name).in_(wanted)
        return sa.exists().where(_ITEMS.c.transaction_id == FACT_SALES.c.transaction_id, is_one)

    def return_of(self) -> sa.ColumnElement[int | None]:
        """As in ``Facts``. The view has it not: RisingWave's is made of the same statement, and its tables lack it."""
        of_sale = _SALES.c.transaction_id == FACT_SALES.c.transaction_id
        return sa.select(_SALES.c.return_of).where(of_sale).scalar_subquery()

    @property
    def articles(self) -> Mapping[int, tuple[Any, ...]]:
        """As in ``Facts``: a view's lines have no numbers."""
        return {}

    def product_names(self) -> dict[str, str]:
        """As in ``Facts``."""
        return products.names(self._connection)

    def count(self, conditions: Sequence[sa.ColumnElement[bool]]) -> Counted:
        """As in ``Facts``: counted up to EXACT_COUNT_LIMIT, beyond it the planner's estimate."""
        every = sa.select(FACT_SALES.c.revenue).where(*conditions)
        some = every.limit(EXACT_COUNT_LIMIT + 1).subquery()
        counted, amount = self._connection.execute(count_and_sum(some)).one()
        if counted <= EXACT_COUNT_LIMIT:
            return Counted(counted, False, amount)
        compiled = every.compile(dialect=self._connection.dialect, compile_kwargs={"render_postcompile": True})
        plan = self._connection.exec_driver_sql(f"explain (format json) {compiled}", compiled.params).scalar_one()
        return Counted(max(int(plan[0]["Plan"]["Plan Rows"]), counted), True, None)

    def rows(self, statement: sa.Select[Any]) -> AbstractContextManager[Rows]:
        """As in ``Facts``: copied to a file in between, so that they take no memory. Raises DBAPIError."""
        return copied(self._connection, statement)

    def _ids(self, where: Where) -> Ids | None:
        """Between which ids the sales of these days are; None when the days are many, or open, or have no sale, and
        when the sales of one customer are looked for: those are found at once.

        Lines have no day. Where ids follow time this keeps the planner from reading all of them; where they do not it
        costs little.
        """
        if where.customer_id is not None or where.date_from is None or where.date_to is None:
            return None
        if (where.date_to - where.date_from).days >= MOST_DAYS:
            return None
        days = {"first": where.date_from, "last": where.date_to}
        row = run_sql(self._connection, "queries/sale_ids", days).one()
        return None if row.first_id is None else (row.first_id, row.last_id)


def count_and_sum(sales: sa.FromClause) -> sa.Select[Any]:
    """How many sales there are, and what they come to."""
    amount = sa.func.coalesce(sa.func.sum(sales.c.revenue), sa.literal_column("0"))
    return sa.select(sa.func.count(), amount).select_from(sales)


def sums(facts: Facts, groupings: Sequence[Grouping]) -> list[Groups]:
    """The groups of each grouping that have a row; money in cents. What is under one filter costs one pass.

    So do periods that touch, as a period and the one before it. Raises MetricError when the expression of a measure
    makes no sense to the engine.
    """
    found: list[Groups] = [{} if grouping.by else {(): {}} for grouping in groupings]
    passes: dict[tuple[Grain, Where, tuple[str, ...]], list[Filled]] = {}
    at_any_time = {
        where: replace(where, date_from=None, date_to=None, before=None) for where in {of.where for of in groupings}
    }
    for grouping, groups in zip(groupings, found, strict=True):
        for grain in dict.fromkeys(grouping.grains.values()):
            apart = tuple(name for name in grouping.at(grain) if not MEASURES[name].adds_up)
            rows = grouping.where if apart else at_any_time[grouping.where]
            passes.setdefault((grain, rows, apart), []).append((grouping, groups))
    for (grain, _, _), asked in passes.items():
        for where, touching in _periods(asked):
            _pass(facts, grain, where, touching)
    return found


def _periods(asked: Sequence[Filled]) -> list[tuple[Where, list[Filled]]]:
    """Those whose days touch or overlap, together, and the filter by which just all their sales are read."""
    found: list[tuple[Where, list[Filled]]] = []
    for one in sorted(asked, key=lambda one: one[0].where.date_from or date.min):
        where = one[0].where
        if found and ((where.date_from or date.min) - (found[-1][0].date_to or date.max)).days <= 1:
            whole, touching = found[-1]
            ends = (whole.date_to, where.date_to)
            last = None if None in ends else max(end for end in ends if end is not None)
            before = whole.before if whole.before == where.before else None
            found[-1] = replace(whole, date_to=last, before=before), [*touching, one]
        else:
            found.append((where, [one]))
    return found


def _pass(facts: Facts, grain: Grain, where: Where, asked: Sequence[Filled]) -> None:
    """Fills the groups of several groupings by one statement over what is under ``where``.

    A row of its answer is of the sales that the same periods have, each told by a bit.
    """
    measures = list(dict.fromkeys(name for grouping, _ in asked for name in grouping.at(grain)))
    periods = {period: 1 << place for place, period in enumerate(dict.fromkeys(of.where for of, _ in asked))}
    facts_of, bits_of = TABLES[grain], [] if len(periods) == 1 else [sa.column("periods", sa.Integer)]
    adds_up = all(MEASURES[name].adds_up for name in measures)
    articles = facts.articles if adds_up and any(tells_lines(of.by) for of, _ in asked) else {}
    numbers = [_ARTICLE] if articles else []
    rows_of = sa.select(*facts_of.c, *numbers, *([_period_bits(facts_of, periods)] if bits_of else []))
    table = rows_of.where(*facts.matching(facts_of, where)).subquery(facts_of.name)
    told_by = {of.by: _told_by(of.by, bool(articles)) for of, _ in asked}
    keys = {name: group(table, name).label(name) for by in told_by.values() for name in by}
    sets = _sets(told_by.values(), adds_up)
    tuples = [sa.tuple_(*bits_of, *(keys[name] for name in keys if name in one)) for one in sets]
    query = sa.select(
        sa.func.grouping(*keys.values()) if len(sets) > 1 else sa.literal_column("0"),
        *(bits_of or [sa.literal_column("1")]),
        *map(shown, keys.values()),
        *map(_total, measures),
    )
    grouped = [sa.func.grouping_sets(*tuples)] if len(sets) > 1 else [*bits_of, *keys.values()]
    rows = _answered(facts, query.select_from(table).group_by(*grouped), measures)
    places = {name: place for place, name in enumerate([*keys, *measures], start=2)}
    if articles:
        rows = [(*row, *articles.get(row[places[_ARTICLE.name]], ())) for row in rows]
        places |= {name: len(places) + place for place, name in enumerate(ARTICLE, start=2)}
    of_set: dict[int, list[Any]] = {_rolled_up(keys, one): [] for one in sets}
    for of, groups in asked:
        finest = min((one for one in sets if one.issuperset(told_by[of.by])), key=len)
        summed = [(name, places[name]) for name in of.at(grain)]
        of_set[_rolled_up(keys, finest)].append(
            (periods[of.where], groups, _taken([places[name] for name in of.by]), summed)
        )
    _add_up(rows, of_set)


def _answered(facts: Facts, query: sa.Select[Any], measures: Iterable[str]) -> Sequence[Sequence[Any]]:
    try:
        return facts.execute(query)
    except Senseless as error:
        said = ", ".join(f"{name} as {MEASURES[name].expression}" for name in measures)
        raise MetricError(f"It is defined wrongly (workbench/metrics/definitions.py), {said}: {error}.") from None


def _add_up(rows: Iterable[Sequence[Any]], of_set: Mapping[int, Sequence[Any]]) -> None:
    """Adds each row of a grouping set to the groups that are filled from it."""
    for row in rows:
        for period, groups, key_of, summed in of_set[row[0]]:
            if row[1] & period:
                group_of = groups.setdefault(key_of(row), {})
                for name, place in summed:
                    group_of[name] = group_of.get(name, 0) + row[place]


def _sets(every: Iterable[Sequence[str]], adds_up: bool) -> list[frozenset[str]]:
    """What is grouped by, so that the groups of each of ``every`` follow from it.

    What adds up follows from what is grouped finer.
    """
    found = list(dict.fromkeys(map(frozenset, every)))
    return [one for one in found if not (adds_up and any(one < other for other in found))]


def _told_by(by: Sequence[str], has_numbers: bool) -> tuple[str, ...]:
    """What a grouping is grouped by: what tells an article by its number, where it has one."""
    return tuple(dict.fromkeys(_ARTICLE.name if has_numbers and name in ARTICLE else name for name in by))


def _taken(places: Sequence[int]) -> Callable[[Sequence[Any]], Any]:
    """What takes the values at these places out of a row, as a tuple."""
    if len(places) > 1:
        return itemgetter(*places)
    return itemgetter(slice(places[0], places[0] + 1) if places else slice(0))


def _period_bits(table: sa.TableClause, periods: Mapping[Where, int]) -> sa.ColumnElement[int]:
    """The bits of the periods that a sale, or the sale that a line is of, is in."""
    edges = sorted({datetime.min, datetime.max, *(edge for where in periods for edge in where.span)})

    def within(low: datetime, high: datetime) -> sa.ColumnElement[int]:
        spans = ((where.span, bit) for where, bit in periods.items())
        return sa.literal_column(str(sum(bit for (first, last), bit in spans if first <= low and high <= last)))

    steps = [(table.c.transaction_time < high, within(low, high)) for low, high in pairwise(edges)]
    return sa.case(*steps, else_=within(datetime.max, datetime.max)).label("periods")


def _rolled_up(keys: Iterable[str], by: Container[str]) -> int:
    """What SQL's ``grouping`` gives for the rows of one grouping set: a bit for each key that is not in it."""
    return int("0" + "".join("0" if name in by else "1" for name in keys), 2)


def values_of(facts: Facts, dimension: str) -> list[Any]:
    """The values of a dimension that there are, sorted with None last."""
    table = TABLES[DIMENSIONS[dimension].grain]
    found = facts.execute(sa.select(group(table, dimension)).distinct())
    return sorted((value for (value,) in found), key=lambda value: (value is None, value))


def _total(name: str) -> sa.ColumnElement[Any]:
    """A measure of a group as a whole number: of cents, where it is money."""
    measure = MEASURES[name]
    value = f"({measure.expression}) * 100" if measure.unit == "money" else measure.expression
    return sa.cast(sa.func.coalesce(sa.literal_column(value), sa.literal_column("0")), sa.BigInteger)


def group(table: sa.FromClause, name: str) -> sa.ColumnElement[Any]:
    """What a dimension is grouped by: the day itself, as the planner cannot tell how many numbers of days there are."""
    column = table.c[COLUMNS.get(name, name)]
    if name in SPANS:  # of a time without a zone: the session's is not asked
        return _begin_of(name, sa.cast(column, sa.DateTime))
    return sa.cast(sa.extract("isodow", column), sa.Integer) if name == "weekday" else column


def _begin_of(span: str, time: sa.ColumnElement[datetime]) -> sa.ColumnElement[date]:
    """The first day of a span; PostgreSQL's weeks begin on Monday."""
    shift = days_from_monday() if span == "week" else 0
    if not shift:
        return sa.cast(sa.func.date_trunc(span, time), sa.Date)
    days = sa.literal_column(f"interval '{shift} days'", sa.Interval)
    return sa.cast(sa.func.date_trunc(span, time + days) - days, sa.Date)


def shown(key: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """What of a group is fetched: a day's number, as Python has no days after the year 9999."""
    return key - sa.cast(sa.literal(EPOCH, sa.Date), sa.Date) if isinstance(key.type, sa.Date) else key


def sale_conditions(table: sa.TableClause, where: Where) -> list[sa.ColumnElement[bool]]:
    """The conditions of ``where`` on the sale, or on the sale that a line is of."""
    found: list[sa.ColumnElement[bool]] = []
    if where.date_from is not None:
        found.append(table.c.day >= where.date_from)
    if where.date_to is not None:
        found.append(table.c.day <= where.date_to)
    if where.time_from is not None:
        found.append(sa.cast(table.c.transaction_time, sa.Time) >= where.time_from)
    if where.time_to is not None:
        found.append(sa.cast(table.c.transaction_time, sa.Time) < where.time_to)
    if where.before is not None:
        found += [table.c.day <= where.before.date(), table.c.transaction_time < where.before]
    for name, values in where.by_dimension.items():
        if name not in ("category", "product"):
            found.append(group(table, name).in_(values))
    return found


def line_conditions(lines: sa.TableClause, where: Where) -> list[sa.ColumnElement[bool]]:
    """The conditions of ``where`` on the line itself."""
    narrowed = {"category": where.categories, "product": where.products}
    return [_among(lines.c[COLUMNS[name]], values) for name, values in narrowed.items() if values]


def _among(column: sa.ColumnElement[Any], values: tuple[Any, ...]) -> sa.ColumnElement[bool]:
    """``in`` that knows None."""
    known = column.in_([value for value in values if value is not None])
    return sa.or_(known, column.is_(None)) if None in values else known
