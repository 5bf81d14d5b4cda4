"""What a page's policy has the browser refuse; `test_every_page.py` has no page ask for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import wait_until
from tests.ui.conftest import PATIENCE_MS, files_of, visit

COLLECT = """
window.refused = []
document.addEventListener("securitypolicyviolation", (event) => {
  refused.push(`${event.effectiveDirective} ${event.blockedURI}`)
})
"""
INJECTED = """
() => {
  const put = document.body.appendChild(document.createElement("div"))
  put.innerHTML = `<img src="data:," onerror="window.ran = 'attribute'"><a href="javascript:window.ran='link'">x</a>`
  const script = put.appendChild(document.createElement("script"))
  script.textContent = "window.ran = 'script'"
  put.querySelector("a").click()
  setTimeout(() => { window.eval("window.ran = 'eval'") })  // later: what Playwright runs may evaluate
  put.appendChild(document.createElement("img")).src = "http://127.0.0.1:9/stolen.png"
  fetch("http://127.0.0.1:9/stolen").catch(() => null)
}
"""
REFUSED = {"script-src-attr", "script-src-elem", "script-src eval", "img-src", "connect-src"}
FRAME = "(url) => { document.body.append(Object.assign(document.createElement('iframe'), {src: url})) }"


@pytest.fixture
def watched(browser: Browser) -> Iterator[Page]:
    """A page that notes in ``window.refused`` what its policy has refused."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(COLLECT)
    yield context.new_page()
    context.close()


def test_what_is_put_into_a_page_neither_runs_nor_sends(app: str, watched: Page) -> None:
    visit(watched, f"{app}/pipeline")
    watched.evaluate(INJECTED)
    watched.wait_for_function(f"() => {sorted(REFUSED)}.every((name) => refused.some((text) => text.startsWith(name)))")
    assert watched.evaluate("window.ran ?? 'nothing ran'") == "nothing ran"


@pytest.mark.parametrize("is_own", [True, False], ids=["its own", "another"])
def test_only_pages_of_its_own_origin_may_frame_it(app: str, watched: Page, tmp_path: Path, is_own: bool) -> None:
    (tmp_path / "outer.html").write_text("<p>outer</p>")
    said: list[str] = []
    watched.on("console", lambda message: said.append(message.text))
    watched.route(f"{app}/outer.html", lambda route: route.fulfill(content_type="text/html", body="<p>outer</p>"))
    with files_of(tmp_path) as elsewhere:
        watched.goto(f"{app if is_own else elsewhere}/outer.html")
        watched.evaluate(FRAME, f"{app}/sales")
        heading = watched.frame_locator("iframe").get_by_role("heading", name="Sales", level=1)
        if is_own:
            expect(heading).to_be_visible()
        else:
            wait_until(lambda: watched.evaluate("1") and any("frame-ancestors" in text for text in said), "a refusal")
            assert heading.count() == 0
