"""The catalogue: who writes it, what is refused, what the log keeps, and who reads customers' names."""

from __future__ import annotations

import asyncio
import csv
from contextlib import closing
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from tests.conftest import on_a_thread, wait_until
from tests.examples import LATTE, sale
from tests.integration.test_sales import as_input
from workbench.accounts.actor import Actor
from workbench.catalogue import KINDS, Catalogue
from workbench.catalogue.names import KnownNames
from workbench.connection import Workbench
from workbench.dashboards.bars import RevenueByStore
from workbench.dashboards.feed import Feed
from workbench.database.engines import Engines
from workbench.database.positions import wait_for_replica
from workbench.database.replication import Reader, ReadPosition
from workbench.errors import (
    AlreadyUndone,
    EntryConflict,
    EntryInUse,
    EntryNotFound,
    EntryRefused,
    ImportRefused,
    ReportError,
    RoleRefused,
    SaleRefused,
)
from workbench.filters import Filters, chips
from workbench.forms.item_entry import ItemEntry
from workbench.forms.item_line import KnownProducts
from workbench.forms.sale_columns import page_rows
from workbench.forms.sale_history import history_html
from workbench.imports import FileMapping, ImportFile
from workbench.imports.entries import judge, write
from workbench.live import Live
from workbench.metrics import Source, Where
from workbench.metrics.sale_pages import newest_sales, write_sales
from workbench.reports import ReportData
from workbench.reports.freeze import in_words
from workbench.sales.doubts import doubts
from workbench.sales.service import Sales
from workbench.sample import load, undo
from workbench.sample.entries import fill, take_back

STORE, CASHIER, PRODUCT, PRICE = (KINDS[name] for name in ("store", "cashier", "product", "product_price"))
CUSTOMER = KINDS["customer"]
LISBON = {"store_id": "3", "store_name": "Rossio", "city": "Lisbon", "opened_on": "2019-04-01"}


@pytest.fixture
def catalogue(engines: Engines, reader: Reader) -> Catalogue:
    return Catalogue(engines, reader, ReadPosition(), Actor("ann", "admin"))


def test_what_is_saved_is_read_from_the_replica_at_once(catalogue: Catalogue) -> None:
    saved = catalogue.create(STORE, LISBON)
    found = catalogue.find_all(STORE)
    assert found.engine == "replica"
    assert found.value == [saved]
    assert saved.values["opened_on"] == date(2019, 4, 1)
    assert saved.values["region"] is None
    assert catalogue.create(STORE, LISBON) == saved, "the same again is there already"
    with pytest.raises(EntryRefused, match="ID 3 cannot be used: there is a store of it already"):
        catalogue.create(STORE, LISBON | {"store_name": "Chiado"})


def test_an_entry_that_moved_on_is_not_overwritten(catalogue: Catalogue) -> None:
    loaded = catalogue.create(STORE, LISBON)
    theirs = catalogue.update(STORE, LISBON | {"city": "Lisboa"}, loaded.version)
    assert theirs.version > loaded.version
    with pytest.raises(EntryConflict, match="Store 3 was changed meanwhile. Nothing was overwritten.") as refused:
        catalogue.update(STORE, LISBON | {"city": "Porto"}, loaded.version)
    assert refused.value.theirs == theirs
    with pytest.raises(EntryConflict):
        catalogue.delete(STORE, (3,), loaded.version)
    catalogue.delete(STORE, (3,), theirs.version)
    catalogue.create(STORE, LISBON)
    with pytest.raises(EntryConflict):  # a version is never given twice, so that this is not the one that was loaded
        catalogue.update(STORE, LISBON | {"city": "Porto"}, loaded.version)
    with pytest.raises(EntryNotFound, match="Store 4 is not in the catalogue"):
        catalogue.delete(STORE, (4,), 1)


