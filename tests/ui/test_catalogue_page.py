"""Page "Catalogue": an entry from its first letter over a conflict to its deletion and back."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.examples import HOSTILE
from tests.ui.conftest import visit
from tests.ui.test_sales_page import button
from workbench.accounts.actor import Actor
from workbench.catalogue import KINDS, Catalogue
from workbench.database.engines import Engines
from workbench.database.replication import Reader, ReadPosition


def test_an_entry_is_made_changed_by_two_deleted_and_taken_back(app: str, page: Page, engines: Engines) -> None:
    catalogue, store = Catalogue(engines, Reader(engines), ReadPosition(), Actor("bob")), KINDS["store"]
    visit(page, f"{app}/catalogue")
    expect(page.get_by_text("0 stores")).to_be_visible()
    button(page, "New store").click()
    expect(page.get_by_label("Store ID")).to_be_focused()
    page.keyboard.type("three")
    page.get_by_label("Store Name").fill(HOSTILE)
    page.keyboard.press("Enter")
    expect(page.get_by_text("'three' cannot be used: it must be a whole number such as 7")).to_be_visible()
    page.get_by_label("Store ID").fill("3")
    page.get_by_label("City").fill("Lisbon")
    button(page, "Save").click()
    expect(page.get_by_text("Store 3 is saved.")).to_be_visible()
    expect(page.get_by_role("gridcell", name=HOSTILE)).to_be_visible()
    assert page.evaluate("window.__x") is None

    button(page, "Edit").click()
    page.get_by_label("Region").fill("South")
    stored = catalogue.find(store, (3,))
    catalogue.update(store, stored.values | {"city": "Porto"}, stored.version)
    button(page, "Save").click()
    expect(page.get_by_text("Store 3 was changed meanwhile. Nothing was overwritten.")).to_be_visible()
    expect(page.get_by_role("row", name="City Lisbon Porto Lisbon")).to_be_visible()
    button(page, "Keep mine").click()
    expect(page.get_by_label("City")).to_have_value("Porto")
    button(page, "Save").click()
    expect(page.get_by_text("Store 3 is saved.")).to_be_visible()
    expect(page.get_by_role("gridcell", name="South")).to_be_visible()
    assert catalogue.find(store, (3,)).values["city"] == "Porto"

    button(page, "Edit").click()
    button(page, "Delete this store").click()
    expect(page.get_by_text("Delete Store 3?")).to_be_visible()
    button(page, "Delete").click()
    expect(page.get_by_text("0 stores")).to_be_visible()
    page.get_by_label("Change", exact=True).click()
    page.get_by_role("option", name="3 deleted by").click()
    button(page, "Take this change back").click()
    expect(page.get_by_text("It is as before that change.")).to_be_visible()
    expect(page.get_by_text("1 store", exact=True)).to_be_visible()
    expect(page.get_by_role("row", name="which takes back change")).to_contain_text("Store 3 made")

    button(page, "From a file").click()
    page.get_by_label("File of stores").set_input_files(
        {
            "name": "a.csv",
            "mimeType": "text/csv",
            "buffer": b"ID,Name,City,Rent\n3,Rossio,Lisbon,9\nx,<b>,,\n4,Baixa,,\n",
        }
    )
    expect(page.get_by_text("3 rows: 1 new, 1 changed, 1 refused.")).to_be_visible()
    expect(page.get_by_text("Not used: Rent.")).to_be_visible()
    expect(page.get_by_role("row", name="'x' cannot be used")).to_be_visible()
    expect(button(page, "Import all")).to_be_hidden()
    button(page, "Import the accepted rows").click()
    expect(page.get_by_text("1 new, 1 changed, 0 there already, 1 row left out.")).to_be_visible()
    expect(page.get_by_text("2 stores", exact=True)).to_be_visible()
    page.get_by_label("File of stores").set_input_files(
        {"name": "b.csv", "mimeType": "text/csv", "buffer": b"City,Region\nLisbon,South\n"}
    )
    expect(page.get_by_text("b.csv has no column store_id: Stores have store_id, store_name, city")).to_be_visible()

    page.get_by_role("tab", name="Customers").click()
    expect(page.get_by_text("0 customers")).to_be_visible()
    button(page, "New customer").click()
    page.get_by_label("Customer ID").fill("77")
    page.get_by_label("Customer Name").fill("Maria")
    button(page, "Save").click()
    expect(page.get_by_role("gridcell", name="Maria")).to_be_visible()
    expect(page.get_by_text("names are not logged")).to_be_visible()
