"""Effects: the change of a product's revenue, taken apart exactly."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from tests.examples import CAKE, LATTE, sale
from workbench.connection import Workbench
from workbench.database.positions import wait_for_replica
from workbench.database.replication import ReadPosition
from workbench.metrics import Source, Where
from workbench.metrics.insights import effects

MAY, JUNE = Where(date(2026, 5, 1), date(2026, 5, 31)), Where(date(2026, 6, 1), date(2026, 6, 30))


def test_quantity_price_and_discount_are_the_whole_change(workbench: Workbench) -> None:
    sales: list[tuple[str, list[dict[str, Any]]]] = [
        ("2026-05-03 10:00", [LATTE | {"quantity": 3, "unit_price": "3.50", "discount": "0.50"}, CAKE]),
        ("2026-06-03 10:00", [LATTE | {"quantity": 2, "unit_price": "3.60", "discount": "0.00"}]),
        ("2026-06-04 10:00", [LATTE | {"quantity": 2, "unit_price": "4.00", "discount": "1.00"}]),
        ("2026-06-05 10:00", [{**CAKE, "product_code": "NEW", "product_name": "New", "discount": "0.20"}]),
    ]
    for at, lines in sales:
        workbench.sales().create(sale(transaction_time=at, lines=lines), uuid4())
    assert wait_for_replica(workbench.engines)
    found = effects(Source(workbench.reader, ReadPosition()), JUNE, MAY).value
    rows = {row.product_code: row for row in found.itertuples()}
    latte = rows[LATTE["product_code"]]
    # 10.00 became 14.20: one more at 3.50; 15.20 instead of four at 3.50; 1.00 instead of 0.50 off.
    assert (latte.before, latte.revenue) == (Decimal("10.00"), Decimal("14.20"))
    parts = (latte.quantity_effect, latte.price_effect, latte.discount_effect)
    assert parts == (Decimal("3.50"), Decimal("1.20"), Decimal("-0.50"))
    assert rows[CAKE["product_code"]].quantity_effect == Decimal("-4.20")
    new = rows["NEW"]
    assert (new.product_name, new.before) == ("New", Decimal("0.00"))
    assert (new.quantity_effect, new.price_effect, new.discount_effect) == (Decimal("4.20"), 0, Decimal("-0.20"))
    for row in rows.values():
        assert row.quantity_effect + row.price_effect + row.discount_effect == row.revenue - row.before


@pytest.mark.parametrize(("now", "before"), [(JUNE, MAY), (MAY, JUNE)])
def test_without_sales_there_are_no_rows(workbench: Workbench, now: Where, before: Where) -> None:
    assert effects(Source(workbench.reader, ReadPosition()), now, before).value.empty
