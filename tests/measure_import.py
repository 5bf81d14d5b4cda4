"""How long an import of 100,000 rows takes, beside COPY of the same rows: ``python -m tests.measure_import``."""

from __future__ import annotations

import io
import random
import tempfile
import time
from pathlib import Path

from tests.conftest import running_pair
from workbench.database.engines import Engines, connect
from workbench.imports import FileMapping, ImportFile, write

ROWS = 100_000
WHO = {"store_id": "1", "cashier_id": "101", "payment_method": "Cash"}
TABLES = {
    "sales_transaction": "transaction_id, transaction_time, cashier_id, store_id, payment_method, total_amount,"
    " total_discount, customer_id, return_of",
    "sales_item": "transaction_id, product_code, product_name, category, quantity, unit_price, discount, total_price",
}


def main() -> None:
    """Prints seconds and how many times those of COPY they are; the machine's other work counts in both."""
    with running_pair("measure") as settings, tempfile.TemporaryDirectory() as folder:
        engines, path = connect(settings), Path(folder) / "sales.csv"
        _fill(path)
        began = time.perf_counter()
        file = ImportFile(engines, path, path.name)
        file.read(FileMapping(defaults=WHO))
        file.dry_run()
        checked = time.perf_counter()
        write(file)
        done = time.perf_counter()
        copied = min(_copy(engines) for _ in range(3))
        file.close()
        engines.dispose()
    print(f"read and checked {checked - began:.2f} s, written {done - checked:.2f} s, COPY {copied:.2f} s:", end=" ")
    print(f"all {(done - began) / copied:.1f} times COPY, writing {(done - checked) / copied:.1f} times")


def _fill(path: Path) -> None:
    chance, rows, invoice = random.Random(1), list[str](), 0
    while len(rows) < ROWS:
        invoice += 1
        time_of = f"{chance.randint(1, 12)}/{chance.randint(1, 28)}/2010 {chance.randint(8, 20)}:30"
        for _ in range(chance.randint(1, 8)):
            item, price = chance.randint(1, 4000), chance.randint(1, 2000) / 100
            rows.append(f"{invoice},S{item},PRODUCT NUMBER {item},{chance.randint(1, 24)},{time_of},{price},,Elsewhere")
    head = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
    path.write_text("\n".join([head, *rows[:ROWS]]) + "\n")


def _copy(engines: Engines) -> float:
    """Seconds of COPY of both tables' rows into others like them, with their indexes; these are dropped again."""
    seconds = 0.0
    with engines.owner.connect() as connection:
        for table, columns in TABLES.items():
            connection.exec_driver_sql(f"create table scratch_{table} (like {table} including all)")
            text, driver = io.BytesIO(), connection.connection.driver_connection
            assert driver is not None
            with driver.cursor() as cursor:
                cursor.copy_expert(f"copy {table} ({columns}) to stdout", text)
                text.seek(0)
                began = time.perf_counter()
                cursor.copy_expert(f"copy scratch_{table} ({columns}) from stdin", text, 1 << 20)
                seconds += time.perf_counter() - began
        connection.rollback()
    return seconds


if __name__ == "__main__":
    main()
