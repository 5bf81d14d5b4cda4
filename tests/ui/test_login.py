"""The login as people meet it: nothing without one, by keyboard, with a role, until it ends."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, TimeoutError, expect
from tornado.web import create_signed_value

from tests.accounts import PASSWORD, asked, logged_in, make
from tests.conftest import free_ports, wait_until
from tests.examples import sale
from tests.integration.test_gate import ROUTES, websocket
from tests.ui.axe import faults
from tests.ui.conftest import APPS, Served, drawn, environment, serving, visit, watched_page
from tests.ui.test_sales_page import add_item, button, fill, rows, said, tab
from workbench.accounts import accounts
from workbench.components.signed_in import COOKIE
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.database.engines import Engines

TOKEN = "of-prometheus"
SECRET = "of-a-cookie"
PLUGIN = "--plugins=workbench.exporter"
MODELS = "[...Bokeh.documents[0]._all_models.values()]"
SOCKETS = """
const Given = window.WebSocket
window.WebSocket = class extends Given { constructor(...all) { super(...all); (window.sockets ||= []).push(this) } }
"""


@pytest.fixture(scope="module")
def guarded(settings: Settings, shared_engines: Engines) -> Iterator[Served]:
    """The app where others reach it: it has to have an admin to start."""
    with shared_engines.owner.begin() as connection:
        connection.exec_driver_sql("truncate account, login")
    make(shared_engines, "first", "admin")
    changes = {"WORKBENCH_METRICS_TOKEN": TOKEN}
    with serving(settings, PLUGIN, "--address=0.0.0.0", "--index=sales", "--liveness", changes=changes) as served:
        wait_until(lambda: asked(f"{served.url}/health")[0] == 200, "the app, which has looked for an admin", 60)
        yield served


@pytest.fixture
def url(guarded: Served, engines: Engines) -> Iterator[str]:
    """Its address, with an account of each role: ann, eve (of store 3) and vic."""
    make(engines, "ann", "admin")
    make(engines, "eve", "editor", [3])
    make(engines, "vic", "viewer")
    since = guarded.log.stat().st_size
    yield guarded.url
    assert not guarded.errors(since), guarded.log.read_bytes()[since:].decode(errors="replace")[-6000:]


@pytest.mark.parametrize("cookie", ["", f"{COOKIE}=", f"{COOKIE}={'x' * 43}", "user=ann"])
def test_nothing_is_given_without_a_login(url: str, cookie: str) -> None:
    port = int(url.rpartition(":")[2])
    for path in ROUTES:
        status, _, text = asked(url + path, Cookie=cookie)
        assert (status, "Log in" in text) == (401, True), path
        status, headers, _ = asked(url + path, Cookie=cookie, Accept="text/html,*/*")
        assert (status, headers["Location"].partition("?")[0]) == (302, "/login"), path
    assert asked(f"{url}/sales", {"a": "form"}, Cookie=cookie)[0] == 401
    assert websocket(port, f"127.0.0.1:{port}", cookie) == 403


def test_everything_is_given_with_one_and_its_cookie_is_in_no_page(url: str) -> None:
    cookie = logged_in(url, "VIC")
    for path in ROUTES:
        status, _, text = asked(url + path, Cookie=cookie)
        assert status == {"/components/sales/x/y/z.js": 404, "/no/such/path": 404}.get(path, 200), path
        assert cookie.partition("=")[2] not in text
    assert asked(f"{url}/logout", {}, Cookie=cookie)[0] == 303
    assert asked(f"{url}/sales", Cookie=cookie)[0] == 401


def test_only_that_it_is_alive_and_what_prometheus_shows_need_none(url: str) -> None:
    assert asked(f"{url}/health")[::2] == (200, "alive\n")
    assert asked(f"{url}/metrics", Authorization=f"Bearer {TOKEN}")[0] == 200
    assert asked(f"{url}/metrics", Authorization="Bearer another")[0] == 401
    assert asked(f"{url}/sales", Authorization=f"Bearer {TOKEN}")[0] == 401


def test_the_cookie_is_for_this_site_alone_and_for_no_script(url: str) -> None:
    form = {"username": "ann", "password": PASSWORD}
    cookie = asked(f"{url}/login", form)[1]["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    encrypted = asked(f"{url}/login", form, Origin="https://" + url.partition("//")[2])[1]["Set-Cookie"]
    assert "Secure" in encrypted.split("; ")


def test_a_form_of_another_site_is_refused(url: str) -> None:
    form = {"username": "ann", "password": PASSWORD}
    for headers in ({"Origin": "http://evil.example"}, {"Sec_Fetch_Site": "cross-site"}, {"Origin": "null"}):
        assert asked(f"{url}/login", form, **headers)[0] == 403
    cookie = logged_in(url, "ann", Origin=url, Sec_Fetch_Site="same-origin")
    assert asked(f"{url}/logout", {}, Cookie=cookie, Origin="http://evil.example")[0] == 403
    assert asked(f"{url}/logout", Cookie=cookie)[0] == 405  # a link or a picture of anybody's logs nobody out
    assert asked(f"{url}/sales", Cookie=cookie)[0] == 200


def test_wrong_is_told_alike_and_the_sixth_has_to_wait(url: str, engines: Engines) -> None:
    make(engines, "olga", "viewer")  # whom no other test needs: what is counted stays with the server for a minute
    answers = [asked(f"{url}/login", {"username": name, "password": "wrong"}) for name in ("olga", "nobody")]
    assert {answer[0] for answer in answers} == {403}
    assert answers[0][2].replace("olga", "") == answers[1][2].replace("nobody", "")
    assert "Name or password is wrong." in answers[0][2]
    others = [asked(f"{url}/login", {"username": "olga", "password": "wrong"}) for _ in range(5)]
    assert [answer[0] for answer in others] == [403, 403, 403, 403, 429]
    assert 0 < int(others[-1][1]["Retry-After"]) <= 60
    assert "Too many wrong passwords" in others[-1][2]


def test_somebody_logs_in_by_keyboard_saves_in_their_name_and_logs_out(
    url: str, browser: Browser, engines: Engines, workbench: Workbench
) -> None:
    with watched_page(browser) as page:
        enter(page, f"{url}/sales?tab=add", "eve")
        assert page.url.endswith("/sales?tab=add")
        expect(page.get_by_text("eve editor")).to_be_visible()
        sold(page, store="4")
        said(page, "This sale is of store 4. eve writes those of store 3 alone")
        fill(page, Store_ID="3")
        button(page, "Create Transaction").click()
        said(page, "Transaction 1 created")
        assert actors(engines) == {"eve"}
        old = workbench.sales().create(sale(), uuid4()).transaction_id
        tab(page, "Edit")
        fill(page, Transaction_ID=str(old))
        button(page, "Load").click()
        said(page, "An editor writes those of today and yesterday: what is older needs the role admin")
        expect(button(page, "Save changes")).not_to_be_visible()
        button(page, "Log out").click()
        page.wait_for_url("**/login")
        page.go_back()
        page.wait_for_url("**/login?next=*")
        assert [c for c in page.context.cookies() if c["name"] == COOKIE] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_is_found_on_the_page_of_the_login(url: str, browser: Browser, scheme: str) -> None:
    with watched_page(browser, color_scheme=scheme) as page:
        page.goto(f"{url}/login?next=/sales")
        for wide in (1400, 390):
            page.set_viewport_size({"width": wide, "height": 844})
            expect(page.locator("#password")).to_be_visible()
            assert not faults(page, f"{wide} px wide, {scheme}")


def test_an_admin_is_offered_everything(url: str, browser: Browser) -> None:
    with watched_page(browser) as page:
        enter(page, f"{url}/pipeline", "ann")
        for name in ("Load sample data", "Run migrations", "Compare now"):
            expect(button(page, name)).to_be_visible()
        page.get_by_role("link", name="Changes").click()
        expect(page.get_by_role("heading", name="Changes", level=1)).to_be_visible()
        drawn(page)


def test_on_loopback_nobody_logs_in_and_the_frame_says_so(app: str, page: Page) -> None:
    visit(page, f"{app}/sales")
    expect(page.get_by_text("no login")).to_be_visible()
    expect(button(page, "Log out")).to_have_count(0)


def test_a_viewer_is_offered_nothing_to_write_and_what_is_sent_by_hand_does_nothing(
    url: str, browser: Browser, workbench: Workbench
) -> None:
    """The same messages, sent for an editor, do what they say."""
    made = workbench.sales().create(sale(transaction_time=None, store_id=3), uuid4()).transaction_id
    with watched_page(browser) as page:
        page.add_init_script(SOCKETS)
        enter(page, f"{url}/sales", "eve")
        expect(rows(page)).to_have_count(1)
        forge(page, clicked_cell(page, "delete"))
        expect(page.get_by_text(f"Delete transaction {made}?")).to_be_visible()
    with watched_page(browser) as page:
        page.add_init_script(SOCKETS)
        enter(page, f"{url}/sales?tab=delete&sale={made}", "vic")
        expect(page.get_by_text("needs the role editor or admin: here are the sales")).to_be_visible()
        expect(rows(page)).to_have_count(1)
        expect(page.get_by_role("tab")).to_have_text(["View"])
        expect(page.get_by_role("button", name=re.compile("Edit|Delete"))).to_have_count(0)
        for column in ("delete", "edit"):
            forge(page, clicked_cell(page, column))
        button(page, "Refresh").click()  # answered after the messages before it
        expect(page.get_by_role("tab")).to_have_text(["View"])
        expect(page.get_by_text("Delete transaction")).to_have_count(0)
        expect(page.get_by_role("link", name="Changes")).to_have_count(0)
        visit(page, f"{url}/changes")
        expect(page.get_by_text("The page Changes needs the role admin; vic is a viewer.")).to_be_visible()
        expect(page.get_by_role("link", name="Import")).to_have_count(0)
        visit(page, f"{url}/imports")
        expect(page.get_by_text("The page Import needs the role editor or admin; vic is a viewer.")).to_be_visible()
        expect(page.get_by_role("link", name="Catalogue")).to_have_count(0)
        visit(page, f"{url}/catalogue")
        expect(page.get_by_text("The page Catalogue needs the role admin; vic is a viewer.")).to_be_visible()
        visit(page, f"{url}/pipeline")
        expect(page.get_by_role("heading", name="Schema")).to_be_visible()
        assert labels(page).isdisjoint({"Load sample data", "Run migrations", "Compare now", "Undo this load"})
    assert workbench.sales().get(made, for_edit=True).value.version == 1


def test_a_button_that_is_still_there_is_refused_once_the_role_is_gone(
    url: str, browser: Browser, engines: Engines
) -> None:
    with watched_page(browser) as page:
        enter(page, f"{url}/pipeline", "ann")
        expect(button(page, "Load sample data")).to_be_enabled()
        accounts.change(engines, "ann", "viewer")
        wait_until(lambda: refused(page, "Compare now", "To compare the servers needs the role admin"), "a refusal")
        button(page, "Load sample data").click()
        expect(page.get_by_text("To load sample sales needs the role admin; ann is a viewer.")).to_be_visible()
    with engines.owner.connect() as connection:
        assert connection.execute(sa.text("select count(*) from sales_transaction")).scalar_one() == 0


def test_a_view_that_is_shared_by_hand_is_refused(url: str, browser: Browser, engines: Engines) -> None:
    with engines.owner.begin() as connection:
        connection.execute(sa.text("delete from saved_view"))
    with watched_page(browser) as page:
        enter(page, f"{url}/analytics", "vic")
        button(page, "Views").click()
        fill(page, View_Name="Mine")
        expect(page.get_by_label("For all")).not_to_be_visible()
        page.evaluate(f"() => {{ {MODELS}.find((m) => m.data?.label === 'For all').data.value = true }}")
        button(page, "Save this view").click()
        expect(page.get_by_text("To share a view with all needs the role editor or admin")).to_be_visible()
        page.evaluate(f"() => {{ {MODELS}.find((m) => m.data?.label === 'For all').data.value = false }}")
        button(page, "Save this view").click()
        expect(page.get_by_text("View “Mine” saved.")).to_be_visible()
    with engines.owner.connect() as connection:
        rows_ = connection.execute(sa.text("select owner, is_shared from saved_view")).all()
    assert [tuple(row) for row in rows_] == [("vic", False)]


def test_an_account_that_is_disabled_is_sent_to_the_login_with_its_page_open(
    url: str, browser: Browser, engines: Engines
) -> None:
    context = browser.new_context()  # not watched: a page that is refused is an error on the console
    context.set_default_timeout(60_000)
    page = context.new_page()
    try:
        enter(page, f"{url}/sales?tab=add", "eve")
        fill(page, Cashier_ID="301")
        page.wait_for_function("() => Object.keys(sessionStorage).some((key) => key.startsWith('draft:'))")
        accounts.set_disabled(engines, "eve", True)
        page.wait_for_url("**/login?next=%2Fsales%3Ftab%3Dadd")
        expect(page.get_by_label("Name")).to_be_focused()
        page.keyboard.type("eve")
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("Name or password is wrong.")
        accounts.set_disabled(engines, "eve", False)
        expect(page.get_by_label("Password")).to_be_focused()
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_label("Cashier ID")).to_have_value("301")  # what was typed is still there
    finally:
        context.close()


def test_people_change_their_own_password_and_are_logged_out_elsewhere(url: str, browser: Browser) -> None:
    elsewhere = logged_in(url, "vic")
    context = browser.new_context()  # not watched: a form that is refused is an error on the console
    context.set_default_timeout(60_000)
    page = context.new_page()
    try:
        enter(page, f"{url}/sales", "vic")
        page.get_by_role("link", name="vic: change your password").click()
        for now, new, again, words in (
            (PASSWORD, "a new one, long enough", "another one, long enough", "was not typed the same twice"),
            ("something else", "a new one, long enough", "a new one, long enough", "Your password is another one."),
            (PASSWORD, "too short", "too short", "has 9 characters"),
            (PASSWORD, "a new one, long enough", "a new one, long enough", ""),
        ):
            expect(page.get_by_label("Your password now")).to_be_focused()
            page.get_by_label("New password", exact=True).evaluate("field => field.removeAttribute('minlength')")
            for text in (now, new, again):
                page.keyboard.type(text)
                page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            if words:
                expect(page.get_by_role("alert")).to_contain_text(words)
        page.wait_for_url(lambda address: "/password" not in address)
        drawn(page)
    finally:
        context.close()
    assert asked(f"{url}/sales", Cookie=elsewhere)[0] == 401
    assert asked(f"{url}/login", {"username": "vic", "password": PASSWORD})[0] == 403
    assert asked(f"{url}/login", {"username": "vic", "password": "a new one, long enough"})[0] == 303


@pytest.mark.parametrize(
    "arguments", [(), (f"--basic-auth={SECRET}", f"--cookie-secret={SECRET}")], ids=["accounts", "provider"]
)
def test_panel_serve_does_not_start_where_nobody_could_log_in(
    settings: Settings, engines: Engines, arguments: tuple[str, ...]
) -> None:
    command = [sys.executable, "-m", "panel", "serve", str(APPS / "sales.py"), PLUGIN, f"--port={free_ports(1)[0]}"]
    done = subprocess.run(
        [*command, *arguments],
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1, done.stderr
    assert "there is no admin's account: make one: `workbench user add NAME --role admin" in done.stderr
    assert "Traceback" not in done.stderr


def test_whom_panels_provider_names_has_the_role_of_that_account(
    settings: Settings, browser: Browser, engines: Engines
) -> None:
    """Panel's basic authentication stands in for an OAuth provider: both name a person in the same cookie."""
    accounts.add(engines, "ann@example.com", None, "admin")
    accounts.add(engines, "vic@example.com", None, "viewer")
    options = (PLUGIN, "--address=0.0.0.0", f"--basic-auth={SECRET}", f"--cookie-secret={SECRET}")
    with serving(settings, *options) as served:
        assert [asked(served.url + path)[0] for path in ("/sales", "/metrics", "/liveness", "/health")] == [
            401,
            401,
            401,
            200,
        ]
        for name, shown, status in (
            ("vic@example.com", "viewer", 200),
            ("ann@example.com", "admin", 200),
            ("eve", "has no account here", 403),
        ):
            value = create_signed_value(SECRET, "user", name).decode()
            with watched_page(browser) as page:
                page.context.add_cookies([{"name": "user", "value": value, "url": served.url}])
                visit(page, f"{served.url}/sales")
                expect(page.get_by_text(shown, exact=False).first).to_be_visible()
            assert asked(f"{served.url}/metrics", Cookie=f"user={value}")[0] == status


