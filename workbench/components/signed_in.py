"""Who may in to the served app, and as whom: by an account of the workbench, or by the login of a provider (OAuth).

On loopback nobody logs in, and whoever sits at the machine is its user. Elsewhere people log in with an account, or by
a provider that Panel has been told of (OAuth), whose names have accounts without a password.
"""

from __future__ import annotations

import asyncio
import hmac
import http
import ipaddress
import logging
import secrets
from functools import cache
from typing import Any, Literal, NoReturn

import panel as pn
from bokeh.server.tornado import BokehTornado
from panel.auth import STATE_COOKIE_NAME, decode_response_body
from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError, RequestHandler, decode_signed_value
from tornado.websocket import WebSocketHandler

from workbench.accounts.accounts import refuse_without_admin
from workbench.accounts.actor import NOBODY, Actor, ask_for_actor
from workbench.accounts.logins import Login, Logins
from workbench.config import Settings, load_settings
from workbench.config.addresses import LOOPBACK, listed_hosts
from workbench.connection import open_workbench
from workbench.errors import SettingsError, WorkbenchError
from workbench.locale import english

log = logging.getLogger(__name__)

COOKIE = "workbench_login"
# What a provider of Panel's keeps in the browser; the first is the name that it vouches for, signed.
PROVIDER_COOKIES = (
    "user",
    "id_token",
    "access_token",
    "refresh_token",
    "oauth_expiry",
    "panel-oauth-state",
    "panel-oauth-code",
)
LOGIN, LOGOUT, HEALTH, METRICS = "/login", "/logout", "/health", "/metrics"
PASSWORD = "/password"
FREE = (LOGIN, LOGOUT, HEALTH)  # all else is for who has logged in
Way = Literal["none", "accounts", "provider"]

_logins: Logins | None = None
_way: Way | None = None  # None: no server of this process has said where it listens


def needs_login(address: str | None, settings: Settings) -> bool:
    """Whether others than this machine may reach an app that listens there (None: everywhere), or a setting says so."""
    named = {name for name, _ in listed_hosts(settings.workbench_allowed_hosts)}
    return settings.workbench_login == "accounts" or not is_loopback(address) or not named <= set(LOOPBACK)


def is_loopback(address: str | None) -> bool:
    """Whether nobody but this machine reaches this address."""
    try:
        return address is not None and (address in LOOPBACK or ipaddress.ip_address(address).is_loopback)
    except ValueError:  # another name, whatever it stands for
        return False


def begin(address: str | None, app: BokehTornado) -> None:
    """Decides how people get in to a server that is about to listen. Raises SettingsError when nobody could.

    What these cookies hold must not get into pages: Bokeh writes a request's cookies into the page that it gives.
    """
    global _way
    settings = load_settings()
    app._exclude_cookies = [*(app.exclude_cookies or []), COOKIE, *PROVIDER_COOKIES]
    app._exclude_headers = [*(app.exclude_headers or []), "Cookie", "Authorization"]
    has_provider = bool(app.auth_provider.get_user or app.auth_provider.get_user_async)
    _way = "provider" if has_provider else "accounts" if needs_login(address, settings) else "none"
    ask_for_actor(actor_of_page)
    if _way == "none":
        return
    try:
        workbench = open_workbench()
        refuse_without_admin(workbench.engines, by_password=_way == "accounts")
    except SettingsError:
        raise
    except WorkbenchError as error:
        log.warning("Nobody can log in yet: %s", english(error))


def way(request: HTTPServerRequest | None = None) -> Way:
    """How people get in. A server that did not say where it listens is judged by where a request came to."""
    if _way is not None or request is None:
        return _way or "none"
    local = came_to(request)
    return "accounts" if needs_login(None if local is None else local[0], load_settings()) else "none"


def came_to(request: HTTPServerRequest) -> tuple[str, int] | None:
    """Address and port on which the connection arrived; None when it is closed already, or no TCP."""
    stream = getattr(request.connection, "stream", None)
    local = stream.socket.getsockname() if stream is not None and stream.socket is not None else None
    return (local[0], local[1]) if isinstance(local, tuple) else None


def actor_of_page() -> Actor | None:
    """Whoever has logged in to the page that this runs for; None where nobody logs in."""
    document = pn.state.curdoc
    context: Any = None if document is None else document.session_context
    if context is None:
        return None if way() == "none" else NOBODY
    if way() == "provider":
        name = name_of_page()
        return (name and open_workbench().logins.vouched(name)) or NOBODY
    login: Login | None = getattr(context.request, "workbench_login", None)
    return login.actor if login is not None else None if way(_real(context.request)) == "none" else NOBODY


def _real(request: Any) -> HTTPServerRequest | None:
    return getattr(request, "_request", request)


def is_let_in(app: BokehTornado, request: HTTPServerRequest) -> bool:
    """Whether this request needs no login of ours."""
    path = request.path.removeprefix(app.prefix)
    found = way(request)
    if found == "none" or path in FREE or (path == METRICS and _has_token(request)):
        return True
    if found == "accounts":
        return False
    # Panel would ask as well, but not for all that it gives, and a stranger could fill the log with its failures.
    return path == app.auth_provider.logout_url or bool(vouched_name(request))


def vouched_name(request: Any) -> str:
    """Whom Panel's provider has named as the one who asks; empty when nobody, or too long ago."""
    secret, cookie = pn.config.cookie_secret, getattr(request, "cookies", {}).get(PROVIDER_COOKIES[0])
    if not secret or cookie is None:
        return ""
    value = decode_signed_value(secret, PROVIDER_COOKIES[0], cookie.value, max_age_days=pn.config.oauth_expiry)
    return (value or b"").decode()


