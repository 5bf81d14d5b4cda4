"""The frame of every page: navigation, theme, phone width, errors in words, servers that go away."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import free_ports
from tests.ui.conftest import Served, drawn, serving, visit, watched_page
from tests.ui.test_metrics import METRICS, scraped
from workbench.config import Settings
from workbench.database.engines import connect
from workbench.migrations import migrate
from workbench.servers import cluster


def test_links_keys_and_the_theme_lead_through_the_pages(app: str, page: Page) -> None:
    """The root is the page of sales; a theme that was chosen stays over pages, links and reloads."""
    visit(page, f"{app}/")
    expect(page.locator("nav a[aria-current=page]")).to_have_text("Sales")
    expect_theme(page, "light")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to content")).to_be_in_viewport(ratio=1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("tab", name="View")).to_be_focused()
    page.get_by_role("button", name="Toggle theme").click()
    expect_theme(page, "dark")
    page.get_by_role("link", name="Pipeline").click()
    expect(page).to_have_url(f"{app}/pipeline")
    drawn(page)
    expect_theme(page, "dark")
    page.reload()
    drawn(page)
    expect_theme(page, "dark")
    link = page.get_by_role("link", name="Analytics")
    for _ in range(6):
        page.keyboard.press("Tab")
        if link.evaluate("e => e.getRootNode().activeElement === e"):
            break
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{app}/analytics")
    drawn(page)
    expect_theme(page, "dark")
    page.get_by_role("button", name="Toggle theme").click()
    expect_theme(page, "light")
    page.get_by_role("link", name="Sales workbench").click()
    expect(page).to_have_url(f"{app}/sales")
    drawn(page)
    expect_theme(page, "light")


def test_a_component_is_drawn_again_before_its_code_has_come(app: str, page: Page) -> None:
    """The page fixture fails on the error that it was."""
    visit(page, f"{app}/pipeline")
    page.evaluate(
        "() => { const view = [...Bokeh.index.roots][0]; view.react_root = Promise.resolve(null); view.render() }"
    )
    expect(page.get_by_role("heading", name="Pipeline", level=1)).to_be_visible()


FILLED_WHILE_MADE = """
async () => {
  const [Column, Div] = ["Column", "Div"].map((name) => Bokeh.Models.get(name))
  const place = new Column(), beside = new Div()
  beside.default_view = class extends Div.prototype.default_view {
    async lazy_initialize() {
      await super.lazy_initialize()
      place.children = [new Div({text: "Put in while another was made"})]
    }
  }
  const page = new Bokeh.documents[0].constructor()
  page.add_root(new Column({children: [place, beside]}))
  await Bokeh.embed.add_document_standalone(page, document.body.appendChild(document.createElement("div")))
}
"""


def test_a_layout_shows_what_is_put_into_it_while_those_beside_it_are_made(app: str, page: Page) -> None:
    visit(page, f"{app}/pipeline")
    page.evaluate(FILLED_WHILE_MADE)
    expect(page.get_by_text("Put in while another was made")).to_be_visible()


def expect_theme(page: Page, theme: str) -> None:
    """Waits until the page's background is the theme's."""
    background = {"light": "rgb(244, 246, 248)", "dark": "rgb(15, 22, 29)"}[theme]
    expect(page.locator("main.main")).to_have_css("background-color", background)


SLOW = """
import threading
import panel as pn
from workbench.shell import page
def content(workbench):
    threading.Event().wait(3)
    return pn.pane.HTML("<p>Here it is</p>")
page("Slow", content)
"""
BROKEN = """
from workbench.shell import page
page("Broken", lambda workbench: 1 / 0)
"""
MISSING = """
from workbench.shell import page
page("Missing", "no_such_module:Content")
"""
CLICK = """
import panel as pn
import panel_material_ui as pmui
from workbench.errors import SaleNotFound
from workbench.shell import page
def fail(event):
    raise SaleNotFound(7)
