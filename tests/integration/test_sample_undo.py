"""Sample sales and real ones are told apart, and one load is taken back: exactly its sales, nobody's work unasked."""

from __future__ import annotations

from uuid import uuid4

import pytest
import sqlalchemy as sa

from tests.examples import sale
from workbench.connection import Workbench
from workbench.database.engines import Engines
from workbench.errors import RealSales, SampleChanged, WorkbenchError
from workbench.sales.models import parse_return
from workbench.sample import load, loads, refuse_real, undo


def ids(engines: Engines) -> list[int]:
    with engines.owner.connect() as connection:
        left = connection.exec_driver_sql("select transaction_id from sales_transaction order by 1").scalars()
        return list(left)


def lines_without_a_sale(engines: Engines) -> int:
    with engines.owner.connect() as connection:
        orphans = (
            "select count(*) from sales_item left join sales_transaction using (transaction_id) where version is null"
        )
        return int(connection.exec_driver_sql(orphans).scalar_one())


def test_samples_alone_are_loaded_upon_and_a_real_sale_among_them_is_noticed(workbench: Workbench) -> None:
    engines = workbench.engines
    refuse_real(engines)
    load(engines, 100)
    load(engines, 100)
    refuse_real(engines)
    made = workbench.sales().create(sale(), uuid4())
    with pytest.raises(RealSales, match="not made up: nothing was loaded"):
        refuse_real(engines)
    workbench.sales().delete(made.transaction_id, made.version, uuid4(), "rung up twice")
    refuse_real(engines)


def test_an_undo_takes_exactly_one_load_and_not_what_was_sold_meanwhile(workbench: Workbench) -> None:
    engines, sold = workbench.engines, list[int]()
    load(engines, 300)
    kept = ids(engines)

    def sell(done: int, total: int) -> None:
        if not sold:
            sold.append(workbench.sales().create(sale(), uuid4()).transaction_id)

    second = load(engines, 70_000, progress=sell)
    assert second.first_id < sold[0] < second.last_id, "it was not sold in between, so this test proves nothing"
    assert [(found.sales, found.changed) for found in loads(engines)] == [(70_000, 0), (300, 0)]
    with pytest.raises(RealSales):  # and not that it took too long
        refuse_real(engines)
    undone = undo(engines, actor="tester")
    assert (undone.sales, undone.lines) == (70_000, second.lines)
    assert ids(engines) == [*kept, *sold]
    assert lines_without_a_sale(engines) == 0
    assert [found.sales for found in loads(engines)] == [300]
    with engines.owner.connect() as connection:
        logged = connection.execute(sa.text("select actor, before from audit_log where operation = 'bulk undo'")).one()
    assert logged.actor == "tester" and logged.before["sales"] == 70_000
    undo(engines)
    assert ids(engines) == sold
    with pytest.raises(WorkbenchError, match="no such load"):
        undo(engines)


@pytest.mark.parametrize(
    "change",
    [
        "update sales_transaction set store_id = 9 where transaction_id = {}",
        "update sales_item set product_name = 'Mine' where transaction_id = {}",
        "insert into sales_item (transaction_id, product_code, product_name, quantity, unit_price, total_price)"
        " values ({}, 'A', 'A', 1, 5, 5)",
    ],
)
def test_a_sample_that_somebody_has_changed_is_not_taken_unasked(engines: Engines, change: str) -> None:
    load(engines, 200)
    before = ids(engines)
    with engines.master.begin() as connection:
        connection.exec_driver_sql(change.format(before[7]))
    refuse_real(engines)  # a changed sample is still none of the real sales
    with pytest.raises(SampleChanged, match=rf"1 of the 200 sales .*transaction {before[7]}\). Nothing was removed"):
        undo(engines)
    assert ids(engines) == before
    assert undo(engines, also_changed=True).sales == 200
    assert ids(engines) == []
    assert lines_without_a_sale(engines) == 0
    with engines.owner.connect() as connection:
        logged = "select before from audit_log where operation = 'delete' and transaction_id = {}"
        assert connection.exec_driver_sql(logged.format(before[7])).scalar_one()["lines"], "its last copy is in the log"


def test_a_sample_that_was_deleted_and_restored_is_still_one(engines: Engines, workbench: Workbench) -> None:
    load(engines, 20)
    sales, (first, *_others) = workbench.sales(), ids(engines)
    sales.delete(first, sales.get(first, for_edit=True).value.version, uuid4(), "rung up twice")
    sales.undo(first, sales.history(first).value[0].audit_id, uuid4())
    refuse_real(engines)
    assert undo(engines, also_changed=True).sales == 20


def test_a_sample_of_which_somebody_has_returned_items_is_not_taken_unasked(
    engines: Engines, workbench: Workbench
) -> None:
    """The bulk deletion looks at no foreign key: the return would name a sale that is gone."""
    load(engines, 200)
    sales = workbench.sales(actor="ana")
    sold = next(sale for sale in ids(engines) if not sales.returns(sale).value)
    left = sales.returnable(sold).value[1][0]
    line = {"product_code": left.product_code, "unit_price": left.unit_price, "quantity": 1}
    where = {"cashier_id": 1, "store_id": 1, "payment_method": "Cash"}
    back = sales.give_back(parse_return({"return_of": sold, "lines": [line], **where}), uuid4()).transaction_id
    with pytest.raises(SampleChanged, match=rf"1 of the 200 sales .*transaction {sold}\). Nothing was removed"):
        undo(engines)
    undone = undo(engines, also_changed=True)
    assert (undone.sales, ids(engines)) == (200, [])
    assert [change.kind for change in sales.history(back).value] == ["deleted", "created"]