def test_the_log_has_who_when_and_from_what_to_what_and_is_only_added_to(
    catalogue: Catalogue, engines: Engines
) -> None:
    made = catalogue.create(STORE, LISBON)
    catalogue.update(STORE, LISBON | {"city": "Lisboa"}, made.version)
    newest, first = catalogue.log(STORE, (3,)).value
    assert (newest.actor, newest.operation, newest.changed) == ("ann", "update", {"city": ("Lisbon", "Lisboa")})
    assert (first.operation, first.before, first.entry_key) == ("insert", None, "3")
    catalogue.update(STORE, LISBON | {"city": "Lisboa"}, made.version)
    assert len(catalogue.log().value) == 2, "what changes nothing is not logged"
    for statement in ("update catalogue_log set actor = 'x'", "delete from catalogue_log", "truncate catalogue_log"):
        with engines.owner.begin() as connection, pytest.raises(DBAPIError, match="only added to"):
            connection.exec_driver_sql(statement)


def test_a_change_is_taken_back_once_unless_it_was_changed_since(catalogue: Catalogue) -> None:
    made = catalogue.create(STORE, LISBON)
    changed = catalogue.update(STORE, LISBON | {"city": "Porto"}, made.version)
    catalogue.undo(catalogue.log().value[0].log_id)
    assert catalogue.find(STORE, (3,)).values == made.values
    undone, entry = catalogue.log().value[:2]
    assert (undone.undoes, entry.is_undone) == (entry.log_id, True)
    with pytest.raises(AlreadyUndone):
        catalogue.undo(entry.log_id)
    with pytest.raises(EntryConflict):  # it is no longer as it was made
        catalogue.undo(catalogue.log().value[-1].log_id)
    now = catalogue.find(STORE, (3,))
    assert now.version > changed.version
    catalogue.delete(STORE, (3,), now.version)
    catalogue.undo(catalogue.log().value[0].log_id)
    assert catalogue.find(STORE, (3,)).values == made.values


def test_a_change_is_taken_back_that_was_logged_before_a_column_came(catalogue: Catalogue) -> None:
    stored = catalogue.create(PRODUCT, {"product_code": "C-LAT", "product_name": "Latte"})
    catalogue.delete(PRODUCT, ("C-LAT",), stored.version)
    with catalogue.engines.owner.begin() as connection:
        connection.exec_driver_sql("alter table catalogue_log disable trigger catalogue_log_is_kept")
        connection.exec_driver_sql("update catalogue_log set before = before - 'unit'")
        connection.exec_driver_sql("alter table catalogue_log enable always trigger catalogue_log_is_kept")
    catalogue.undo(catalogue.log().value[0].log_id)
    assert catalogue.find(PRODUCT, ("C-LAT",)).values == stored.values


