"""What axe-core finds of a page that has settled."""

from __future__ import annotations

import time

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

THEME_SECONDS = 5.0  # labels and buttons have the colour of a theme a moment after the page has it
IS_SETTLED = """() => {
  const count = (root) => [...root.querySelectorAll("*")].reduce(
    (sum, each) => sum + 1 + (each.shadowRoot ? count(each.shadowRoot) : 0), 0)
  const before = window.elements
  window.elements = count(document)
  return before === window.elements
}"""


def settled(page: Page) -> None:
    """Waits until the page has something that takes the keyboard, and nothing more is added to it."""
    expect(page.locator(".waiting").filter(visible=True)).to_have_count(0)
    takes_keys = page.locator("main :is(a, button:enabled, input, [tabindex='0'])").filter(visible=True)
    expect(takes_keys.first).to_be_visible()
    page.wait_for_function(IS_SETTLED, polling=500)


def turned(page: Page, theme: str) -> None:
    """Turns the theme of an open page."""
    page.get_by_role("button", name="Toggle theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", theme)


def faults(page: Page, name: str, *rules: str) -> list[str]:
    """What axe-core finds of what is shown now that is serious, or wrong of its headings; of some rules alone.

    Colours are looked at again until all parts have those of the theme that was turned on.
    """
    options = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else None
    end = time.monotonic() + THEME_SECONDS
    while True:
        broken = [
            each
            for each in Axe().run(page, options=options).response["violations"]
            if each["impact"] in ("serious", "critical") or "heading" in each["id"]
        ]
        if {each["id"] for each in broken} != {"color-contrast"} or time.monotonic() > end:
            return [f"{name}: {each['help']}: {node['html'][:200]}" for each in broken for node in each["nodes"]]
