"""Every view of facts and figures holds what the sales say, and a body that is wrong by one anywhere is noticed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
import sqlalchemy as sa

from tests.conftest import EMPTY
from workbench import sample
from workbench.database.engines import Engines
from workbench.database.positions import wait_for_replica
from workbench.metrics import verification, views
from workbench.metrics.verification.figures import compared, newest_days, view_names
from workbench.servers.risingwave import relations

BODIES = {relation.name: relation.text for relation in (*relations.views(), *views.materialized_views())}
DAYS = (date(2026, 4, 1), date(2026, 5, 31))
# By one, whatever it is: a number, a day, a text.
BY_ONE = {
    "text": "case when {c} is null then 'x' else {c} || 'x' end",
    "varchar": "case when {c} is null then 'x' else {c} || 'x' end",
    "boolean": "not {c}",
    "timestamp": "{c} + interval '1 second'",
}


@pytest.fixture(scope="module")
def sold(shared_engines: Engines) -> Engines:
    """Sales with all that views tell apart: lines without category, sales without card, discounts, returns."""
    with shared_engines.owner.begin() as connection:
        connection.execute(sa.text(EMPTY))
    sample.load(shared_engines, 2_000, seed=7, until=DAYS[1])
    with shared_engines.owner.begin() as connection:
        connection.exec_driver_sql("update sales_item set category = null where mod(item_id, 7) = 0")
    assert wait_for_replica(shared_engines)
    return shared_engines


@pytest.fixture
def owner(sold: Engines) -> Iterator[sa.Connection]:
    """A connection that may change views; what it does is taken back."""
    with sold.owner.connect() as connection:
        yield connection
        connection.rollback()


def change(connection: sa.Connection, view: str, column: str) -> None:
    """Makes one column of a view wrong by one."""
    columns = {c["name"]: c["type"] for c in sa.inspect(connection).get_columns(view)}
    kind = columns[column].compile(connection.dialect).lower()
    wrong = BY_ONE.get(kind.split("(")[0].split(" ")[0], "{c} + 1").format(c=f"q.{column}")
    shown = ", ".join(f"cast({wrong} as {kind}) as {name}" if name == column else f"q.{name}" for name in columns)
    connection.exec_driver_sql(f"create or replace view {view} as select {shown} from (\n{BODIES[view]}\n) as q")


@pytest.mark.parametrize("view", view_names())
def test_a_view_holds_what_the_sales_say_and_each_column_of_it_counts(owner: sa.Connection, view: str) -> None:
    days = newest_days(owner)
    assert days is not None
    right = compared(owner, view, days)
    assert right.rows > 0
    assert right.differing == 0
    unseen = []
    for column in [c["name"] for c in sa.inspect(owner).get_columns(view)]:
        change(owner, view, column)
        if compared(owner, view, days).differing == 0:
            unseen.append(column)
    assert unseen == []


def test_verify_says_which_view_is_wrong(sold: Engines) -> None:
    """The case that passed: count(*) + 1 in one body."""
    view, body = "sales_by_hour", BODIES["sales_by_hour"]
    assert verification.verify(sold).is_good
    try:
        with sold.owner.begin() as connection:
            wrong = body.replace("count(*) filter (where not is_return) as", "count(*) + 1 as")
            connection.exec_driver_sql(f"create or replace view {view} as {wrong}")
        result = verification.verify(sold)
    finally:
        with sold.owner.begin() as connection:
            connection.exec_driver_sql(f"create or replace view {view} as {body}")
    assert not result.is_good
    assert [problem.split(":")[0] for problem in result.problems] == [
        f"The view {view} on the master does not hold what the sales say"
    ]
