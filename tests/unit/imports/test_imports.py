"""Files of sales as tables of texts, and verdicts of their rows that are the form's."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import pytest

from workbench import locale
from workbench.accounts.actor import Actor
from workbench.errors import ImportRefused, SaleRefused, field_label
from workbench.imports.mapping import FIELDS, NEEDED, FileMapping, found_out
from workbench.imports.reading import tabulate
from workbench.imports.verdicts import judge
from workbench.sales.models import parse_sale
from workbench.sales.rights import Rights

ADMIN = Rights(Actor("ann"), None, 2)
HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
LINE = "7001,9A,TIN MUG,6,12/31/2010 8:26,2.55,70050.0,Elsewhere"
WHO = {"store_id": "1", "cashier_id": "2", "payment_method": "Cash"}


@pytest.fixture
def database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def read(
    database: duckdb.DuckDBPyConnection, path: Path, content: str | bytes, mapping: FileMapping | None = None
) -> tuple[Sequence[str], FileMapping]:
    """The columns of a file, and the mapping that is found out."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    table = tabulate(database, path, path.name)
    given = (mapping or FileMapping(defaults=WHO)).with_guesses(table.columns)
    return table.columns, found_out(database, table.columns, given)


def verdicts(
    database: duckdb.DuckDBPyConnection, names: Sequence[str], mapping: FileMapping, rights: Rights = ADMIN
) -> dict[int, tuple[str, str]]:
    judge(database, names, mapping, "hash", rights)
    return {
        row: (kind, reason)
        for row, kind, reason in database.execute("from verdict select row, kind, reason").fetchall()
    }


def test_columns_are_known_by_name_and_days_by_what_can_be_no_month(
    database: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    names, mapping = read(database, tmp_path / "a.csv", f"{HEAD}\n{LINE}\n")
    assert mapping.columns["unit_price"] == "UnitPrice" and mapping.columns["invoice"] == "InvoiceNo"
    assert (mapping.decimals, mapping.dates) == (".", "month first")
    assert verdicts(database, names, mapping) == {}
    sold = database.execute("from header select transaction_time, total_amount::varchar, customer_id").fetchall()
    assert sold == [(datetime(2010, 12, 31, 8, 26), "15.30", 70050)]


def test_a_date_that_may_be_two_is_asked_about(database: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    names, mapping = read(database, tmp_path / "a.csv", f"{HEAD}\n{LINE.replace('/31/', '/1/')}\n")
    with pytest.raises(ImportRefused, match="days or months come first"):
        mapping.refuse(names)


GERMAN = "Beleg;Artikelnr;Bezeichnung;Menge;Datum;Einzelpreis;Rabatt\nR1;7;Grüße €;2;31.12.25 14:30;1.234,50;0,50\n"


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig", "utf-16"])
def test_semicolons_decimal_commas_and_other_encodings_are_found_out(
    database: duckdb.DuckDBPyConnection, tmp_path: Path, encoding: str
) -> None:
    names, mapping = read(database, tmp_path / "a.csv", GERMAN.encode(encoding))
    assert (mapping.decimals, mapping.dates) == (",", "day first")
    assert verdicts(database, names, mapping) == {}
    sold = database.execute(
        "from line select product_name, quantity, unit_price::varchar, total_price::varchar"
    ).fetchall()
    assert sold == [("Grüße €", 2, "1234.50", "2468.50")]


def test_excel_and_parquet_give_the_same_sale(database: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Invoice No", "SKU", "Product", "Qty", "Date", "Price", "Customer"])
    book.active.append([7001, "9A", "TIN MUG", 6, datetime(2010, 12, 31, 8, 26), 0.1 + 0.2, 70050.0])
    book.save(tmp_path / "excel")  # what a file is, is told by its content
    database.execute(
        "copy (select 7001 as invoice, '9A' as sku, 'TIN MUG' as product, 6 as quantity, 0.1::double + 0.2 as price,"
        " timestamp '2010-12-31 08:26:00' as time, 70050::double as customer)"
        f" to '{tmp_path / 'parquet'}' (format parquet)"
    )
    for name in ("excel", "parquet"):
        table = tabulate(database, tmp_path / name, name)
        mapping = found_out(database, table.columns, FileMapping(defaults=WHO).with_guesses(table.columns))
        assert verdicts(database, table.columns, mapping) == {}
        sold = database.execute("from header select transaction_time, total_amount::varchar, customer_id").fetchall()
        assert sold == [(datetime(2010, 12, 31, 8, 26), "1.80", 70050)]


def _packed(tmp_path: Path) -> bytes:
    with zipfile.ZipFile(tmp_path / "packed", "w") as packed:
        packed.writestr("a.txt", "no sheet")
    return (tmp_path / "packed").read_bytes()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\x7fELF\x02\0\0\0" * 50, "no text, no Excel file and no Parquet file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "protected by a password"),
        (b"\x1f\x8b\x08\0", "unpack it"),
        (b"PK\3\4 and no more", "cannot be read as an Excel file"),
        (b"PAR1 and no more", "damaged"),
        (b"sales\n1\n2\n", "one column, 'sales'"),
        (HEAD.encode(), "no rows"),
        (b'a,b\n1,"' + b"x" * 200_000, "cannot be read as CSV"),
    ],
)
def test_what_cannot_be_read_says_why(
    database: duckdb.DuckDBPyConnection, tmp_path: Path, content: bytes, said: str
) -> None:
    with pytest.raises(ImportRefused, match=said) as refused:
        read(database, tmp_path / "a.csv", content)
    assert "Error" not in str(refused.value) and str(tmp_path) not in str(refused.value)


