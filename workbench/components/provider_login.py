"""The login of a provider that Panel has been told of (OAuth), at the place where ours stands otherwise."""

from __future__ import annotations

import http
import logging
import secrets
from functools import cache
from typing import Any, NoReturn

import panel as pn
from bokeh.server.tornado import BokehTornado
from panel.auth import STATE_COOKIE_NAME, decode_response_body
from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError, RequestHandler

from workbench.components import signed_in

log = logging.getLogger(__name__)

FAILED = "You were not logged in: {}. Open the page again to try once more; the cause is in the server's log.\n"


def handler_of(app: BokehTornado, request: HTTPServerRequest) -> type[RequestHandler] | None:
    """Who answers a request for the login where a provider vouches for people; None for all else."""
    provider = app.auth_provider
    if signed_in.way(request) != "provider" or request.path.removeprefix(app.prefix) != provider.login_url:
        return None
    handler: Any = provider.login_handler
    return None if handler is None else _of_this_site(handler)


def provider_logout_url() -> str:
    """Where people log out at the provider itself; empty when Panel was not told."""
    return str(pn.config.oauth_extra_params.get("LOGOUT_URL", ""))


def forget(handler: RequestHandler) -> None:
    """Has a browser forget all that a provider's login left in it; Panel keeps the state for the whole host."""
    for name in signed_in.PROVIDER_COOKIES:
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