def enter(page: Page, address: str, name: str) -> None:
    """Asks for a page, is asked for name and password, and is shown the page: all by keyboard."""
    page.goto(address)
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda now: "/login" not in now)
    drawn(page)


def sold(page: Page, store: str) -> None:
    """A sale of this store, typed and sent."""
    fill(page, Cashier_ID="301", Store_ID=store)
    page.get_by_label("Payment Method").click()
    page.get_by_role("option", name="QRIS").click()
    add_item(page, "C-LAT", "Caffè Latte", "2", "3.50", "0.50")
    button(page, "Create Transaction").click()


def refused(page: Page, name: str, words: str) -> bool:
    """Whether pressing the button is answered so."""
    if button(page, name).is_enabled():
        button(page, name).click()
    with suppress(TimeoutError):
        page.get_by_text(words).first.wait_for(timeout=1000)
        return True
    return False  # to be asked again


def actors(engines: Engines) -> set[str]:
    """Whom the audit log names."""
    with engines.owner.connect() as connection:
        return set(connection.execute(sa.text("select distinct actor from audit_log")).scalars())


def labels(page: Page) -> set[str]:
    """The labels of all that the page has, shown or not."""
    found: list[str] = page.evaluate(f"() => {MODELS}.map((m) => m.data?.label).filter((label) => label)")
    return set(found)


def model_id(page: Page, kind: str) -> str:
    """The id of the first model of this kind."""
    found: str = page.evaluate(
        f"() => {MODELS}.find((m) => m.type.endsWith('{kind}') || m.class_name === '{kind}')?.id"
    )
    return found


def forge(page: Page, event: dict[str, Any]) -> None:
    """Sends a message of Bokeh's protocol on the page's own websocket, as a browser might that is not ours."""
    frames = [{"msgid": "forged", "msgtype": "PATCH-DOC"}, {}, {"events": [event]}]
    page.evaluate(
        "(frames) => { for (const frame of frames) { window.sockets.at(-1).send(frame) } }", [*map(json.dumps, frames)]
    )


def clicked_cell(page: Page, column: str) -> dict[str, Any]:
    """A click on the first row's button, which need not be there."""
    values = [["model", {"id": model_id(page, "DataTabulator")}], ["column", column], ["row", 0]]
    data = {"type": "event", "name": "cell-click", "values": {"type": "map", "entries": values}}
    return {"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": data}