def test_prices_go_with_their_product_and_come_back_one_by_one(catalogue: Catalogue) -> None:
    latte = catalogue.create(PRODUCT, {"product_code": "C-LAT", "product_name": "Caffè Latte", "category": "Coffee"})
    for day, price in (("2026-01-01", "3,20"), ("2026-06-01", "3.50")):
        catalogue.create(PRICE, {"product_code": "C-LAT", "valid_from": day, "list_price": price})
    assert [entry.values["list_price"] for entry in catalogue.find_all(PRICE).value] == [
        Decimal("3.20"),
        Decimal("3.50"),
    ]
    catalogue.delete(PRODUCT, ("C-LAT",), latte.version)
    assert catalogue.find_all(PRICE).value == []
    gone = catalogue.log().value[:3]
    assert [entry.operation for entry in gone] == ["delete"] * 3
    for entry in sorted(gone, key=lambda entry: entry.kind):  # the product first
        catalogue.undo(entry.log_id)
    assert len(catalogue.find_all(PRICE).value) == 2


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        (STORE, {"store_id": "x", "store_name": " "}, "Store ID 'x' cannot be used.*; Store Name is missing"),
        (STORE, LISBON | {"time_zone": "Europe/Nowhere"}, "a time zone such as Europe/Lisbon"),
        (STORE, LISBON | {"opened_on": "1/4/2019"}, "a day such as 2026-05-31"),
        (STORE, LISBON | {"closed_on": "2018-01-01"}, "must not be before it opened, 2019-04-01"),
        (STORE, LISBON | {"store_name": "a\u202eb"}, "RIGHT-TO-LEFT OVERRIDE"),
        (STORE, LISBON | {"store_name": "a" * 101}, "at most 100 characters"),
        (STORE, LISBON | {"colour": "red"}, "no such field"),
        (CASHIER, {"cashier_id": "301", "cashier_name": "Ana", "store_id": "9"}, "must be in the catalogue already"),
        (PRICE, {"product_code": "A", "valid_from": "2026-01-01", "list_price": "1"}, "in the catalogue already"),
        (PRICE, {"product_code": "A", "valid_from": "2026-01-01", "list_price": "0.005"}, "an amount such as 12.50"),
        (PRICE, {"product_code": "A", "valid_from": "2026-01-01", "list_price": "NaN"}, "an amount such as 12.50"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(catalogue: Catalogue, kind: object, given: dict, said: str) -> None:
    with pytest.raises(EntryRefused, match=said):
        catalogue.create(kind, given)
    assert catalogue.log().value == []


def test_a_store_that_cashiers_name_stays(catalogue: Catalogue) -> None:
    store = catalogue.create(STORE, LISBON)
    catalogue.create(CASHIER, {"cashier_id": 301, "cashier_name": "Ana", "store_id": 3})
    with pytest.raises(EntryInUse, match="Store 3 has cashiers"):
        catalogue.delete(STORE, (3,), store.version)


def test_many_are_saved_at_once_or_none(catalogue: Catalogue) -> None:
    catalogue.create(STORE, LISBON)
    rows = [STORE.parse({"store_id": number, "store_name": f"Store {number}"}) for number in range(1, 5)]
    rows.append(STORE.parse(LISBON))
    done = catalogue.save_all(STORE, rows[:2] + rows[3:])
    assert (done.new, done.changed, done.same) == (3, 0, 1)
    assert catalogue.save_all(STORE, rows[:4]).changed == 1
    orphans = [CASHIER.parse({"cashier_id": n, "cashier_name": "Ana", "store_id": n}) for n in (1, 99)]
    with pytest.raises(EntryRefused, match="in the catalogue already"):
        catalogue.save_all(CASHIER, orphans)
    assert catalogue.find_all(CASHIER).value == []


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_admins_alone_write_and_see_customers(catalogue: Catalogue, role: str) -> None:
    stored = catalogue.create(STORE, LISBON)
    other = Catalogue(catalogue.engines, catalogue.reader, ReadPosition(), Actor("eve", role))
    log_id = catalogue.log().value[0].log_id
    for act in (
        lambda: other.create(STORE, LISBON | {"store_id": 4}),
        lambda: other.update(STORE, LISBON | {"city": "Porto"}, stored.version),
        lambda: other.delete(STORE, (3,), stored.version),
        lambda: other.save_all(STORE, []),
        lambda: other.undo(log_id),
        lambda: other.find_all(CUSTOMER),
        lambda: other.find(CUSTOMER, (1,)),
    ):
        with pytest.raises(RoleRefused, match="needs the role admin"):
            act()
    assert catalogue.find_all(STORE).value == other.find_all(STORE).value == [stored]


def test_customers_names_are_in_no_log_and_not_for_the_reader(catalogue: Catalogue, engines: Engines) -> None:
    made = catalogue.create(CUSTOMER, {"customer_id": 77, "customer_name": "Maria Secret"})
    catalogue.update(CUSTOMER, {"customer_id": 77, "customer_name": "Maria Hidden"}, made.version)
    assert catalogue.find_all(CUSTOMER).value[0].values["customer_name"] == "Maria Hidden"
    with engines.owner.connect() as connection:
        logged = connection.execute(sa.text("select l::text from catalogue_log as l")).scalars().all()
    assert len(logged) == 2
    assert "Maria" not in str(logged)
    with pytest.raises(AlreadyUndone, match="no names of customers"):
        catalogue.undo(catalogue.log().value[0].log_id)
    for engine in (engines.master_reader, engines.replica, engines.master):
        with engine.connect() as connection, pytest.raises(DBAPIError, match="permission denied"):
            connection.exec_driver_sql("select customer_name from customer")


def test_the_samples_catalogue_is_the_same_each_time_changes_nothing_and_goes_with_the_last_load(
    catalogue: Catalogue,
) -> None:
    engines = catalogue.engines
    mine = catalogue.create(STORE, LISBON)
    load(engines, 50, actor="ann")
    assert fill(engines, "ann") > 100
    assert fill(engines, "ann") == 0
    assert catalogue.find(STORE, (3,)) == mine
    stores = {entry.values["store_id"]: entry.values["store_name"] for entry in catalogue.find_all(STORE).value}
    assert len(stores) == len(set(stores.values())) == 12
    units = {entry.values["product_code"]: entry.values["unit"] for entry in catalogue.find_all(PRODUCT).value}
    assert all(units.values()) and (units["COF-001"], units["CLD-007"], units["DES-901"]) == ("cup", "bottle", "slice")
    with engines.owner.connect() as connection:
        sold = sa.text(
            "select product_code, unit_price, transaction_time::date from sales_item join sales_transaction"
            " using (transaction_id) except select product_code, list_price, day::date from (select p.*,"
            " lead(valid_from) over (partition by product_code order by valid_from) as until from product_price as p)"
            " as p, generate_series(valid_from, coalesce(until - 1, now()::date + 1), '1 day') as day"
        )
        assert connection.execute(sold).all() == [], "all was sold at the list price of its day"
    assert take_back(engines, "ann") == 0, "while there are sample sales"
    undo(engines, actor="ann")
    take_back(engines, "ann")
    assert wait_for_replica(engines)
    assert [entry for kind in (STORE, CASHIER, PRODUCT, PRICE) for entry in catalogue.find_all(kind).value] == [mine]


def test_names_are_joined_to_figures_and_files_and_follow_the_catalogue(
    catalogue: Catalogue, workbench: Workbench, tmp_path: Path
) -> None:
    workbench.sales(actor="ann").create(sale(), uuid4())
    live = Live(workbench, seconds=0.02)
    live.names.refresh()
    feed = Feed(workbench, Filters(period="all", stores=[3]), live)
    tile = RevenueByStore(feed)
    frame = tile.frame()
    assert tile.names(frame) == ["Store 3"]
    assert list(tile.for_file(frame).columns) == list(frame.columns)
    stored = catalogue.create(STORE, LISBON)
    catalogue.create(STORE, LISBON | {"store_id": 4})
    revision = live.revision
    live.start()
    try:
        wait_until(lambda: tile.names(frame) == ["Rossio (3)"], "two stores of one name, told apart")
        assert live.revision > revision
        assert [chip.text for chip in chips(feed.filters, live.names.now.by_dimension)] == ["Store: Rossio (3)"]
        catalogue.update(STORE, LISBON | {"store_name": "<b>"}, stored.version)
        wait_until(lambda: tile.names(frame) == ["<b>"], "the other name")
    finally:
        live.stop()
    assert tile.for_file(frame)["store_name"].tolist() == ["<b>"]
    source = Source(workbench.reader, workbench.read_position)
    write_sales(source, Where(), tmp_path / "a.csv", live.names.now.by_dimension)
    head, row = csv.reader((tmp_path / "a.csv").read_text("utf-8-sig").splitlines())
    assert dict(zip(head, row, strict=True)).items() >= {"store_id": "3", "store_name": "<b>"}.items()
    shown = page_rows(newest_sales(source, Where(), 1).value, names=live.names.now)
    assert shown["store_id"].tolist() == ['<span class="named" data-id="0000000003" title="Store 3">&lt;b&gt;</span>']


def test_reports_histories_and_covers_have_names_too(catalogue: Catalogue, workbench: Workbench) -> None:
    catalogue.create(STORE, LISBON | {"store_name": "<b>"})
    sales = workbench.sales(workbench.read_position, "ann")
    stored = sales.create(sale(store_id=5), uuid4())
    assert wait_for_replica(workbench.engines)
    data = ReportData(workbench)
    assert data.named(data.ask(["sales"], by=["store"])).to_dict("records") == [{"store": "5", "sales": 1}]
    with pytest.raises(ReportError, match=r"no sale in .*, store 3 \(<b>\), 4\."):
        data.sold(Where(stores=(3, 4)))
    sales.update(stored.transaction_id, 1, as_input(sales.get(stored.transaction_id).value, store_id=3), uuid4())
    assert data.named(data.ask(["sales"], by=["store"])).to_dict("records") == [{"store": "<b>", "sales": 1}]
    known = KnownNames(workbench.reader).now
    assert in_words(Where(stores=(3, 4)), known)["Stores"] == "<b>, 4"
    told = history_html(sales.history(stored.transaction_id).value, workbench.clock, names=known)
    assert "<td>Store</td><td>5</td><td>&lt;b&gt;</td>" in told


def test_a_file_of_entries_has_a_verdict_for_each_row_and_is_saved_whole(catalogue: Catalogue, tmp_path: Path) -> None:
    catalogue.create(STORE, LISBON)
    catalogue.create(STORE, LISBON | {"store_id": 4})
    path = tmp_path / "stores.csv"
    path.write_text(
        "Store;Name;Opened;Colour\n3;Rossio;2019-04-01;red\n4;Chiado;;\n5;Baixa;;\nx;;;\n5;Alfama;;\n", encoding="utf-8"
    )
    found = judge(catalogue, STORE, path)
    assert [verdict.kind for verdict in found.verdicts] == ["there already", "changed", "new", "refused", "refused"]
    assert found.unused == ("Colour",)
    assert "Store ID 'x' cannot be used" in found.refused[0].reason
    assert "Store 5 is in the file with other content" in found.refused[1].reason
    with pytest.raises(ImportRefused, match="2 rows are refused"):
        write(catalogue, STORE, found)
    assert write(catalogue, STORE, found, accepted_only=True).new == 1
    assert judge(catalogue, STORE, path).totals == {"there already": 3, "refused": 2}
    chiado = catalogue.find(STORE, (4,))
    assert (chiado.values["city"], chiado.values["opened_on"]) == ("Lisbon", None)  # it has no column for the city
    path.write_text("store_id,store_name\n4,Estrela\n")
    found = judge(catalogue, STORE, path)
    catalogue.update(STORE, chiado.values | {"city": "Porto"}, chiado.version)
    with pytest.raises(ImportRefused, match="Store 4 changed since the file was checked"):
        write(catalogue, STORE, found)
    assert catalogue.find(STORE, (4,)).values["city"] == "Porto"
    path.write_text("cashier_id,cashier_name,store_id\n301,Ana,3\n901,Rui,9\n")
    assert [verdict.kind for verdict in judge(catalogue, CASHIER, path).verdicts] == ["new", "refused"]
    path.write_text("cashier_id,store_id\n301,3\n")
    with pytest.raises(ImportRefused, match="has no column cashier_name: Cashiers have"):
        judge(catalogue, CASHIER, path)
    eve = Catalogue(catalogue.engines, catalogue.reader, ReadPosition(), Actor("eve", "editor"))
    with pytest.raises(RoleRefused):
        judge(eve, CASHIER, path)


def set_to(workbench: Workbench, unknown_ids: str) -> Sales:
    """The service of an editor where the setting says so."""
    settings = workbench.engines.settings.model_copy(update={"workbench_unknown_ids": unknown_ids})
    engines = replace(workbench.engines, settings=settings)
    return Sales(engines, Reader(engines), ReadPosition(), "ann")


def test_a_sale_of_what_is_not_listed_is_asked_about_refused_or_allowed(
    catalogue: Catalogue, workbench: Workbench
) -> None:
    stored = set_to(workbench, "refuse").create(sale(store_id=9), uuid4())  # while the catalogue has no store
    catalogue.create(STORE, LISBON)
    catalogue.create(PRODUCT, {"product_code": "C-LAT", "product_name": "Latte"})
    wait_for_replica(workbench.engines)
    strange = sale(transaction_time="2026-05-31 14:30:00", store_id=9)
    found = {
        name: doubts((sales := set_to(workbench, name)).reader, sales.read_position, sales.clock, strange)
        for name in ("ask", "refuse", "allow")
    }
    assert found["ask"] == ["Store 9 is not in the catalogue.", "Product D-CHE is not in the catalogue."]
    assert found["refuse"] == found["allow"] == []
    refusing = set_to(workbench, "refuse")
    with pytest.raises(SaleRefused, match="Store ID '9' cannot be used: it is not in the catalogue") as refused:
        refusing.create(strange, uuid4())
    assert {error.field for error in refused.value.fields} == {"store_id", "lines.1.product_code"}
    refusing.update(stored.transaction_id, stored.version, sale(store_id=9, cashier_id=302), uuid4())  # as it was sold
    set_to(workbench, "ask").create(strange, uuid4())
    opened = sale(transaction_time="2026-05-31 14:30:00", store_id=3, cashier_id=302, lines=[LATTE])
    asking = set_to(workbench, "ask")
    assert doubts(asking.reader, asking.read_position, asking.clock, opened) == [], (
        "a new store is known before it sells"
    )


def test_an_import_asks_about_what_is_not_listed_or_refuses_it(
    catalogue: Catalogue, workbench: Workbench, tmp_path: Path
) -> None:
    catalogue.create(STORE, LISBON)
    path = tmp_path / "till.csv"
    path.write_text("invoice,store_id,product_code,product_name,quantity,date,unit_price\n")
    with path.open("a") as file:
        file.writelines(f"{n},{store},A,Tea,1,2026-05-0{n} 10:00,2.50\n" for n, store in ((1, 3), (2, 9)))
    for name, refused, doubt in (("ask", 0, True), ("refuse", 1, False), ("allow", 0, False)):
        with closing(ImportFile(set_to(workbench, name).engines, path, path.name, "ann")) as opened:
            opened.read(FileMapping(defaults={"cashier_id": "301", "payment_method": "Cash"}))
            found = opened.dry_run()
        assert found.refused == refused, name
        assert ("Store 9 is not in the catalogue." in found.doubts) == doubt, name


def test_the_form_takes_the_list_price_of_the_day_and_says_when_another_is_typed(
    catalogue: Catalogue, workbench: Workbench
) -> None:
    catalogue.create(PRODUCT, {"product_code": "C-LAT", "product_name": "Latte", "category": "Coffee", "unit": "cup"})
    for day, price in (("2026-01-01", "3.20"), ("2026-06-01", "3.50")):
        catalogue.create(PRICE, {"product_code": "C-LAT", "valid_from": day, "list_price": price})
    known = KnownNames(workbench.reader)
    wait_until(lambda: known.refresh() or known.now.list_price("C-LAT", date(2026, 7, 1)), "both prices")
    names = known.now
    assert [names.list_price("C-LAT", day) for day in (date(2025, 12, 31), date(2026, 5, 31))] == [
        None,
        Decimal("3.20"),
    ]
    entry = ItemEntry(workbench.sales(), lambda _line, _row: None, None, lambda: names, lambda: date(2026, 5, 31))
    entry.fields.fill({"product_code": "C-LAT"})
    on_a_thread(lambda: asyncio.run(entry.complete()))
    assert [entry.fields.text(name) for name in ("product_name", "category", "unit_price")] == [
        "Latte",
        "Coffee",
        "3.20",
    ]
    price = entry.fields.widgets["unit_price"]
    assert price.helper_text == "List price 3.20 for one cup"
    entry.fields.fill({"unit_price": "3,00"})
    assert price.helper_text == "List price 3.20 for one cup: this is 0.20 less"
    products = KnownProducts(lambda: names)
    found = {day: products.read("latt", day)[1] for day in (date(2026, 5, 31), date(2026, 6, 1), date(2025, 12, 31))}
    assert [[each.unit_price for each in known] for known in found.values()] == [
        [Decimal("3.20")],
        [Decimal("3.50")],
        [None],
    ]