async def has_account(request: HTTPServerRequest) -> bool:
    """Whether whoever was let in with this request is Prometheus or has an account: a provider names others too."""
    if way(request) != "provider" or _has_token(request):
        return True
    try:
        return await asyncio.to_thread(lambda: open_workbench().logins.vouched(vouched_name(request))) is not None
    except WorkbenchError as error:
        log.warning("An account could not be looked at: %s", english(error))
        return False


def name_of_page() -> str:
    """Whom the provider has named, of the page that this runs for; empty where there is none."""
    document = pn.state.curdoc
    context: Any = None if document is None else document.session_context
    return vouched_name(_real(context.request)) if context is not None and way() == "provider" else ""


def _has_token(request: HTTPServerRequest) -> bool:
    """Whether Prometheus asks."""
    token = load_settings().workbench_metrics_token.get_secret_value()
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(token) and hmac.compare_digest(given.encode(), token.encode())


def token_of(request: HTTPServerRequest) -> str:
    """What the browser keeps of its login; empty when nothing."""
    cookie = request.cookies.get(COOKIE)
    return "" if cookie is None else cookie.value


async def find_login(request: HTTPServerRequest) -> Login | None:
    """The login that a request shows, which may be another process's."""
    token = token_of(request)
    if not token:
        return None
    try:
        logins = await asyncio.to_thread(shared_logins) if _logins is None else _logins
        return logins.known(token) or await asyncio.to_thread(logins.find, token)
    except WorkbenchError as error:
        log.warning("A login could not be looked at: %s", english(error))
        return None


def shared_logins() -> Logins:
    """The logins of this process, which are looked at from now on. Raises ServerUnavailable and ClusterError."""
    global _logins
    found = _logins = open_workbench().logins
    found.start()
    return found


def close_with(login: Login, handler: RequestHandler | None) -> None:
    """Has a page's websocket closed when its login ends."""
    if isinstance(handler, WebSocketHandler):
        loop = asyncio.get_running_loop()

        def close(page: WebSocketHandler) -> None:
            loop.call_soon_threadsafe(page.close)

        login.follow(handler, close)


FAILED = "You were not logged in: {}. Open the page again to try once more; the cause is in the server's log.\n"


def handler_of(app: BokehTornado, request: HTTPServerRequest) -> type[RequestHandler] | None:
    """Who answers a request for the login where a provider vouches for people; None for all else."""
    provider = app.auth_provider
    if way(request) != "provider" or request.path.removeprefix(app.prefix) != provider.login_url:
        return None
    handler: Any = provider.login_handler
    return None if handler is None else _of_this_site(handler)


def provider_logout_url() -> str:
    """Where people log out at the provider itself; empty when Panel was not told."""
    return str(pn.config.oauth_extra_params.get("LOGOUT_URL", ""))


def forget(handler: RequestHandler) -> None:
    """Has a browser forget all that a provider's login left in it; Panel keeps the state for the whole host."""
    for name in PROVIDER_COOKIES:
        handler.clear_cookie(name, path="/" if name == STATE_COOKIE_NAME else pn.config.cookie_path)


def is_encrypted(request: HTTPServerRequest) -> bool:
    """Whether browsers reach the app by TLS, as far as Panel has been told."""
    return request.protocol == "https" or str(pn.config.oauth_redirect_uri or "").startswith("https://")


class _OfThisSite(RequestHandler):
    """Its cookies are sent by this site alone, and its failures told in words; Panel's page of errors has scripts.

    The log has of a failure what the provider calls it, and nothing else that it answered: that may be tokens.
    """

    def get_argument(self, *given: Any, **options: Any) -> Any:
        """As Tornado does, on one line: Panel logs what it reads here, or gives as the default from within ``next``."""
        found = super().get_argument(*given, **options)
        return "".join(c if c.isprintable() else " " for c in found) if isinstance(found, str) else found

    def get_state_cookie(self) -> str:
        """What the login has to come back with; of a browser that began none, what nobody knows.

        Panel compares it with the address, and empty would be what an address of another's making has too.
        """
        panels: Any = super()
        return panels.get_state_cookie() or secrets.token_urlsafe()

    async def _fetch_access_token(self, *given: Any, **options: Any) -> Any:
        """As Panel does, and in words while the provider is away or answers what nobody can read."""
        panels: Any = super()
        try:
            return await panels._fetch_access_token(*given, **options)
        except (OSError, ValueError) as error:
            log.error("The provider could not be asked who logs in: %s", error)
            raise HTTPError(503) from None

    def _raise_error(self, response: Any, body: Any = None, status: int = 400) -> NoReturn:
        """In place of Panel's, which logs the whole answer."""
        if response is None:
            log.error("The provider did not answer who logs in")
            raise HTTPError(503)
        body = body or decode_response_body(response)
        named = body.get("error") if isinstance(body, dict) else None
        log.error("The provider did not say who logs in: status %s, error %.200r", response.code, named)
        raise HTTPError(status)

    def set_cookie(self, name: str, value: str | bytes, *given: Any, **options: Any) -> None:
        """As Tornado does, for this site alone and not in plain text beside TLS."""
        own: dict[str, Any] = {"samesite": "Lax", "secure": is_encrypted(self.request)}
        super().set_cookie(name, value, *given, **(own | options))

    def write_error(self, status_code: int, **_: Any) -> None:
        """Plain text, which repeats nothing of the request."""
        forget(self)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(FAILED.format(http.HTTPStatus(status_code).phrase.lower()))


@cache
def _of_this_site(handler: type[RequestHandler]) -> type[RequestHandler]:
    return type(handler.__name__, (_OfThisSite, handler), {})