def crash(event):
    raise ZeroDivisionError("<b>secret</b>")
def content(workbench):
    return pmui.Column(pmui.Button(label="Fail", on_click=fail), pmui.Button(label="Crash", on_click=crash))
page("Click", content)
"""
FOCUS = """
import panel as pn
import panel_material_ui as pmui
from panel.custom import JSComponent
from workbench.shell import page
class Late(JSComponent):
    _esm = "await new Promise((done) => setTimeout(done, 500)); export function render() {}"
def content(workbench):
    place = pn.Column()
    def put(event):
        place[:] = [pmui.TextInput(label="First"), pmui.TextInput(label="Second"), Late()]
        place[1].focus()
    return pn.Column(pmui.Button(label="Put in", on_click=put), place)
page("Focus", content)
"""


@pytest.fixture(scope="module")
def odd_pages(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An app of pages that are slow, broken, or have buttons that fail."""
    folder = tmp_path_factory.mktemp("pages")
    pages = []
    for name, body in (("slow", SLOW), ("broken", BROKEN), ("missing", MISSING), ("click", CLICK), ("focus", FOCUS)):
        pages.append(folder / f"{name}.py")
        pages[-1].write_text(body)
    with serving(settings, pages=pages) as served:
        yield served


def test_the_frame_is_there_before_slow_content(odd_pages: Served, page: Page) -> None:
    page.goto(f"{odd_pages.url}/slow")
    expect(page.get_by_role("link", name="Pipeline")).to_be_visible()
    expect(page.get_by_text("Here it is")).not_to_be_visible()
    expect(page.get_by_text("Here it is")).to_be_visible()


@pytest.mark.parametrize(("name", "why"), [("broken", "ZeroDivisionError"), ("missing", "no_such_module")])
def test_a_page_that_cannot_be_built_says_so_and_logs_why(odd_pages: Served, page: Page, name: str, why: str) -> None:
    page.goto(f"{odd_pages.url}/{name}")
    expect(page.get_by_text("This page could not be built.")).to_be_visible()
    assert why in odd_pages.log.read_text()


def test_an_error_in_a_callback_is_told_and_logged(odd_pages: Served, page: Page) -> None:
    visit(page, f"{odd_pages.url}/click")
    page.get_by_role("button", name="Fail").click()
    expect(page.get_by_text("There is no transaction 7")).to_be_visible()
    page.get_by_role("button", name="Crash").click()
    expect(page.get_by_text("That did not work. The cause is in the server's log.")).to_be_visible()
    expect(page.get_by_text("secret")).to_have_count(0)
    assert "ZeroDivisionError: <b>secret</b>" in odd_pages.log.read_text()


def test_a_field_takes_the_focus_that_is_told_to_before_it_is_drawn(odd_pages: Served, page: Page) -> None:
    visit(page, f"{odd_pages.url}/focus")
    page.get_by_role("button", name="Put in").click()
    expect(page.get_by_label("Second")).to_be_focused()


def test_without_servers_the_page_says_what_to_do_and_works_after_a_reload(
    settings: Settings, browser: Browser
) -> None:
    """The app starts with neither a master configured nor a cluster made, and has metrics; then .env names one."""
    nothing = {"MASTER_DB_HOST": "", "WORKBENCH_DATA_DIR": "nowhere"}
    with serving(settings, METRICS, changes=nothing) as served, watched_page(browser) as page:
        assert scraped(served.url)[("workbench_sessions",)] == 0
        visit(page, f"{served.url}/pipeline")
        expect(page.get_by_text("This page cannot be shown")).to_be_visible()
        expect(page.get_by_text("workbench up")).to_be_visible()
        assert not served.errors()
        (served.log.parent / ".env").write_text(f"MASTER_DB_HOST={settings.master_db_host}\n")
        visit(page, f"{served.url}/pipeline")
        expect(page.get_by_role("region", name="Master")).to_contain_text("Up")


