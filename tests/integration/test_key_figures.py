"""A key figure reads as its unit says, whichever metric it is of."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest

from tests.examples import CAKE, LATTE, sale
from workbench.connection import Workbench
from workbench.dashboards.kpis import KpiTile
from workbench.errors import MetricError
from workbench.filters import Filters
from workbench.metrics import METRICS
from workbench.metrics.definitions import MEASURES

DAYS = {"date_from": date(2026, 5, 1), "date_to": date(2026, 5, 31)}
SHOWN = {
    "revenue": "USD\N{NO-BREAK SPACE}10.70",
    "sales": "1",
    "items_sold": "3",
    "average_sale": "USD\N{NO-BREAK SPACE}10.70",
    "discount_given": "USD\N{NO-BREAK SPACE}0.50",
    "discount_rate": "4.5%",
    "customers": "1",
    "new_customers": "1",
    "items_per_sale": "3.00",
    "returns": "USD\N{NO-BREAK SPACE}0.00",
    "return_rate": "0.0%",
}


def shown(workbench: Workbench, name: str) -> str:
    """The figure that a tile of this metric has drawn."""
    tile = type(f"Tile_{name}", (KpiTile,), {"title": name, "metric": name})(
        workbench, Filters(period="custom", **DAYS)
    )
    moment = tile.feed.moment()
    tile.take(moment, tile.fetch(moment))
    found = re.search(r'<p class="figure number">(.*?)</p>', tile.card.text)
    assert found is not None
    return found[1]


def test_a_measure_that_makes_no_sense_costs_its_own_tile_and_says_so(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    workbench.sales().create(sale(), uuid4())
    monkeypatch.setitem(MEASURES, "items_sold", replace(MEASURES["items_sold"], expression="sum(itms)"))
    assert shown(workbench, "revenue") == SHOWN["revenue"]
    with pytest.raises(MetricError, match="items_sold as sum\\(itms\\)"):
        shown(workbench, "items_sold")


def test_each_metric_reads_as_its_unit_says(workbench: Workbench) -> None:
    assert shown(workbench, "discount_rate") == "–"  # of no sales there is none
    workbench.sales().create(sale(lines=[{**LATTE, "discount": "0.50"}, CAKE]), uuid4())
    assert SHOWN.keys() == METRICS.keys()
    assert {name: shown(workbench, name) for name in METRICS} == SHOWN
