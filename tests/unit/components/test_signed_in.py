"""What a login by a provider refuses, and what of the provider's answers gets into the log."""

from __future__ import annotations

import asyncio
import io
import json
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock
from urllib.parse import quote

import pytest
from panel.auth import GenericLoginHandler
from tornado.httpclient import HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.simple_httpclient import HTTPTimeoutError
from tornado.web import Application, HTTPError, create_signed_value

from workbench.components import signed_in

SECRET = "of-a-cookie"
TOKENS = {"access_token": "opaque-access", "refresh_token": "opaque-refresh"}
STATE = "e30="  # of an empty object
BEGUN = f"panel-oauth-state={create_signed_value(SECRET, 'panel-oauth-state', STATE).decode()}"


@pytest.fixture(autouse=True)
def _told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signed_in, "_way", "provider")
    for name, text in {"AUTHORIZE": "authorize", "TOKEN": "token"}.items():
        monkeypatch.setenv(f"PANEL_OAUTH_{name}_URL", f"https://id.example.com/{text}")


def came_back(address: str, answer: object = None, cookie: str = "") -> tuple[HTTPError, list[str]]:
    """How the login refuses a browser that comes to ``address``, and what it has asked the provider."""
    found: Any = SimpleNamespace(login_url="/login", login_handler=GenericLoginHandler)
    app: Any = SimpleNamespace(prefix="", auth_provider=found)
    headers = HTTPHeaders({"Host": "127.0.0.1", "Cookie": cookie})
    line = RequestStartLine("GET", address, "HTTP/1.1")
    request = HTTPServerRequest(start_line=line, headers=headers, connection=Mock())
    made = signed_in.handler_of(app, request)
    assert made is not None
    handler: Any = made(Application(cookie_secret=SECRET), request)
    asked: list[str] = []

    async def fetch(request: HTTPRequest, **_: object) -> HTTPResponse:
        asked.append(request.url)
        if isinstance(answer, Exception):
            raise answer
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return HTTPResponse(request, 200, buffer=io.BytesIO(text.encode()))

    handler.get_auth_http_client = lambda: SimpleNamespace(fetch=fetch)
    with pytest.raises(HTTPError) as refused:
        asyncio.run(handler.get())
    handler.log_exception(type(refused.value), refused.value, None)
    return refused.value, asked


@pytest.mark.parametrize("address", ["?code=a&state=", "?code=a", "?state=&next=" + quote("/?code=a")])
def test_a_code_is_not_used_for_a_browser_that_began_no_login(address: str) -> None:
    refused, asked = came_back(f"/login{address}", TOKENS)
    assert (refused.status_code, asked) == (401, [])


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (TOKENS, 401, "status 200, error None"),  # no id_token: Panel cannot find out who it is
        ({"error": "invalid\ngrant", "id_token": "opaque"}, 401, r"error 'invalid\ngrant'"),
        (HTTPTimeoutError("Timeout"), 503, "did not answer"),
        (ConnectionRefusedError("refused"), 503, "could not be asked who logs in: refused"),
        ("<p>opaque</p>", 503, "could not be asked"),
    ],
)
def test_of_a_failed_login_the_log_has_no_more_than_what_the_provider_calls_it(
    answer: object, status: int, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    refused, asked = came_back(f"/login?code=a&state={STATE}", answer, BEGUN)
    assert (refused.status_code, len(asked)) == (status, 1)
    assert said in caplog.text
    assert "opaque" not in caplog.text + str(refused)


@pytest.mark.parametrize("address", ["?error=a%0Ab", "?next=" + quote("/?error=a%0Ab"), "?code=a&state=a%0Ab"])
def test_what_an_address_says_stays_on_one_line_of_the_log(address: str, caplog: pytest.LogCaptureFixture) -> None:
    assert came_back(f"/login{address}")[0].status_code == 401
    assert caplog.messages and not any("\n" in message for message in caplog.messages)
