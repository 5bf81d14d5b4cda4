"""Files of what is shown: all rows of it, the same whoever answers, from pages, notebooks and the command line."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import openpyxl
import pytest

from tests.examples import LATTE, sale
from tests.integration.test_metrics import Shop
from workbench.connection import Workbench
from workbench.dashboards import RevenueByStore, SalesDashboard, TotalRevenue
from workbench.errors import FileRefused
from workbench.files.chromium import scripted
from workbench.filters import Filters
from workbench.metrics import Columns, SaleWhere, Source
from workbench.metrics.sale_pages import write_sales
from workbench.sales.models import parse_return

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:pandas.errors.Pandas4Warning")  # 2026-11: Bokeh's
TEA = {**LATTE, "product_code": "T-1", "product_name": '=1+1, "tea"', "category": None}


@pytest.fixture
def columns(tmp_path: Path) -> Iterator[Columns]:
    made = Columns(tmp_path / "columns", 512)
    yield made
    made.close()


@pytest.fixture
def shop(workbench: Workbench) -> Shop:
    """Thirty sales of three days, two stores and two products; some of a customer."""
    made = Shop(workbench)
    for number in range(30):
        values: dict[str, Any] = {
            "transaction_time": datetime(2026, 5, 1 + number % 3, 10, number),
            "store_id": 1 + number % 2,
            "customer_id": 7 if number % 5 == 0 else None,
            "payment_method": "=cmd|' /C calc'!A0" if number == 29 else "Cash",
        }
        made.sales.create(sale(lines=[TEA if number % 3 else LATTE], **values), uuid4())
    return made


def test_a_return_in_a_file_names_its_sale_whoever_answers(
    workbench: Workbench, shop: Shop, columns: Columns, tmp_path: Path
) -> None:
    sold = shop.sales.create(sale(transaction_time=datetime(2026, 5, 1, 9), lines=[LATTE]), uuid4()).transaction_id
    piece = {name: LATTE[name] for name in ("product_code", "unit_price")} | {"quantity": 1}
    given = {"return_of": sold, "cashier_id": 1, "store_id": 1, "payment_method": "Cash", "lines": [piece]}
    back = shop.sales.give_back(parse_return(given), uuid4()).transaction_id
    columns.refresh(workbench.reader, shop.read_position)
    for held in (columns, None):
        write_sales(Source(workbench.reader, shop.read_position, held), SaleWhere(), tmp_path / "a.csv")
        rows = csv.DictReader((tmp_path / "a.csv").read_text().splitlines())
        named = {int(row["transaction_id"]): row["return_of"] for row in rows}
        assert named[back] == str(sold) and {named[other] for other in named if other != back} == {""}
        source = Source(workbench.reader, shop.read_position, held)
        assert (
            write_sales(source, SaleWhere(), tmp_path / "a.csv", only=[back, *range(10**6, 10**6 + 9_999)]).value == 1
        )


@pytest.mark.parametrize(
    ("where", "count"),
    [
        (SaleWhere(), 30),
        (SaleWhere(stores=(1,), date_from=date(2026, 5, 2)), 10),
        (SaleWhere(product="tea", amount_from=Decimal("0.01")), 20),
        (SaleWhere(customer_id=7), 6),
        (SaleWhere(stores=(99,)), 0),
    ],
)
def test_all_sales_of_a_filter_are_written_alike_whoever_answers(
    workbench: Workbench, shop: Shop, columns: Columns, tmp_path: Path, where: SaleWhere, count: int
) -> None:
    columns.refresh(workbench.reader, shop.read_position)
    given = {"columns": columns, "database": None}
    sources = {name: Source(workbench.reader, shop.read_position, held) for name, held in given.items()}
    for name, source in sources.items():
        for ending in ("csv", "xlsx", "parquet"):
            answer = write_sales(source, where, tmp_path / f"{name}.{ending}")
            assert (answer.value, answer.engine) == (count, "replica")
    texts = {(tmp_path / f"{name}.csv").read_text() for name in sources}
    assert len(texts) == 1
    rows = list(csv.DictReader(texts.pop().splitlines()))
    assert len(rows) == count and all(not row["payment_method"].startswith("=") for row in rows)
    assert [row["transaction_time"] for row in rows] == sorted(row["transaction_time"] for row in rows)
    query = "select count(*), coalesce(sum(total_amount), 0) from read_parquet($1)"
    found = {duckdb.connect().execute(query, [str(tmp_path / f"{name}.parquet")]).fetchone() for name in sources}
    assert found == {(count, sum((Decimal(row["total_amount"]) for row in rows), Decimal(0)))}
    books = [openpyxl.load_workbook(tmp_path / f"{name}.xlsx").worksheets[0] for name in sources]
    cells = [[[cell.value for cell in row] for row in book.iter_rows()] for book in books]
    assert cells[0] == cells[1] and len(cells[0]) == count + 1
    assert all(cell.data_type != "f" for row in books[0].iter_rows() for cell in row)


def test_every_tile_and_the_whole_dashboard_are_files(workbench: Workbench, shop: Shop, tmp_path: Path) -> None:
    filters = Filters(period="custom", date_from=date(2026, 5, 1), date_to=date(2026, 5, 3), stores=[1])
    dashboard = SalesDashboard(workbench, filters)
    dashboard.feed.read_position.token = shop.read_position.token
    tiles = dashboard._every_tile()
    for tile in (*tiles, dashboard.sales.list):
        for ending in ("csv", "xlsx", "parquet"):
            tile.save(tmp_path / f"tile.{ending}")
        rows = list(csv.reader((tmp_path / "tile.csv").read_text().splitlines()))
        expected = len(tile.frame(exact=True))
        assert len(rows) - 1 == expected, tile.title
        assert openpyxl.load_workbook(tmp_path / "tile.xlsx").worksheets[0].max_row == expected + 1
    dashboard.to_excel(tmp_path / "all.xlsx")
    book = openpyxl.load_workbook(tmp_path / "all.xlsx")
    assert book.sheetnames == ["About", *(tile.title for tile in tiles)]
    cover = {row[0].value: row[1].value for row in book["About"].iter_rows()}
    assert cover["Stores"] == "1" and cover["Date from"] == "2026-05-01" and cover["Currency"] == "USD"
    assert cover["Total Revenue"].startswith("replica, as of 20")
    assert book["Total Transactions"]["A2"].value == 15
    with pytest.raises(FileRefused):
        tiles[0].save(tmp_path / "tile.doc")


def test_what_is_shown_is_a_page_that_asks_no_network_and_charts_are_pictures(
    workbench: Workbench, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filters = Filters(period="custom", date_from=date(2026, 5, 1), date_to=date(2026, 5, 3))
    dashboard = SalesDashboard(workbench, filters)
    dashboard.feed.read_position.token = shop.read_position.token
    dashboard.save(tmp_path / "all.html")
    dashboard.save(tmp_path / "all.pdf")
    assert (tmp_path / "all.pdf").read_bytes().startswith(b"%PDF")
    shown = scripted((tmp_path / "all.html").read_text(), "A page")
    body = shown[shown.rindex("<body>") :]
    assert all(f"<h2>{tile.title}</h2>" in body for tile in dashboard._every_tile())
    assert (
        body.count('role="img"') == 8 and "<dd>2026-05-01</dd>" in body and "http" not in body and "href=" not in body
    )
    assert "&lt;" not in body and "=1+1, &quot;tea&quot;" in body

    chart = RevenueByStore(workbench, filters)
    chart.save(tmp_path / "chart.png")
    chart.save(tmp_path / "chart.svg")
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")
    assert "Store 2" in (tmp_path / "chart.svg").read_text()
    with pytest.raises(FileRefused, match="shows no chart now"):
        RevenueByStore(workbench, Filters(stores=[99])).save(tmp_path / "none.svg")
    with pytest.raises(FileRefused, match=r"one of \.csv, \.xlsx, \.parquet, \.html, \.pdf\."):
        TotalRevenue(workbench, filters).save(tmp_path / "figure.png")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileRefused, match="A picture needs Chromium, which was not found"):
        chart.save(tmp_path / "chart.png")


def test_a_file_has_what_its_session_has_just_saved(workbench: Workbench, shop: Shop, tmp_path: Path) -> None:
    shop.sales.create(sale(store_id=77), uuid4())
    assert (
        write_sales(Source(workbench.reader, shop.read_position), SaleWhere(stores=(77,)), tmp_path / "a.csv").value
        == 1
    )
