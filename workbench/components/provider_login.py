"""The login of a provider that Panel has been told of (OAuth), at the place where ours stands otherwise."""

from __future__ import annotations

import http
from functools import cache
from typing import Any

import panel as pn
from bokeh.server.tornado import BokehTornado
from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

from workbench.components import signed_in

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


def is_encrypted(request: HTTPServerRequest) -> bool:
    """Whether browsers reach the app by TLS, as far as Panel has been told."""
    return request.protocol == "https" or str(pn.config.oauth_redirect_uri or "").startswith("https://")


class _OfThisSite(RequestHandler):
    """Its cookies are sent by this site alone, and its failures told in words; Panel's page of errors has scripts."""

    def set_cookie(self, name: str, value: str | bytes, *given: Any, **options: Any) -> None:
        """As Tornado does, for this site alone and not in plain text beside TLS."""
        own: dict[str, Any] = {"samesite": "Lax", "secure": is_encrypted(self.request)}
        super().set_cookie(name, value, *given, **(own | options))

    def write_error(self, status_code: int, **_: Any) -> None:
        """Plain text, which repeats nothing of the request."""
        for name in signed_in.PROVIDER_COOKIES:
            self.clear_cookie(name)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(FAILED.format(http.HTTPStatus(status_code).phrase.lower()))


@cache
def _of_this_site(handler: type[RequestHandler]) -> type[RequestHandler]:
    return type(handler.__name__, (_OfThisSite, handler), {})
