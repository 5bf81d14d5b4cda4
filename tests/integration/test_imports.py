"""Sales from files: what is saved, once, by whom; what stays out, and why; and taking it back."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from tests.examples import sale
from workbench.accounts.actor import Actor
from workbench.cli import app
from workbench.cli import imports as command
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.database.engines import Engines
from workbench.errors import ImportRefused, ImportStopped, RoleRefused
from workbench.forms.sale_history import history_html
from workbench.imports import FileMapping, ImportFile, imports, keep_mapping, mappings, undo, write
from workbench.sales.history import LogFilter, find_log
from workbench.sales.models import parse_return

ADMIN, EDITOR, VIEWER = Actor("ann", "admin"), Actor("eve", "editor"), Actor("vic", "viewer")
HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
# Lines of a wholesaler of gifts, as they are published: returns as cancellations, free goods, no customer, US dates.
ROWS = """\
81001,21A,RED TEA CUP,6,12/13/2010 8:26,2.55,81050.0,Elsewhere
81001,22,"PAPER ""STAR"" \\N",6,12/13/2010 8:27,3.39,81050.0,Elsewhere
81002,21A,CUP RED TEA,2,12/13/2010 8:34,2.55,,Elsewhere
C81003,D,Discount,-1,12/13/2010 9:41,27.50,81050.0,Elsewhere
81004,23,,56,12/13/2010 11:52,0,,Elsewhere
81005,DOT,POSTAGE,1,12/13/2010 9:57,569.777,,Elsewhere
81006,24 ,CANDLE ,3,12/13/2010 10:03,0.50,8107012345678,Elsewhere
"""
WHO = FileMapping(defaults={"store_id": "3", "cashier_id": "301", "payment_method": "Cash"})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "gifts.csv"
    path.write_text(f"{HEAD}\n{ROWS}")
    return path


def opened(engines: Engines, path: Path, actor: Actor = ADMIN, mapping: FileMapping = WHO) -> ImportFile:
    """Read, and run dry."""
    made = ImportFile(engines, path, path.name, actor)
    made.read(mapping)
    made.dry_run()
    return made


def rows_of(engines: Engines, text: str) -> list[tuple[Any, ...]]:
    with engines.owner.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(text))]


SAVED = (
    "select transaction_time, store_id, customer_id, total_amount, version from sales_transaction"
    " order by transaction_id"
)


def test_each_row_has_a_verdict_and_the_accepted_sales_are_saved(engines: Engines, file: Path) -> None:
    made = opened(engines, file)
    assert made.result is not None
    assert [(total.kind, total.rows, total.value) for total in made.result.totals] == [
        ("Accepted", 3, Decimal("40.74")),
        ("Customer ID", 1, Decimal("1.50")),
        ("Product Name", 1, Decimal(0)),
        ("Return", 1, Decimal("-27.50")),
        ("Unit Price", 1, Decimal("569.777")),
    ]
    assert "higher" not in made.result.shortfall and "lower by 543.777" in made.result.shortfall
    assert "1 product code with several names (21A)." in made.result.doubts
    with pytest.raises(ImportRefused, match="4 rows of gifts.csv cannot be imported, so nothing was"):
        write(made)
    assert rows_of(engines, SAVED) == []

    done = write(made, accepted_only=True)
    assert (done.sales, done.lines, done.revenue, done.refused_rows) == (2, 3, Decimal("40.74"), 4)
    assert rows_of(engines, SAVED) == [
        (datetime(2010, 12, 13, 8, 26), 3, 81050, Decimal("35.64"), 1),
        (datetime(2010, 12, 13, 8, 34), 3, None, Decimal("5.10"), 1),
    ]
    assert ('PAPER "STAR" \\N',) in rows_of(engines, "select product_name from sales_item")


def test_the_log_and_each_sales_history_name_file_and_user(engines: Engines, workbench: Workbench, file: Path) -> None:
    done = write(opened(engines, file), accepted_only=True)
    with engines.master_reader.connect() as connection:
        (entry,) = find_log(connection, LogFilter(kind="import"), workbench.clock)
    assert (entry.actor, entry.loaded, entry.reason) == ("ann", 2, f"import {done.import_id}: gifts.csv")
    (listed,) = imports(engines)
    assert (listed.actor, listed.file_name, listed.sales, listed.sales_left, listed.revenue) == (
        "ann", "gifts.csv", 2, 2, Decimal("40.74"),
    )  # fmt: skip
    for (brought,) in rows_of(engines, "select transaction_id from sales_transaction"):
        told = workbench.sales().history(brought).value
        assert [(each.actor, each.kind, each.file_name) for each in told] == [("ann", "imported", "gifts.csv")]
        assert not told[0].can_be_undone
        assert "<td>ann</td><td>Imported from gifts.csv</td>" in history_html(told, workbench.clock)


def test_the_same_file_again_adds_nothing_and_mended_rows_add_themselves_alone(
    engines: Engines, file: Path, tmp_path: Path
) -> None:
    first = opened(engines, file)
    write(first, accepted_only=True)
    refused = tmp_path / "refused.csv"
    assert first.write_refused(refused) == 4
    again = opened(engines, file)
    assert again.result is not None and again.result.totals[0].kind == "Already imported"
    assert write(again, accepted_only=True).sales == 0
    file.write_text(f"{HEAD}\n{ROWS.replace('81002,21A,CUP RED TEA,2', '81002,21A,CUP RED TEA,5')}")
    changed = opened(engines, file).verdicts("Invoice number")
    assert "other content: import 1 (gifts.csv) brought it as transaction 2" in changed["Why"][0]

    text = refused.read_text()
    assert "'-1" in text and "at most 2 decimal places" in text
    refused.write_text(text.replace("569.777", "569.78").replace("8107012345678", ""))
    mended = opened(engines, refused)
    assert mended.write_refused(refused) == 2 and refused.read_text().count("Why refused") == 1
    assert mended.result is not None
    assert {total.kind: total.rows for total in mended.result.totals} == {"Accepted": 2, "Return": 1, "Product Name": 1}
    assert write(mended, accepted_only=True).revenue == Decimal("571.28")


BACK = "C{0},21A,RED TEA CUP,-{1},12/14/2010 9:41,2.55,81050.0,Elsewhere\n"
NET = "select return_of, total_amount from sales_transaction order by transaction_id"


def test_what_takes_back_becomes_a_return_of_its_sale_in_the_file_or_in_the_table(
    engines: Engines, file: Path, tmp_path: Path
) -> None:
    bought = "".join(ROWS.splitlines(keepends=True)[:2])
    file.write_text(f"{HEAD}\n{bought}{BACK.format(1, 2)}{BACK.format(2, 5)}")
    made = opened(engines, file)
    assert made.result is not None and (made.result.sales, made.result.returns) == (2, 1)
    assert "as many are left" in made.verdicts("Return")["Why"][0]
    write(made, accepted_only=True)
    later = tmp_path / "later.csv"
    later.write_text(f"{HEAD}\n{BACK.format(3, 4)}{BACK.format(4, 1)}{BACK.format(5, 1).replace('12/14', '12/12')}")
    assert write(opened(engines, later), accepted_only=True).sales == 1
    assert rows_of(engines, NET) == [(None, Decimal("35.64")), (1, Decimal("-5.10")), (1, Decimal("-10.20"))]
    lines = "select product_name, quantity, total_price from sales_item where quantity < 0 order by item_id"
    assert rows_of(engines, lines)[0] == ("RED TEA CUP", -2, Decimal("-5.10"))
    assert opened(engines, later).verdicts("Already imported")["InvoiceNo"].tolist() == ["C3"]

    with pytest.raises(ImportRefused, match="changed since: none was removed"):
        undo(engines, 1, actor=ADMIN)  # of its sale the other import returned items
    assert undo(engines, 2, actor=ADMIN).sales == 1
    assert undo(engines, 1, actor=ADMIN).changed == ()
    assert rows_of(engines, NET) == []


def test_without_a_customer_it_takes_back_from_a_sale_without_one(engines: Engines, file: Path, tmp_path: Path) -> None:
    nobody = BACK.replace("81050.0", "")
    bought = ROWS.splitlines(keepends=True)[2]  # two of them, by nobody
    of_somebody = ROWS.splitlines(keepends=True)[0]
    file.write_text(f"{HEAD}\n{bought}{of_somebody}{nobody.format(1, 1)}{nobody.format(2, 5)}")
    made = opened(engines, file)
    assert made.result is not None and made.result.returns == 1
    assert "one without a customer too" in made.verdicts("Return")["Why"][0]
    doubt = "1 return without a customer: each is taken back from the newest sale that fits."
    assert doubt in made.result.doubts
    write(made, accepted_only=True)
    later = tmp_path / "later.csv"
    later.write_text(f"{HEAD}\n{nobody.format(3, 1)}{nobody.format(4, 1)}")
    assert write(opened(engines, later), accepted_only=True).sales == 1
    (sold,) = rows_of(engines, "select transaction_id from sales_transaction where total_amount = 5.10")
    assert rows_of(engines, "select distinct return_of from sales_transaction where return_of is not null") == [sold]


def test_an_import_with_returns_of_its_own_sales_is_undone_whole(engines: Engines, file: Path) -> None:
    file.write_text(f"{HEAD}\n{ROWS.splitlines()[0]}\n{BACK.format(1, 2)}")
    assert write(opened(engines, file)).sales == 2
    assert undo(engines, 1, actor=ADMIN).sales == 2
    assert rows_of(engines, NET) == []


def test_of_a_sale_that_is_given_back_meanwhile_nothing_more_is_taken(
    engines: Engines, workbench: Workbench, file: Path, tmp_path: Path
) -> None:
    file.write_text(f"{HEAD}\n{ROWS.splitlines()[0]}\n")
    write(opened(engines, file))
    later = tmp_path / "later.csv"
    later.write_text(f"{HEAD}\n{BACK.format(3, 4)}")
    made = opened(engines, later)
    line = {"product_code": "21A", "unit_price": "2.55", "quantity": 5}
    given = {"return_of": 1, "cashier_id": 1, "store_id": 3, "payment_method": "Cash", "lines": [line]}
    workbench.sales(actor=ADMIN).give_back(parse_return(given), uuid4())
    with pytest.raises(ImportRefused, match="not left any more"):
        write(made)
    assert len(rows_of(engines, NET)) == 2
    workbench.sales(actor=ADMIN).delete(2, 1, uuid4(), "no")
    workbench.sales(actor=ADMIN).delete(1, 1, uuid4(), "no")
    with pytest.raises(ImportRefused, match="was deleted since the dry run"):
        write(made)


def test_a_file_without_invoice_numbers_is_known_by_itself_and_its_rows(engines: Engines, tmp_path: Path) -> None:
    path = tmp_path / "till.csv"
    path.write_text(
        "code,name,quantity,unit price,time\nA,Tea,1,2.00,2026-05-31 10:00\nA,Tea,1000,2.00,2026-05-31 10:00\n"
    )
    made = opened(engines, path)
    assert made.result is not None and "1 line of 1,000 items or more." in made.result.doubts
    assert write(made).sales == 2
    assert write(opened(engines, path)).sales == 0


def test_what_is_stopped_or_fails_saves_nothing(engines: Engines, file: Path) -> None:
    asked = []
    with pytest.raises(ImportStopped):
        write(opened(engines, file), accepted_only=True, should_stop=lambda: bool(asked.append(1)) or len(asked) > 3)

    def fail(done: int, total: int) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write(opened(engines, file), accepted_only=True, progress=fail)
    assert rows_of(engines, SAVED) == [] and imports(engines) == []
    assert rows_of(engines, "select count(*) from audit_log") == [(0,)]


def test_two_who_bring_the_same_file_at_once_do_not_bring_it_twice(engines: Engines, file: Path) -> None:
    one, other = opened(engines, file), opened(engines, file)
    write(one, accepted_only=True)
    with pytest.raises(ImportRefused, match="since the dry run"):
        write(other, accepted_only=True)
    assert len(rows_of(engines, SAVED)) == 2


def test_a_role_imports_what_it_may_record_and_an_admin_alone_undoes(engines: Engines, file: Path) -> None:
    with pytest.raises(RoleRefused, match="role editor or admin"):
        ImportFile(engines, file, file.name, VIEWER)
    with pytest.raises(RoleRefused):
        keep_mapping(engines, "mine", WHO, VIEWER)
    made = opened(engines, file, EDITOR)
    assert made.result is not None and made.result.totals[0].kind == "Role" and made.result.sales == 0
    made.actor = Actor("eve", "editor", frozenset({9}))
    with pytest.raises(ImportRefused, match="has changed since the dry run"):
        write(made, accepted_only=True)
    done = write(opened(engines, file), accepted_only=True)
    assert done.import_id is not None
    with pytest.raises(RoleRefused, match="To undo an import needs the role admin"):
        undo(engines, done.import_id, actor=EDITOR)


def test_an_editor_imports_the_sales_of_today(engines: Engines, tmp_path: Path) -> None:
    now = engines.settings.clock.now() - timedelta(minutes=1)
    path = tmp_path / "today.csv"
    path.write_text(f"code,name,quantity,unit price,time\nA,Tea,1,2.00,{now}\n")
    assert write(opened(engines, path, EDITOR)).sales == 1


def test_an_import_is_undone_but_for_what_was_changed_since_and_can_be_brought_again(
    engines: Engines, workbench: Workbench, file: Path
) -> None:
    done = write(opened(engines, file), accepted_only=True)
    assert done.import_id is not None and done.first_id is not None
    workbench.sales(actor=ADMIN).update(done.first_id, 1, sale(), uuid4())
    undone = undo(engines, done.import_id, actor=ADMIN)
    assert (undone.sales, undone.changed) == (1, (done.first_id,))
    assert [row[0] for row in rows_of(engines, "select transaction_id from sales_transaction")] == [done.first_id]
    with engines.master_reader.connect() as connection:
        (entry,) = find_log(connection, LogFilter(kind="deleted"), workbench.clock)
    assert (entry.actor, entry.reason) == ("ann", f"import {done.import_id} undone")
    kept = rows_of(
        engines, "select before -> 'lines' -> 0 ->> 'product_name' from audit_log where operation = 'delete'"
    )
    assert kept == [("CUP RED TEA",)], "the log has its last copy"
    with pytest.raises(ImportRefused, match="was undone already, by ann"):
        undo(engines, done.import_id, actor=ADMIN)
    again = write(opened(engines, file), accepted_only=True)
    assert again.sales == 1, "the changed one is still there"


def test_what_was_voided_since_does_not_come_back_with_the_same_file(
    engines: Engines, workbench: Workbench, file: Path
) -> None:
    done = write(opened(engines, file), accepted_only=True)
    assert done.first_id is not None
    workbench.sales(actor=ADMIN).delete(done.first_id, 1, uuid4(), "a double")
    assert write(opened(engines, file), accepted_only=True).sales == 0


def test_the_database_of_an_import_opens_no_other_file(engines: Engines, file: Path, tmp_path: Path) -> None:
    made = ImportFile(engines, file, "../../gifts.csv", ADMIN)
    assert made.name == "gifts.csv"
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(duckdb.Error):
        made.database.execute("from read_csv(?)", [str(other)])
    made.close()
    assert not made.folder.exists()


def test_the_command_says_by_its_exit_code_what_became_of_it(
    engines: Engines, settings: Settings, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "configured", lambda: settings)

    def run(*arguments: str) -> int:
        return CliRunner().invoke(app, ["import", *arguments]).exit_code

    who = [part for name, value in WHO.defaults.items() for part in ("--set", f"{name}={value}")]
    assert run(str(file), *who, "--dry-run", "--keep", "gifts") == 3
    assert list(mappings(engines)) == ["gifts"] and rows_of(engines, SAVED) == []
    assert run(str(file), "--map", "gifts", "--refused", str(tmp_path / "refused.xlsx")) == 3
    assert (tmp_path / "refused.xlsx").stat().st_size > 0 and rows_of(engines, SAVED) == []
    assert run(str(file), "--map", "gifts", "--accepted-only") == 3
    assert len(rows_of(engines, SAVED)) == 2
    assert run(str(file), "--set", "nonsense") == 2
    assert run(str(tmp_path / "none.csv"), *who) == 1
    file.write_text("\n".join(f"{HEAD}\n{ROWS}".splitlines()[:4]) + "\n")
    assert run(str(file), "--map", "gifts") == 0
    assert CliRunner().invoke(app, ["undo-import", "1"]).exit_code == 0
    assert rows_of(engines, SAVED) == []


def test_an_imported_sale_of_which_items_were_returned_stays(
    engines: Engines, workbench: Workbench, file: Path
) -> None:
    made = write(opened(engines, file), accepted_only=True)
    sales = workbench.sales(actor="ana")
    line = {"product_code": "22", "unit_price": "3.39", "quantity": 6}
    where = {"cashier_id": 301, "store_id": 3, "payment_method": "Cash"}
    (of,) = (row[0] for row in rows_of(engines, "select transaction_id from sales_item where product_code = '22'"))
    sales.give_back(parse_return({"return_of": of, "lines": [line], **where}), uuid4())
    assert undo(engines, made.import_id, actor=ADMIN).changed == (of,)
