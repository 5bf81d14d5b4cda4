"""Takes the pictures of README.md: `make screenshots`. A fixed seed on servers of their own, so they are comparable."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.conftest import CHROMIUM_NAMES, running_pair, wait_until
from tests.notebooks.lab import lab, notebook, run_all
from tests.ui.conftest import drawn, seen_through, serving
from workbench.config import Settings
from workbench.database.engines import connect
from workbench.sample import load
from workbench.sample.entries import fill

PICTURES = Path(__file__).parents[1] / "docs" / "screenshots"
SALES = 50_000
# name -> page, what must be seen before the picture is taken, height
SHOTS = {
    "analytics": ("/analytics", "Revenue by store", 1300),
    "sales": ("/sales", "transactions", 900),
    "explore": ("/explore", "What customers paid", 860),
    "reports": ("/reports", "Download HTML", 1100),
    "imports": ("/imports", "separated by semicolons", 900),
    "catalogue": ("/catalogue", "12 stores", 760),
    "changes": ("/changes", "as corrected", 900),
    "pipeline": ("/pipeline", "Replication slots of the master", 860),
}
IMPORTED = b"Invoice;SKU;Product;Qty;Date;Price\n1;A;Tea;2;31/5/2026 10:00;2,50\n2;B;Cake;1;31/5/2026 10:05;4,20\n"

CELLS = (
    "from workbench import Filters, RevenueByStore, RevenueOverTime, connect\n\nwb, filters = connect(), Filters()",
    "RevenueOverTime(wb, filters)  # a brush here narrows what follows",
    "stores = RevenueByStore(wb, filters)\nstores",
    "stores.frame().head(3)",
)


def main() -> None:
    """Writes a PNG for each of SHOTS, the first also dark and on a phone, one of JupyterLab, and a film."""
    with running_pair("screenshots") as settings:
        engines = connect(settings)
        load(engines, SALES)
        fill(engines)
        engines.dispose()
        PICTURES.mkdir(parents=True, exist_ok=True)
        with serving(settings, "--index=sales") as app, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox", "--disable-gpu"])
            for name, (path, seen, height) in SHOTS.items():
                _shoot(browser, app.url + path, seen, name, 1280, height)
            path, seen, height = SHOTS["analytics"]
            _shoot(browser, app.url + path, seen, "analytics-dark", 1280, height, color_scheme="dark")
            _shoot(browser, app.url + path, seen, "analytics-phone", 390, 844)
            _film(browser, app.url)
            _shoot_notebook(browser, settings)
            browser.close()


def _shoot_notebook(browser: Browser, settings: Settings) -> None:
    with TemporaryDirectory() as folder:
        notebook(Path(folder), *CELLS)
        with lab(settings, Path(folder)) as address:
            page = browser.new_page(viewport={"width": 1280, "height": 1060}, timezone_id="UTC")
            run_all(page, address)
            page.keyboard.press("Control+b")  # without the list of files
            expect(page.locator(".bk-Figure")).to_have_count(2, timeout=120_000)
            _take(page, "notebook")


def _shoot(browser: Browser, url: str, seen: str, name: str, width: int, height: int, **options: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": height}, timezone_id="UTC", **options)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(url)
    drawn(page)
    if name == "reports":
        page.get_by_role("button", name="Run").click()
    elif name == "imports":
        till = {"name": "till.csv", "mimeType": "text/csv", "buffer": IMPORTED}
        page.get_by_label("File of sales").set_input_files(till)  # type: ignore[arg-type]
    expect(page.get_by_text(seen).first).to_be_visible(timeout=60_000)
    if name.startswith("analytics"):
        seen_through(page)
    page.wait_for_function("() => !document.querySelector('.bk-loading')")
    _take(page, name)
    context.close()


def _film(browser: Browser, url: str) -> None:
    """A sale that is rung up at the left, and arrives on the dashboard at the right: an animated picture."""
    places: ViewportSize = {"width": 560, "height": 640}
    till, dashboard = (browser.new_page(viewport=places, timezone_id="UTC") for _ in range(2))
    till.goto(f"{url}/sales?tab=add")
    dashboard.goto(f"{url}/analytics?period=today")
    drawn(till)
    drawn(dashboard)
    frames: list[tuple[Image.Image, int]] = []

    def frame(milliseconds: int) -> None:
        pair = Image.new("RGB", (2 * places["width"] + 8, places["height"]), "#17212b")
        for n, page in enumerate((till, dashboard)):
            pair.paste(Image.open(io.BytesIO(page.screenshot())), (n * (places["width"] + 8), 0))
        frames.append((pair.quantize(96), milliseconds))

    def revenue() -> str:
        return dashboard.locator(".kpi .figure").filter(has_text=re.compile("USD")).first.inner_text()

    till.get_by_label("Cashier ID").fill("301")
    till.get_by_label("Store ID").fill("3")
    item = till.get_by_role("combobox", name="Item")
    item.scroll_into_view_if_needed()
    frame(900)
    for typed in ("2 cappu", "cheese"):
        for letter in typed:
            item.press_sequentially(letter)
            frame(110)
        expect(till.get_by_role("option").first).to_be_visible()
        frame(700)
        item.press("Enter")
        expect(item).to_have_value("")
        frame(800)
    before = revenue()
    till.keyboard.press("Control+Enter")
    expect(till.get_by_text("created:")).to_be_visible()
    frame(500)
    wait_until(lambda: revenue() != before, "the sale on the dashboard")
    frame(3000)
    pictures, times = zip(*frames, strict=True)
    pictures[0].save(
        PICTURES / "sale-arrives.gif", save_all=True, append_images=pictures[1:], duration=times, loop=0, optimize=True
    )
    print("docs/screenshots/sale-arrives.gif")


def _take(page: Page, name: str) -> None:
    page.wait_for_timeout(3000)  # charts fade in: nothing on the page says when they are done
    page.screenshot(path=PICTURES / f"{name}.png")
    print(f"docs/screenshots/{name}.png")


def _chromium() -> str:
    found = [path for name in CHROMIUM_NAMES if (path := shutil.which(name))]
    if not found:
        raise SystemExit("No Chromium found: install it, for example with `apt-get install chromium`.")
    return found[0]


if __name__ == "__main__":
    main()
