"""Each page opened once, on a phone and on a desk, in the dark and in the light: frame, policy, width, and axe-core."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import wait_until
from tests.examples import LATTE
from tests.ui.axe import faults, settled, turned
from tests.ui.conftest import seen_through, visit, watched_page
from tests.ui.test_policy import COLLECT
from tests.ui.test_sales_page import create
from workbench.connection import Workbench

ADDRESSES = {
    "sales": "Sales",
    "sales?tab=add": "Sales",
    "sales?tab=edit": "Sales",
    "sales?tab=delete": "Sales",
    "analytics": "Analytics",
    "explore": "Explore",
    "explore?shape=table&by=store,category": "Explore",
    "reports": "Reports",
    "imports": "Import",
    "catalogue": "Catalogue",
    "changes": "Changes",
    "pipeline": "Pipeline",
}
TABS = {"analytics": ("Overview", "Products", "Customers and discounts", "Sales")}
# Less motion: a colour on its way from one theme to the other has not enough contrast.
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "color_scheme": "dark",
    "reduced_motion": "reduce",
}


@pytest.mark.parametrize(("address", "title"), ADDRESSES.items())
def test_it_has_its_place_asks_for_nothing_refused_fits_and_has_nothing_serious(
    app: str, browser: Browser, workbench: Workbench, address: str, title: str
) -> None:
    made = create(workbench, lines=[LATTE], transaction_time=None)  # of today, which Analytics shows
    with watched_page(browser, **PHONE) as page:
        page.add_init_script(COLLECT)
        visit(page, f"{app}/{address}{f'&sale={made}' if '?' in address else ''}")
        expect(page).to_have_title(f"{title} - Sales workbench")
        expect(page.get_by_role("heading", name=title, exact=True, level=1)).to_be_visible()
        expect(page.locator("nav a[aria-current=page]")).to_have_text(title)
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        expect(page.get_by_role("button", name="Toggle theme")).to_be_in_viewport()
        settled(page)
        if address == "reports":  # with what an admin alone is offered
            page.get_by_role("button", name="New schedule").click()
            expect(page.get_by_label("Mail to")).to_be_visible()
        found = faults(page, "on a phone in the dark")
        fits(page, 390)
        turned(page, "light")
        found += faults(page, "on a phone in the light", "color-contrast")
        for wide in (360, 2560, 1400):
            page.set_viewport_size({"width": wide, "height": 900})
            fits(page, wide)
        settled(page)
        found += faults(page, "on a desk in the light")
        turned(page, "dark")
        found += faults(page, "on a desk in the dark", "color-contrast")
        page.set_viewport_size({"width": 390, "height": 844})
        for tab in TABS.get(address, ()):
            page.get_by_role("tab", name=tab, exact=True).click()
            seen_through(page)
            fits(page, 390)
        assert page.evaluate("window.refused") == []
    assert not found, "\n".join(found)


def fits(page: Page, wide: int) -> None:
    """Waits until the page is so wide, and what it holds takes all of it and no more: nothing scrolls sideways."""
    main = page.locator(".main-content")

    def widths() -> list[int]:
        own: list[int] = main.evaluate("(main) => [main.scrollWidth, main.clientWidth, innerWidth]")
        return [*own, page.evaluate("() => document.documentElement.scrollWidth")]

    wait_until(lambda: widths() == [wide] * 4, f"a page {wide} pixels wide")
