"""Ringing up a sale by keyboard: the item line, the basket, the keys it takes, and what is typed wrong."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect

from tests.examples import CAKE, HOSTILE, LATTE
from tests.ui.conftest import visit, watched_page
from tests.ui.test_sales_page import RIGHT_END, basket, button, create, fill, open_tab, said, stored, tab
from workbench.connection import Workbench

TEA = LATTE | {"product_code": "4006381333931", "product_name": "Green Tea", "category": "Tea", "unit_price": "2.80"}
FOCUS_RING = """() => {
  let at = document.activeElement
  while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement
  const style = getComputedStyle(at)
  return [style.outlineStyle, parseFloat(style.outlineWidth)]
}"""


class Keys:
    """Presses keys, and counts them; a letter is one, Ctrl+Enter two."""

    def __init__(self, page: Page) -> None:
        self._page, self.pressed = page, 0

    def type(self, text: str) -> None:
        self._page.keyboard.type(text)
        self.pressed += len(text)

    def press(self, keys: str) -> None:
        self._page.keyboard.press(keys)
        self.pressed += len(keys.split("+"))


def line(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Item")


def sold(workbench: Workbench, *lines: dict[str, Any]) -> None:
    create(workbench, lines=list(lines or (LATTE, CAKE, TEA)))


def at_the_line(page: Page, app: str) -> None:
    visit(page, f"{app}/sales?tab=add")
    expect(line(page)).to_be_focused()


def cells(page: Page) -> list[list[str]]:
    """Name, quantity, unit price and discount of each row of the basket."""
    return [
        [row.locator(".product").inner_text(), *(field.input_value() for field in row.locator("input").all())]
        for row in basket(page).all()
    ]


def test_three_items_are_sold_with_at_most_25_keys_and_no_mouse(app: str, page: Page, workbench: Workbench) -> None:
    sold(workbench)
    at_the_line(page, app)
    keys = Keys(page)
    for text in ("2 lat", "chee", "tea"):
        keys.type(text)
        keys.press("Enter")
    expect(basket(page)).to_have_count(3)
    keys.press("Control+Enter")
    expect(page.get_by_label("Cashier ID")).to_be_focused()  # it is missing
    keys.type("301")
    keys.press("Tab")
    keys.type("3")
    keys.press("Control+Enter")
    said(page, "Transaction 2 created: 4 items on 3 lines, USD 14.00")
    assert keys.pressed <= 25, keys.pressed
    expect(line(page)).to_be_focused()
    keys = Keys(page)  # cashier and store stay
    for text in ("2 lat", "chee", "tea"):
        keys.type(text)
        keys.press("Enter")
    keys.press("Control+Enter")
    said(page, "Transaction 3 created: 4 items on 3 lines, USD 14.00")
    assert keys.pressed <= 17, keys.pressed
    after = stored(workbench, 3)
    assert (after.cashier_id, after.store_id, after.payment_method) == (301, 3, "Cash")
    assert [(each.product_code, each.quantity, each.category) for each in after.lines] == [
        ("C-LAT", 2, "Coffee"),
        ("D-CHE", 1, "Dessert"),
        ("4006381333931", 1, "Tea"),
    ]
    button(page, "Clear").click()
    expect(page.get_by_label("Cashier ID")).to_have_value("")


def test_quick_keys_of_a_scanner_are_each_taken_once_and_in_order(app: str, page: Page, workbench: Workbench) -> None:
    codes = [f"40063813339{number:02}" for number in range(12)]
    sold(workbench, *(TEA | {"product_code": code, "product_name": f"Tea {code[-2:]}"} for code in codes))
    at_the_line(page, app)
    scanned = [*codes, codes[3], "9999999999999", codes[0], "8888888888888", codes[5]]
    page.keyboard.type("".join(f"{code}\n" for code in scanned))  # without a pause
    expect(basket(page)).to_have_count(12)
    expect(basket(page).nth(5).locator("input").first).to_have_value("2")
    twice = {codes[3], codes[0], codes[5]}
    assert cells(page) == [[f"Tea {code[-2:]}", "2" if code in twice else "1", "2.80", ""] for code in codes]
    expect(page.get_by_label("Product Code")).to_have_value("9999999999999")  # the first that nobody knows
    expect(page.get_by_text("“8888888888888” waits until the item in the details is added")).to_be_visible()
    fill(page, Product_Name="New", Unit_Price="1")
    button(page, "Add item").click()
    expect(page.get_by_label("Product Code")).to_have_value("8888888888888")
    button(page, "Clear item").click()
    expect(page.get_by_label("Product Code")).not_to_be_visible()
    expect(page.get_by_text("16 items on 13 lines")).to_be_visible()


def test_suggestions_stand_below_the_line_and_are_walked_by_keys(app: str, page: Page, workbench: Workbench) -> None:
    sold(workbench, LATTE, LATTE | {"product_code": "C-LAX", "product_name": "Latte Macchiato"})
    at_the_line(page, app)
    expect(line(page)).to_have_attribute("aria-expanded", "false")
    page.keyboard.type("3 x latte")
    options = page.get_by_role("listbox", name="Products").get_by_role("option")
    expect(options).to_have_text(["3 × C-LAX · Latte Macchiato · USD 3.50", "3 × C-LAT · Caffè Latte · USD 3.50"])
    expect(line(page)).to_have_attribute("aria-expanded", "true")
    expect(line(page)).to_have_attribute("aria-activedescendant", "option-0")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    expect(line(page)).to_have_attribute("aria-activedescendant", "option-1")
    field, offered = line(page).bounding_box(), page.get_by_role("listbox").bounding_box()
    below = page.get_by_text("No items yet.").bounding_box()
    assert field and offered and below
    assert field["y"] + field["height"] <= offered["y"] and offered["y"] + offered["height"] <= below["y"]
    page.keyboard.press("Enter")
    expect(page.get_by_text("3 × Caffè Latte: in the basket.")).to_be_visible()
    page.keyboard.type("C-LAT\n")
    expect(page.get_by_text("1 × Caffè Latte: in the basket, 4 now.")).to_be_visible()
    page.keyboard.type("c-lat 3.00\n")  # another price is another row
    expect(basket(page)).to_have_count(2)
    expect(page.get_by_text("Total USD 17.00")).to_be_visible()


def test_rows_are_changed_where_they_stand(app: str, page: Page, workbench: Workbench) -> None:
    sold(workbench)
    at_the_line(page, app)
    page.keyboard.type("latte\ncheese\n")
    expect(basket(page)).to_have_count(2)
    quantity = page.get_by_label("Quantity: Caffè Latte")
    button(page, "One more: Caffè Latte").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(quantity).to_have_value("3")
    assert page.evaluate(FOCUS_RING) == ["solid", 2]
    button(page, "One less: Caffè Latte").click()
    expect(quantity).to_have_value("2")
    quantity.press("ArrowUp")
    expect(quantity).to_have_value("3")
    quantity.fill("4")
    quantity.press("Enter")
    expect(line(page)).to_be_focused()
    page.get_by_label("Unit Price: Caffè Latte").fill("3,00")
    page.get_by_label("Discount: Caffè Latte").fill("USD 2")
    expect(page.get_by_text("Total USD 14.20")).to_be_visible()
    page.get_by_label("Discount on the sale").fill("10 %")
    expect(page.get_by_text("Total USD 12.78")).to_be_visible()
    expect(page.get_by_text("+ 1.00 of the sale's")).to_be_visible()
    fill(page, Cashier_ID="301", Store_ID="3")
    page.keyboard.press("Control+Enter")
    said(page, "Transaction 2 created: 5 items on 2 lines, USD 12.78")
    assert [(str(each.discount), str(each.total_price)) for each in stored(workbench, 2).lines] == [
        ("3.00", "9.00"),
        ("0.42", "3.78"),
    ]
    button(page, "Repeat last sale").click()
    expect(basket(page)).to_have_count(2)
    expect(page.get_by_text("Total USD 12.78")).to_be_visible()
    button(page, "Remove Caffè Latte").click()
    expect(button(page, "Remove Cheesecake")).to_be_focused()
    for _ in range(3):  # the discount on the sale, then buttons of the form
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUS_RING) == ["solid", 2]


def test_what_the_line_cannot_take_is_in_the_details(app: str, page: Page, workbench: Workbench) -> None:
    sold(workbench)
    at_the_line(page, app)
    for typed, beside in (
        ("0 latte", "'0' cannot be used: it must be more than 0"),
        ("-1", "'-1' cannot be used: it must be more than 0"),
        ("1e9", "'1e9' cannot be used: it must be a whole number"),
        ("latte € 3,50", "'€ 3,50' cannot be used: it must be an amount such as 12.50"),
        ("nosuch", "This is missing: please fill it in"),
    ):
        line(page).focus()
        page.keyboard.type(f"{typed}\n")
        expect(page.get_by_role("alert").filter(has_text=f"“{typed}” is")).to_be_visible()
        expect(page.get_by_text(beside, exact=True).first).to_be_visible()
        values = [
            page.get_by_label(label, exact=True).input_value() for label in ("Product Code", "Quantity", "Unit Price")
        ]
        assert any(each and each in typed for each in values)
        expect(basket(page)).to_have_count(0)
        page.keyboard.press("Control+Enter")
        expect(page.get_by_text("This item is not in the basket yet.")).to_be_visible()
        button(page, "Clear item").click()
        expect(page.get_by_text("This item is not in the basket yet.")).not_to_be_visible()


def test_what_a_row_cannot_take_is_said_beside_it_and_kept(app: str, page: Page, workbench: Workbench) -> None:
    sold(workbench)
    at_the_line(page, app)
    page.keyboard.type("latte\n")
    fill(page, Cashier_ID="301", Store_ID="3")
    for label, text, beside in (
        ("Quantity", "0", "'0' cannot be used: it must be more than 0"),
        ("Quantity", "-1", "'-1' cannot be used: it must be more than 0"),
        ("Quantity", "1e9", "'1e9' cannot be used: it must be a whole number"),
        ("Unit Price", "€ 3,50", "'€ 3,50' cannot be used: it must be an amount such as 12.50"),
        ("Discount", "3.51", "'3.51' cannot be used: it must not be more than quantity times unit price, 3.50"),
        ("Discount on the sale", "3.51", "'3.51' cannot be used: it must not be more than the items cost, 3.50"),
    ):
        field = page.get_by_label(label if "sale" in label else f"{label}: Caffè Latte", exact=True)
        before = field.input_value()
        field.fill(text)
        page.keyboard.press("Control+Enter")
        expect(page.get_by_text(beside)).to_be_visible()
        expect(field).to_have_value(text)
        expect(field).to_be_focused()
        field.fill(before)
    for text, shown in (("1 234,50", "1234.50"), ("USD 3.50", "3.50"), ("$3,50", "3.50")):  # as they are pasted
        price = page.get_by_label("Unit Price: Caffè Latte")
        price.fill(text)
        price.press("Enter")
        expect(price).to_have_value(shown)
    page.keyboard.press("Control+Enter")
    said(page, "Transaction 2 created: 1 item, USD 3.50")


def test_a_full_basket_comes_back_after_the_session_has_ended(app: str, browser: Browser, workbench: Workbench) -> None:
    sold(workbench)
    with watched_page(browser) as page:
        at_the_line(page, app)
        page.keyboard.type("2 latte\ncheese\nnosuch\n0 tea\n")
        expect(page.get_by_text("“0 tea” waits")).to_be_visible()
        page.get_by_label("Discount on the sale").fill("5 %")
        page.get_by_label("Unit Price: Cheesecake").fill("four")
        line(page).fill("half ty")
        page.wait_for_function("() => Object.values(sessionStorage).some((text) => text.includes('half ty'))")
        kept = page.evaluate("() => ({...sessionStorage})")
    with watched_page(browser) as page:
        page.add_init_script(f"Object.assign(sessionStorage, {json.dumps(kept)})")
        visit(page, f"{app}/sales?tab=add")
        expect(line(page)).to_have_value("half ty")
        assert [row[:2] for row in cells(page)] == [["Caffè Latte", "2"], ["Cheesecake", "1"]]
        expect(page.get_by_label("Unit Price: Cheesecake")).to_have_value("four")
        expect(page.get_by_label("Discount on the sale")).to_have_value("5 %")
        expect(page.get_by_label("Product Code")).to_have_value("nosuch")
        expect(page.get_by_text("“0 tea” waits")).to_be_visible()
        tab(page, "Edit")
        tab(page, "Add Transaction")
        expect(line(page)).to_have_value("half ty")


def test_a_sale_that_is_in_two_tabs_is_saved_once(app: str, browser: Browser, workbench: Workbench) -> None:
    sold(workbench)
    with watched_page(browser) as page:
        at_the_line(page, app)
        fill(page, Cashier_ID="301", Store_ID="3")
        line(page).fill("2 latte")
        line(page).press("Enter")
        expect(basket(page)).to_have_count(1)
        page.wait_for_function("() => Object.values(sessionStorage).some((text) => text.includes('C-LAT'))")
        kept = page.evaluate("() => ({...sessionStorage})")  # as a browser copies it into a tab that is duplicated
        page.keyboard.press("Control+Enter")
        said(page, "Transaction 2 created")
    for is_changed in (False, True):
        with watched_page(browser) as page:
            page.add_init_script(f"Object.assign(sessionStorage, {json.dumps(kept)})")
            visit(page, f"{app}/sales?tab=add")
            expect(basket(page)).to_have_count(1)
            if is_changed:
                button(page, "One more: Caffè Latte").click()
                expect(page.get_by_text("Total USD 10.50")).to_be_visible()
            page.keyboard.press("Control+Enter")
            said(page, "was saved as transaction 2" if is_changed else "Transaction 2 created")
            expect(basket(page)).to_have_count(1 if is_changed else 0)
    with workbench.engines.master_reader.connect() as connection:
        assert connection.exec_driver_sql("select count(*) from sales_transaction").scalar_one() == 2


def test_a_receipt_is_printed_80_mm_wide_and_is_only_text(app: str, browser: Browser, workbench: Workbench) -> None:
    sold(workbench, LATTE | {"product_name": HOSTILE})
    with watched_page(browser) as page:
        at_the_line(page, app)
        page.evaluate("""() => {
          const load = Object.getOwnPropertyDescriptor(HTMLIFrameElement.prototype, "contentWindow").get
          Object.defineProperty(HTMLIFrameElement.prototype, "contentWindow", {get() {
            return {print: () => { window.printed = this.contentDocument.documentElement.outerHTML }}
          }})
        }""")
        page.keyboard.type("2 img\n")
        fill(page, Cashier_ID="301", Store_ID="3")
        page.get_by_label("Discount on the sale").fill("0.70")
        page.keyboard.press("Control+Enter")
        said(page, "Transaction 2 created")
        button(page, "Print receipt").click()
        page.wait_for_function("() => window.printed")
        printed = page.evaluate("window.printed")
        assert page.evaluate("window.__x") is None
    with watched_page(browser) as roll:
        roll.set_content(printed)
        expect(roll.locator("body")).to_contain_text(re.compile(r"Store 3.*Time: \d{4}-.*Payment: Cash.*Cashier: 301"))
        expect(roll.locator("body")).to_contain_text("Transaction: 2")
        expect(roll.get_by_text(HOSTILE)).to_be_visible()
        expect(roll.locator("tfoot")).to_contain_text("Discount-0.70Total USD 6.30".replace(" USD", "USD"))
        page_box = re.search(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", roll.pdf(prefer_css_page_size=True))
        assert page_box and abs(float(page_box[1]) / 72 * 25.4 - 80) < 1
        assert roll.evaluate("document.documentElement.scrollWidth") <= 1280


def test_a_phone_rings_up_without_scrolling_sideways(app: str, browser: Browser, workbench: Workbench) -> None:
    sold(workbench, LATTE, CAKE | {"product_name": "Cheesecake with a name that is longer than others"})
    with watched_page(browser, viewport={"width": 390, "height": 844}) as page:
        open_tab(page, app, "Add Transaction")
        line(page).fill("latte")
        line(page).press("Enter")
        line(page).fill("cheese")
        page.get_by_role("option").click()
        expect(basket(page)).to_have_count(2)
        page.get_by_label("Quantity: Caffè Latte").fill("0")
        line(page).fill("c")
        expect(page.get_by_role("option")).to_have_count(2)
        expect(page.get_by_text("'0' cannot be used")).to_be_visible()
        for width in (390, 360):
            page.set_viewport_size({"width": width, "height": 844})
            page.wait_for_function("(width) => innerWidth === width", arg=width)
            assert page.evaluate(RIGHT_END) <= width
            assert page.evaluate("document.documentElement.scrollWidth") <= width
