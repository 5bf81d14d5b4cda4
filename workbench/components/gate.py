"""The gate of a served app: which requests are refused, and the headers that say what a browser may do.

A page of anybody's could read all sales: its owner lets the page's name point to this machine (DNS rebinding), and the
browser then takes the app for a part of that page. Host and Origin are both that name, so that the check of the origin
finds nothing wrong.

docs/decisions/030 says why each source is allowed, and what does without.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import urlencode

from bokeh.server.server import BaseServer
from bokeh.server.tornado import BokehTornado
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, HTTPServerRequest
from tornado.web import HTTPError, OutputTransform, RequestHandler

from workbench.components import signed_in
from workbench.config import load_settings
from workbench.config.addresses import LOOPBACK, Host, hosts_at, listed_hosts, listed_origins, plain_address, read_host
from workbench.errors import SettingsError

REFUSAL = (
    "The sales workbench does not go by the name that this request gives it (its header Host). If that name is yours,"
    " for a proxy or a tunnel, add it to WORKBENCH_ALLOWED_HOSTS as the browser's address bar has it, and restart.\n"
)

LOG_IN = "Log in to the sales workbench first: open one of its pages in a browser.\n"

_asked_at = 0.0


def keep() -> None:
    """Has every server of this process refuse unknown hosts and people, and send its headers, from the next request on.

    Panel's own routes, assets, websockets and unknown paths all go through this one method of Tornado's. Safe to call
    again.
    """
    find = BokehTornado.find_handler
    if find.__module__ == __name__:
        return

    def find_known(app: BokehTornado, request: HTTPServerRequest, **options: Any) -> Any:
        global _asked_at
        _asked_at = time.monotonic()
        if Guarded not in app.transforms:
            app.transforms.insert(0, Guarded)  # before one that would compress what it looks at
        if not is_known(request):
            return app.get_handler_delegate(request, Refused)
        if (login := signed_in.handler_of(app, request)) is not None:
            return app.get_handler_delegate(request, login)
        found = find(app, request, **options)
        return found if signed_in.is_let_in(app, request) else Checked(app, request, found)

    BokehTornado.find_handler = find_known  # type: ignore[assignment]


def keep_from_start(then: Callable[[], None] = lambda: None) -> None:
    """Has a server refuse to start where others reach it and nobody could log in, and else do this ``then``.

    Safe to call again.
    """
    start = BaseServer.start
    if start.__module__ == __name__:
        return

    def start_if_safe(server: BaseServer) -> None:
        try:
            signed_in.begin(server.address, server._tornado)
        except SettingsError as error:
            raise SystemExit(f"workbench: {error}") from None
        start(server)
        then()

    BaseServer.start = start_if_safe  # type: ignore[assignment, method-assign]


def last_asked() -> float:
    """When a server of this process was asked last, as its event loop knows, by time.monotonic; 0 before the first."""
    return _asked_at


class Checked(HTTPMessageDelegate):
    """A request that waits until it is known who asks; ``found`` then answers it, or the way to the login."""

    def __init__(self, app: BokehTornado, request: HTTPServerRequest, found: Any) -> None:
        self._app, self._request, self._found = app, request, found

    def headers_received(self, *given: Any) -> Any:
        """Hands the line and the headers on to the page."""
        return self._found.headers_received(*given)

    def data_received(self, data: bytes) -> Any:
        """Hands a part of the body on to the page."""
        return self._found.data_received(data)

    def finish(self) -> None:
        """The request is there: it is looked at who asks."""
        self._task = asyncio.ensure_future(self._answer())

    def on_connection_close(self) -> None:
        """Tells the page that the browser is gone."""
        self._found.on_connection_close()

    async def _answer(self) -> None:
        login = await signed_in.find_login(self._request)
        if login is None:
            self._app.get_handler_delegate(self._request, NotLoggedIn).finish()
            return
        self._request.workbench_login = login  # type: ignore[attr-defined]
        self._found.finish()
        signed_in.close_with(login, getattr(self._found, "handler", None))


def is_known(request: HTTPServerRequest) -> bool:
    """Whether the request names this server: loopback or the address that it came to, with the port, or a set name."""
    host = read_host(request.headers.get("Host", ""))
    return host is not None and (host in _came_to(request) or host in _named())


def _came_to(request: HTTPServerRequest) -> set[Host]:
    """An address cannot be pointed elsewhere, so the one on which the connection arrived is always the app's own."""
    local = signed_in.came_to(request)
    return set() if local is None else hosts_at({*LOOPBACK, plain_address(local[0])}, [local[1]])


