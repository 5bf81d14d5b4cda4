"""A login by an OpenID Connect provider, set up as docs/accounts.md says: whom it names, their rights, the way out."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

from bokeh.util.token import get_token_payload
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.accounts import asked
from tests.conftest import free_ports, wait_until
from tests.integration.test_gate import ROUTES, websocket
from tests.ui.conftest import Served, drawn, serving
from tests.ui.test_login import PLUGIN, actors, sold
from tests.ui.test_sales_page import said
from workbench.accounts import accounts
from workbench.accounts.actor import Role
from workbench.config import Settings
from workbench.database.engines import Engines

SECRET = "of-a-cookie"
PROMETHEUS = "of-prometheus"
ROLES: dict[str, Role] = {"ann": "admin", "vic": "viewer"}  # eve, whom the provider knows, has no account


@contextmanager
def provided(settings: Settings, *options: str) -> Iterator[Served]:
    """The app where others reach it, and its provider, which is another site: it knows ann, vic and eve."""
    port = free_ports(1)[0]
    users = [json.dumps({"sub": name, "email": f"{name}@example.com"}) for name in ("ann", "vic", "eve")]
    claims = [f"--user-claims={user}" for user in users]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", f"--port={port}", *claims]
    provider = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        at = f"http://localhost:{port}"
        wait_until(lambda: answers(port), "the provider", 60)
        urls = {"AUTHORIZE_URL": "authorize", "TOKEN_URL": "token", "LOGOUT_URL": "end_session"}
        given = {name: f"{at}/oauth2/{path}" for name, path in urls.items()} | {"USER_KEY": "email"}
        oauth = {"PROVIDER": "generic", "KEY": "workbench", "SECRET": "shared", "EXTRA_PARAMS": str(given)}
        changes = {f"PANEL_OAUTH_{name}": text for name, text in oauth.items()} | {"PANEL_COOKIE_SECRET": SECRET}
        changes["WORKBENCH_METRICS_TOKEN"] = PROMETHEUS
        every = (PLUGIN, "--address=0.0.0.0", "--index=sales", "--liveness", *options)
        with serving(settings, *every, changes=changes) as served:
            yield served
    finally:
        provider.terminate()
        provider.wait(timeout=30)


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def enter(page: Page, address: str, name: str) -> None:
    """Asks for a page, is led to the provider, and chooses who to be there."""
    page.goto(address)
    expect(page).to_have_url(re.compile("^http://localhost:"))
    page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_url(re.compile(r"^http://127\.0\.0\.1:"))


@contextmanager
def watched(browser: Browser, served: Served) -> Iterator[Page]:
    """A page in a context of its own, which stays on this machine; an error of the app's own pages is one here."""
    context, faults = browser.new_context(locale="en-GB", timezone_id="UTC"), list[str]()
    page = context.new_page()
    page.route(re.compile("^https://"), lambda route: route.abort())  # of the provider's pages

    def note(message: ConsoleMessage) -> None:
        is_own = message.location["url"].startswith(served.url)
        if message.type == "error" and is_own and "status of 401" not in message.text:
            faults.append(message.text)

    page.on("console", note)
    yield page
    context.close()
    assert not faults


def test_whom_a_provider_names_has_the_role_of_that_account_until_they_log_out(
    settings: Settings, browser: Browser, engines: Engines
) -> None:
    for name, role in ROLES.items():
        accounts.add(engines, f"{name}@example.com", None, role)
    with provided(settings, "--num-procs=2") as served:
        port = int(served.url.rpartition(":")[2])
        for path in ROUTES:
            assert asked(served.url + path)[0] == 401, path
        assert websocket(port, f"127.0.0.1:{port}", "user=ann@example.com") in (401, 403)
        with watched(browser, served) as page:
            enter(page, f"{served.url}/sales?tab=add", "ann")
            drawn(page)
            assert page.url == f"{served.url}/sales?tab=add"
            expect(page.get_by_text("ann@example.com admin")).to_be_visible()
            state = asked(f"{served.url}/login")[1]["Set-Cookie"]
            assert "HttpOnly" in state and "SameSite=Lax" in state
            kept = {cookie["name"]: cookie for cookie in page.context.cookies(served.url)}
            assert (kept["user"]["httpOnly"], kept["user"]["sameSite"]) == (True, "Lax")
            given = page.request.get(f"{served.url}/sales").text()
            tokens = [json.loads(text) for text in re.findall(r'"token":("[^"]+")', given)]
            payloads = "".join(str(get_token_payload(token)) for token in tokens)
            assert tokens and "arguments" in payloads
            assert not any(kept[name]["value"].strip('"') in payloads for name in ("user", "id_token", "access_token"))
            sold(page, "3")
            said(page, "created: 2 items on 1 line")
            assert actors(engines) == {"ann@example.com"}
            assert page.request.get(f"{served.url}/metrics").status == 200
            assert asked(f"{served.url}/metrics", Authorization=f"Bearer {PROMETHEUS}")[0] == 200
            page.get_by_role("button", name="Log out").click()
            expect(page.get_by_role("heading", name="Logged out")).to_be_visible()
            assert {cookie["name"] for cookie in page.context.cookies(served.url)} <= {"workbench_theme"}
            expect(page.get_by_role("link", name="Log out at the provider too")).to_have_attribute(
                "href", re.compile("^http://localhost:.*/oauth2/end_session$")
            )
            page.get_by_role("link", name="Log in", exact=True).click()
            page.get_by_role("button", name="vic", exact=True).click()
            expect(page.get_by_text("vic@example.com viewer")).to_be_visible()
            expect(page.get_by_role("tab", name="Add Transaction")).to_have_count(0)
        with watched(browser, served) as page:
            enter(page, f"{served.url}/sales", "eve")
            expect(page.get_by_text("eve@example.com has no account here. An admin makes one")).to_be_visible()
            expect(page.get_by_role("tab")).to_have_count(0)
            metrics = page.request.get(f"{served.url}/metrics")
            assert (metrics.status, "people with an account here" in metrics.text()) == (403, True)
            page.get_by_role("button", name="Log out").click()
            page.get_by_role("link", name="Log in", exact=True).click()
            assert not served.errors(0), served.log.read_text()[-4000:]
            page.get_by_role("button", name="Deny").click()  # which Panel logs as an error
            expect(page.get_by_text("You were not logged in: unauthorized. Open the page again")).to_be_visible()
        begun = asked(f"{served.url}/login")[1]
        state = parse_qs(urlsplit(begun["Location"]).query)["state"][0]
        kept_state = begun["Set-Cookie"].split(";")[0]
        status, _, text = asked(f"{served.url}/login?code=made-up&state={state}", Cookie=kept_state)
        assert status == 401 and "You were not logged in" in text
        assert "status 400, error 'invalid_grant'" in served.log.read_text()
        assert "Traceback" not in served.log.read_text()
