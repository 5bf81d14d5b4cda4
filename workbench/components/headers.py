"""The headers that tell a browser what an answer of the served app may do: load, run, send, and who may frame it.

docs/decisions/030 says why each source is allowed, and what does without.
"""

from __future__ import annotations

import re
import secrets
from functools import cache

from tornado.httputil import HTTPHeaders
from tornado.web import OutputTransform

from workbench.config import load_settings
from workbench.config.addresses import listed_origins
from workbench.errors import SettingsError

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