def _named() -> set[Host]:
    try:
        return _of_settings()
    except SettingsError:
        return set()  # the page says what is wrong with them


@cache
def _of_settings() -> set[Host]:
    settings = load_settings()
    return listed_hosts(settings.workbench_allowed_hosts) | hosts_at(LOOPBACK, [settings.workbench_port])


class NotLoggedIn(RequestHandler):
    """A page leads to the login, which leads back to it; all else is answered 401, a websocket 403."""

    def prepare(self) -> None:
        """Before any method is looked for."""
        request = self.request
        if request.headers.get("Upgrade", "").lower() == "websocket":
            raise HTTPError(403)
        if request.method not in ("GET", "HEAD") or "text/html" not in request.headers.get("Accept", ""):
            raise HTTPError(401)
        app: Any = self.application
        login = app.auth_provider.login_url or signed_in.LOGIN
        self.redirect(f"{app.prefix}{login}?{urlencode({'next': request.uri or '/'})}")

    def write_error(self, status_code: int, **_: Any) -> None:
        """Plain text, which repeats nothing of the request."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(LOG_IN)


class Refused(RequestHandler):
    """Answers 403, whatever is asked."""

    def prepare(self) -> None:
        """Before any method is looked for."""
        raise HTTPError(403)

    def write_error(self, status_code: int, **_: Any) -> None:
        """Plain text, which repeats nothing of the request."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(REFUSAL)


NOT_MODIFIED = 304  # the browser keeps the page that it has, and with it the policy that came along
SCRIPT = re.compile(rb"<script\b(.*?</script\s*>)", re.DOTALL | re.IGNORECASE)
ALWAYS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
PAGE = {
    "default-src": "'none'",
    "script-src": "'self' 'nonce-{nonce}'",  # Panel's components are modules, imported from blobs
    "style-src": "'self' 'unsafe-inline'",  # Bokeh writes styles into each component, and in their attributes
    "img-src": "'self' data:",  # icons
    "font-src": "'self'",
    "connect-src": "'self' blob:",  # where these modules are read
    "form-action": "'self'",
    "base-uri": "'none'",
}
OTHER = {"default-src": "'none'"}  # a picture, a style sheet, numbers: opened by itself it loads and runs nothing


class Guarded(OutputTransform):
    """Adds them to every answer of an application, whichever handler gives it: Tornado asks it as each one begins."""

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """The answer with its headers; the scripts that a document itself holds get the nonce of this answer."""
        for name, value in ALWAYS.items():
            headers[name] = value
        if status_code == NOT_MODIFIED:
            return status_code, headers, chunk
        if not headers.get("Content-Type", "").startswith("text/html"):
            headers["Content-Security-Policy"] = _policy(OTHER)
            return status_code, headers, chunk
        nonce = secrets.token_urlsafe(16)
        headers["Content-Security-Policy"] = _policy(PAGE).format(nonce=nonce)
        named = SCRIPT.sub(rb'<script nonce="%s"\1' % nonce.encode(), chunk)
        if "Content-Length" in headers:
            headers["Content-Length"] = str(int(headers["Content-Length"]) + len(named) - len(chunk))
        return status_code, headers, named


def _policy(sources: dict[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in {**sources, "frame-ancestors": _framed_by()}.items())


@cache
def _framed_by() -> str:
    """Pages of its own origin, where Jupyter's proxy shows the app, and those that the settings name."""
    try:
        origins = listed_origins(load_settings().workbench_frame_ancestors)
    except SettingsError:
        origins = []  # the page says what is wrong with them
    return " ".join(["'self'", *origins])