@pytest.mark.parametrize("kind", ["csv", "csv by rows", "xlsx", "parquet"])
def test_what_has_no_rows_leaves_what_was_read_before(
    database: duckdb.DuckDBPyConnection, tmp_path: Path, kind: str
) -> None:
    read(database, tmp_path / "a.csv", f"{HEAD}\n{LINE}\n")
    path = tmp_path / "empty"
    path.write_text("a,b\n\n" if kind == "csv by rows" else "a,b\n")
    if kind == "parquet":
        path.unlink()
        database.execute(f"copy (select 1 as a, 2 as b limit 0) to '{path}' (format parquet)")
    if kind == "xlsx":
        book = openpyxl.Workbook()
        book.worksheets[0].append(["a", "b"])
        book.save(path)
    with pytest.raises(ImportRefused, match="no rows"):
        tabulate(database, path, path.name)
    assert database.execute("select c1 from raw").fetchall() == [("9A",)]


def test_a_packed_file_of_another_kind_is_no_excel_file(database: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="cannot be read as an Excel file"):
        read(database, tmp_path / "a.xlsx", _packed(tmp_path))


def test_rows_of_another_length_are_refused_by_themselves_and_names_are_made_different(
    database: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    wide, short = "7002" + LINE[4:] + ",1,2", "7003,9A"
    lines = [HEAD.replace("Country", "UnitPrice"), LINE, wide, "", short, '7004,9A,"a ""b"""' + LINE.split("MUG")[1]]
    names, mapping = read(database, tmp_path / "a.csv", "\n".join(lines))
    assert names[-1] == "UnitPrice (2)"
    assert verdicts(database, names, mapping) == {
        3: ("Row", "This row has 10 columns and not 8"),
        5: ("Row", "This row has 2 columns and not 8"),
    }


def test_a_wrong_mapping_names_what_is_wrong() -> None:
    names = HEAD.split(",")
    for mapping, said in (
        (FileMapping(columns={"quantity": "Menge"}), "no column 'Menge'"),
        (FileMapping(columns={"colour": "Country"}), "no field 'colour'"),
        (FileMapping().with_guesses(names), "Cashier ID, Store ID, Payment Method"),
        (FileMapping(decimals="x"), "decimal sign"),
        (
            FileMapping(columns=dict.fromkeys(set(NEEDED) - {"unit_price"}, names[0]), defaults={"line_total": "9"}),
            "line total needs a column of the file",
        ),
    ):
        with pytest.raises(ImportRefused, match=said):
            mapping.refuse(names)


def test_a_sale_is_taken_whole_and_has_one_customer(database: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    free = LINE.replace("2.55", "0")
    other = "7002" + LINE[4:]
    names, mapping = read(
        database,
        tmp_path / "a.csv",
        "\n".join([HEAD, LINE, free, other, other.replace("70050", "70051"), LINE.replace("7001", "")]),
    )
    found = verdicts(database, names, mapping)
    assert {row: kind for row, (kind, _) in found.items()} == {
        2: "With its invoice", 3: "Unit Price", 4: "Row", 5: "Row", 6: "Invoice number",
    }  # fmt: skip
    assert "several customers" in found[4][1] and "Row 3 of invoice 7001" in found[2][1]


def test_the_total_of_a_line_stands_for_the_price_of_one(database: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    head = HEAD.replace("UnitPrice", "Total")
    totals = ["15.30", "10.00", "", "free", "-15.30", "15.3", "$1,530.00"]
    rows = [f"{number}{LINE[4:].replace('2.55', total)}" for number, total in enumerate(totals, 8001)]
    rows[-1] = rows[-1].replace("$1,530.00", '"$1,530.00"')
    back = f"C1{LINE[4:].replace('2.55', '-5.10').replace(',6,', ',-2,')}"
    names, mapping = read(database, tmp_path / "a.csv", "\n".join([head, *rows, back]))
    assert mapping.columns["line_total"] == "Total" and "unit_price" not in mapping.columns
    mapping.refuse(names)
    found = verdicts(database, names, mapping)
    assert found == {
        3: (
            "Line total",
            "Line total 10.00 does not divide by 6 to the cent: give the price of one, or split the row",
        ),
        4: ("Line total", "Line total is missing: give what was paid for the line"),
        5: ("Line total", "Line total 'free' cannot be used: give an amount such as 12.50"),
        6: ("Line total", "Line total -15.30 and quantity 6 are of different signs: in a return both are below zero"),
    }
    saved = database.execute("from line select row, quantity, unit_price, total_price order by row").fetchall()
    assert saved == [
        (row, 6, Decimal(price), Decimal(price) * 6) for row, price in ((2, "2.55"), (7, "2.55"), (8, "255"))
    ]
    assert database.execute("select unit_price, value from typed where row = 9").fetchone() == ("2.55", Decimal("-5.1"))


def test_a_discount_comes_to_the_total_and_a_file_with_prices_too_keeps_those(
    database: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    head, line = f"{HEAD.replace('UnitPrice', 'Total')},Discount", LINE.replace("2.55", "10.00")
    names, mapping = read(database, tmp_path / "a.csv", f"{head}\n{line},5.30")
    assert verdicts(database, names, mapping) == {}
    assert database.execute("from line select unit_price, total_price").fetchall() == [(Decimal("2.55"), Decimal("10"))]
    both = FileMapping().with_guesses(("Price", "Total"))
    assert both.columns == {"unit_price": "Price"}
    with pytest.raises(ImportRefused, match="Unit price and line total are both chosen"):
        FileMapping(columns={"unit_price": "Price", "line_total": "Total"}).refuse(("Price", "Total"))


def test_a_return_needs_a_number_of_its_own(database: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    back = LINE.replace(",6,", ",-1,")
    rows = [HEAD, LINE, back, "C2" + back[4:].replace("2.55", "0")]
    names, mapping = read(database, tmp_path / "a.csv", "\n".join(rows))
    found = verdicts(database, names, mapping)
    assert {row: kind for row, (kind, _) in found.items()} == dict.fromkeys((2, 3, 4), "Return")
    assert "sells and takes back" in found[2][1]
    assert "Unit Price '0' cannot be used" in found[4][1]


def test_an_editor_gets_no_more_than_the_form_gives(database: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    names, mapping = read(database, tmp_path / "a.csv", f"{HEAD}\n{LINE}\n")
    late = Rights(Actor("eve", "editor"), datetime(2011, 1, 1), 2)
    kind, reason = verdicts(database, names, mapping, late)[2]
    assert kind == "Role" and "This sale is of 2010-12-31" in reason
    of_two = Rights(Actor("eve", "editor", frozenset({2})), None, 2)
    assert verdicts(database, names, mapping, of_two)[2][0] == "Role"


def test_days_of_a_file_are_read_by_its_mapping_and_not_as_they_are_typed_here(
    database: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    rows = [
        LINE.replace("12/31/2010", day).replace("7001", str(n)) for n, day in enumerate(("05/06/2026", "05/13/2026"))
    ]
    names, mapping = read(database, tmp_path / "a.csv", "\n".join([HEAD, *rows]) + "\n")
    locale.use_locale("en_US")
    try:
        found = verdicts(database, names, replace(mapping, dates="day first"))
    finally:
        locale.use_locale("")
    assert list(found) == [3] and "as the days of this file are written" in found[3][1]


POOLS = {
    "transaction_time": ["2026-05-31 14:30:00", "2026-05-31 14:30", "2026-05-31T14:30:00", "2026-05-31 14:30:00+02:00",
                         "1999-12-31 10:00", "soon", "2026-02-30 10:00", ""],
    "cashier_id": ["7", "007", "7.0", "0", "-1", "2147483647", "2147483648", "7.5", "x", ""],
    "store_id": ["3", "3.00", "1234567890123", ""],
    "payment_method": ["Cash", "x" * 50, "x" * 51, "a\u202eb", ""],
    "customer_id": ["", "70050.0", "1234567890123", "none"],
    "product_code": ["A1", "x" * 51, "\u00a0A1", "a\u200eb", "=1+1", ""],
    "product_name": ["Tea", "Tee, grün", "日本茶", "x" * 256, "a\\tb\\N", ""],
    "category": ["", "Hot", "x" * 101],
    "quantity": ["1", "2.0", "0", "2.5", "1e3", "999999999", "9999999999", "+2", "½"],
    "unit_price": ["2.50", "2", "2.5", "0.01", "0", "2.555", "2.5500", "3,50", "1,234", "1,234.50", "99999999.99",
                   "123456789.00", "NaN", "Infinity", "1e2", ".5", ""],
    "discount": ["", "0", "0.50", "-1", "999999", "0.005", "x"],
}  # fmt: skip


def test_each_verdict_is_the_forms(database: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Of rows that are nearly right, as nothing else reaches the limits; what is taken has the form's values too."""
    chance = random.Random(7)
    rows = []
    for _ in range(4_000):
        row = {name: pool[0] for name, pool in POOLS.items()}
        for name in chance.sample(sorted(POOLS), chance.choice([0, 1, 1, 2])):
            row[name] = chance.choice(POOLS[name])
        rows.append(row)
    path = tmp_path / "rows.csv"
    names = list(POOLS)
    content = "\n".join(["\t".join(names), *("\t".join(row[name] for name in names) for row in rows)])
    path.write_text(content + "\n", encoding="utf-8")
    table = tabulate(database, path, path.name, delimiter="\t")
    mapping = FileMapping(columns={name: name for name in names}, decimals=".", dates="year first")
    found = verdicts(database, table.columns, mapping)
    saved = {
        row: texts
        for row, *texts in database.execute(
            "from header as h join line as l using (sale) select row, transaction_time, cashier_id, store_id,"
            " payment_method, customer_id, product_code, product_name, category, quantity, unit_price, l.discount"
        ).fetchall()
    }
    plain = database.execute("select count(*) from sale where is_plain").fetchone()
    assert plain is not None and 1_000 < plain[0] < len(rows), "both ways are taken"
    for number, row in enumerate(rows, start=2):
        header = {name: row[name] for name in names[:5]}
        try:
            if not row["transaction_time"]:
                raise SaleRefused([])
            # an amount with groups is read by the file's decimal sign
            line = {name: row[name] for name in names[5:]} | {"unit_price": row["unit_price"].replace("1,234", "1234")}
            made = parse_sale(header | {"lines": [line]})
        except SaleRefused as error:
            assert number in found and number not in saved, row
            for field in error.fields:
                name = field.field.split(".")[-1]
                assert field_label(name) in found[number][1] and field.allowed in found[number][1]
        else:
            assert number not in found, (row, found[number])
            item = made.lines[0]
            assert saved[number] == [
                made.transaction_time, made.cashier_id, made.store_id, made.payment_method, made.customer_id,
                item.product_code, item.product_name, item.category, item.quantity, item.unit_price, item.discount,
            ]  # fmt: skip


def test_all_fields_of_a_sale_can_be_mapped() -> None:
    assert set(FIELDS) == set(POOLS) | {"invoice", "line_total"}
