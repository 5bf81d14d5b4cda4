"""axe-core finds nothing serious on any page: on a desk in the light theme, on a phone in the dark one."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.examples import LATTE
from tests.ui.conftest import visit, watched_page
from tests.ui.test_sales_page import button, create
from workbench.connection import Workbench

DESK = {"viewport": {"width": 1400, "height": 900}, "color_scheme": "light"}
PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
PAGES = ("sales", "sales?tab=add", "sales?tab=edit", "sales?tab=delete", "analytics")
PAGES += ("explore", "explore?shape=table&by=store,category", "reports", "imports", "catalogue", "changes", "pipeline")
IS_SETTLED = """() => {
  const count = (root) => [...root.querySelectorAll("*")].reduce(
    (sum, each) => sum + 1 + (each.shadowRoot ? count(each.shadowRoot) : 0), 0)
  const before = window.elements
  window.elements = count(document)
  return before === window.elements
}"""


@pytest.mark.parametrize("screen", [DESK, PHONE], ids=["desk", "phone"])
def test_nothing_serious_is_found(app: str, browser: Browser, workbench: Workbench, screen: dict[str, Any]) -> None:
    made = create(workbench, lines=[LATTE])
    found = []
    with watched_page(browser, **screen) as page:
        for name in PAGES:
            visit(page, f"{app}/{name}{f'&sale={made}' if '?' in name else ''}")
            settled(page)
            assert page.locator("html").get_attribute("data-theme") == screen["color_scheme"]
            found += faults(page, name)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("screen", [DESK, PHONE], ids=["desk", "phone"])
def test_nothing_serious_is_found_in_what_opens(
    app: str, browser: Browser, workbench: Workbench, screen: dict[str, Any]
) -> None:
    made = create(workbench, lines=[LATTE])
    with watched_page(browser, **screen) as page:
        visit(page, f"{app}/sales?tab=add")
        settled(page)
        page.get_by_label("Payment Method").click()
        expect(page.get_by_role("option", name="QRIS")).to_be_visible()
        found = faults(page, "menu")
        page.keyboard.press("Escape")
        expect(page.locator(".MuiMenu-root")).to_have_count(0)
        page.get_by_role("combobox", name="Item").fill("lat")
        expect(page.get_by_role("option").first).to_be_visible()
        found += faults(page, "suggestions")
        visit(page, f"{app}/sales?tab=delete&sale={made}")
        button(page, "Delete").click()
        expect(page.get_by_text("This is missing: please fill it in")).to_be_visible()
        found += faults(page, "refusal")
        page.locator("h1").click()
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
        found += faults(page, "shortcuts")
    assert not found, "\n".join(found)


def faults(page: Page, name: str) -> list[str]:
    """What axe-core finds of what is shown now that is serious, or wrong of its headings."""
    broken = [
        each
        for each in Axe().run(page).response["violations"]
        if each["impact"] in ("serious", "critical") or "heading" in each["id"]
    ]
    return [f"{name}: {each['help']}: {node['html'][:200]}" for each in broken for node in each["nodes"]]


def test_shortcuts_are_listed_and_their_key_can_be_switched_off(app: str, page: Page) -> None:
    visit(page, f"{app}/sales?tab=add")
    shortcuts = page.get_by_role("dialog", name="Keyboard shortcuts")
    page.get_by_label("Cashier ID").press("?")
    expect(page.get_by_label("Cashier ID")).to_have_value("?")
    expect(shortcuts).to_be_hidden()
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(shortcuts).to_contain_text("saves, from anywhere in the form")
    shortcuts.get_by_label("? opens this list").uncheck()
    page.keyboard.press("Escape")
    expect(shortcuts).to_be_hidden()
    page.keyboard.press("?")
    expect(shortcuts).to_be_hidden()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    expect(shortcuts).to_be_visible()


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_who_wants_less_motion_gets_none(app: str, browser: Browser, motion: Any) -> None:
    with watched_page(browser, reduced_motion=motion) as page:
        visit(page, f"{app}/sales?tab=add")
        clear = page.get_by_role("button", name="Clear", exact=True)
        styles = clear.evaluate("(node) => getComputedStyle(node).transitionDuration")
        assert (max(float(part.strip(" s")) for part in styles.split(",")) < 0.001) == (motion == "reduce")


def settled(page: Page) -> None:
    """Waits until the page has something that takes the keyboard, and nothing more is added to it."""
    expect(page.locator(".waiting")).to_have_count(0)
    takes_keys = page.locator("main :is(a, button:enabled, input, [tabindex='0'])").filter(visible=True)
    expect(takes_keys.first).to_be_visible()
    page.wait_for_function(IS_SETTLED, polling=1000)