@dataclass
class OwnPair:
    """A pair of servers that a test may kill, and the app on it."""

    base: Settings
    url: str

    def kill(self, name: str) -> None:
        """kill -9 of a server."""
        pid_file = next(self.base.workbench_data_dir.glob(f"**/{name}/**/postmaster.pid"))
        os.kill(int(pid_file.read_text().splitlines()[0]), signal.SIGKILL)

    def mend(self) -> None:
        """Starts what is down."""
        cluster.up(self.base)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[OwnPair]:
    """A second, migrated pair with the app on it, below a prefix."""
    master_port, replica_port = free_ports(2)
    folder = settings.workbench_data_dir.parent / "own-pair"  # a folder that PostgreSQL's user can enter
    base = Settings(_env_file=None, workbench_data_dir=folder, master_db_port=master_port, replica_db_port=replica_port)
    configured = cluster.up(base)
    engines = connect(configured)
    migrate(engines)
    engines.dispose()
    with serving(configured, "--prefix=desk", "--index=sales") as served:
        yield OwnPair(base, f"{served.url}/desk")
    cluster.down(base)


def test_links_stay_below_a_prefix(own: OwnPair, page: Page) -> None:
    visit(page, f"{own.url}/pipeline")
    page.get_by_role("link", name="Analytics").click()
    expect(page).to_have_url(f"{own.url}/analytics")
    drawn(page)


def test_the_banner_says_that_the_replica_is_away_and_goes_by_itself(own: OwnPair, page: Page) -> None:
    visit(page, f"{own.url}/pipeline")
    banner = page.get_by_role("alert").filter(has_text="away")
    expect(page.get_by_role("region", name="Replica")).to_contain_text("Up")
    expect(banner).not_to_be_visible()
    own.kill("replica")
    expect(banner).to_have_text(re.compile("The replica is away: figures come from the master"))
    expect(page.get_by_role("region", name="Replica")).to_contain_text("Start it with `workbench up`")
    own.mend()
    expect(banner).not_to_be_visible()
    expect(page.get_by_role("region", name="Replica")).to_contain_text("Up")


def test_the_banner_says_that_saving_is_off_without_the_master_and_buttons_say_why(own: OwnPair, page: Page) -> None:
    visit(page, f"{own.url}/pipeline")
    load = page.get_by_role("button", name="Load sample data")
    expect(load).to_be_enabled()
    own.kill("master")
    expect(page.get_by_role("alert").filter(has_text="away")).to_have_text(
        re.compile("The master is away: reading goes on, saving is off")
    )
    expect(load).to_be_disabled()
    expect(page.get_by_text("The master is away: nothing can be loaded until it is back.")).to_be_visible()
    own.kill("replica")
    expect(page.get_by_role("alert").filter(has_text="away")).to_have_text(
        re.compile("The master and the replica are away: nothing can be read or saved")
    )
    own.mend()
    expect(page.get_by_role("alert").filter(has_text="away")).not_to_be_visible()
    expect(load).to_be_enabled()


LATE = """
document.addEventListener("DOMContentLoaded", () => {
  if (!window.Bokeh) { return }  // of an empty page
  const component = Bokeh.Models.get("panel.models.esm.ReactComponent").prototype
  const code = component._render_code
  const fills = "if (targetModel.label === 'Cashier ID') { targetModel.setv({value: '301', value_input: '301'}) }"
  component._render_code = function () {
    return code.call(this).replace("react_proxy.on(prop, cb, true)", `${fills}\\nreact_proxy.on(prop, cb, true)`)
  }
})
"""


def test_a_field_that_is_filled_while_it_is_drawn_shows_it(page: Page, app: str) -> None:
    page.add_init_script(LATE)
    visit(page, f"{app}/sales?tab=add")
    expect(page.get_by_label("Cashier ID")).to_have_value("301")
