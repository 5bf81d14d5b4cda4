"""What opens, by axe-core, on a phone in the dark and on a desk in the light; shortcuts, and less motion."""

from __future__ import annotations

from typing import Literal

from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.examples import LATTE
from tests.ui.axe import faults, settled, turned
from tests.ui.conftest import visit, watched_page
from tests.ui.test_every_page import PHONE
from tests.ui.test_sales_page import button, create
from workbench.connection import Workbench

DESK: ViewportSize = {"width": 1400, "height": 900}
MOTIONS: tuple[Literal["reduce"], Literal["no-preference"]] = ("reduce", "no-preference")


def test_nothing_serious_is_found_in_what_opens(app: str, browser: Browser, workbench: Workbench) -> None:
    made = create(workbench, lines=[LATTE])
    found = []
    with watched_page(browser, **PHONE) as page:
        visit(page, f"{app}/sales?tab=add")
        for screen in ("on a phone", "on a desk"):
            settled(page)
            page.get_by_label("Payment Method").click()
            expect(page.get_by_role("option", name="QRIS")).to_be_visible()
            found += faults(page, f"menu {screen}")
            page.keyboard.press("Escape")
            expect(page.locator(".MuiMenu-root")).to_have_count(0)
            page.get_by_role("combobox", name="Item").fill("lat")
            expect(page.get_by_role("option").first).to_be_visible()
            found += faults(page, f"suggestions {screen}")
            page.get_by_role("combobox", name="Item").fill("")
            on_a_desk_in_the_light(page)
    with watched_page(browser, **PHONE) as page:
        visit(page, f"{app}/sales?tab=delete&sale={made}")
        button(page, "Delete").click()
        for screen in ("on a phone", "on a desk"):
            expect(page.get_by_text("This is missing: please fill it in")).to_be_visible()
            found += faults(page, f"refusal {screen}")
            page.locator("h1").click()
            page.keyboard.press("?")
            expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
            found += faults(page, f"shortcuts {screen}")
            page.keyboard.press("Escape")
            on_a_desk_in_the_light(page)
    assert not found, "\n".join(found)


def on_a_desk_in_the_light(page: Page) -> None:
    """The page, opened on a phone in the dark, is moved there, if it is not there yet."""
    if page.viewport_size == DESK:
        return
    page.set_viewport_size(DESK)
    turned(page, "light")


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


def test_who_wants_less_motion_gets_none(app: str, page: Page) -> None:
    visit(page, f"{app}/sales?tab=add")
    clear = page.get_by_role("button", name="Clear", exact=True)
    longest = {}
    for motion in MOTIONS:
        page.emulate_media(reduced_motion=motion)
        styles = clear.evaluate("(node) => getComputedStyle(node).transitionDuration")
        longest[motion] = max(float(part.strip(" s")) for part in styles.split(","))
    assert longest["reduce"] < 0.001 <= longest["no-preference"]
