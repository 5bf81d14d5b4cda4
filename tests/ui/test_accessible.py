"""axe-core finds nothing serious on any page: on a desk in the light theme, on a phone in the dark one."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.examples import LATTE
from tests.ui.conftest import visit, watched_page
from tests.ui.test_sales_page import create
from workbench.connection import Workbench

DESK = {"viewport": {"width": 1400, "height": 900}, "color_scheme": "light"}
PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
PAGES = ("sales", "sales?tab=add", "sales?tab=edit", "sales?tab=delete", "analytics")
PAGES += ("reports", "imports", "catalogue", "changes", "pipeline")
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
            for broken in Axe().run(page).response["violations"]:
                if broken["impact"] in ("serious", "critical") or "heading" in broken["id"]:
                    found += [f"{name}: {broken['help']}: {each['html'][:200]}" for each in broken["nodes"]]
    assert not found, "\n".join(found)


def settled(page: Page) -> None:
    """Waits until the page has something that takes the keyboard, and nothing more is added to it."""
    expect(page.locator(".waiting")).to_have_count(0)
    takes_keys = page.locator("main :is(a, button:enabled, input, [tabindex='0'])").filter(visible=True)
    expect(takes_keys.first).to_be_visible()
    page.wait_for_function(IS_SETTLED, polling=1000)
