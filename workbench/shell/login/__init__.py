"""The login page and the way out, as routes of the served app. Neither has a script, so that both work everywhere."""

from __future__ import annotations

import asyncio
import re
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit

from tornado.web import HTTPError, RequestHandler

from workbench.components import signed_in
from workbench.config import load_settings
from workbench.config.hosts import listed_hosts, read_host
from workbench.errors import LoginRefused, TooManyTries, WorkbenchError

FOLDER = Path(__file__).parent
ON_SITE = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
MOST = 300  # characters of a name or a password that are looked at
THEME_COOKIE = "workbench_theme"


@cache
def _page() -> Template:
    text = (FOLDER / "login.html").read_text(encoding="utf-8")
    icon = (FOLDER.parent / "icon.svg").read_text(encoding="utf-8")
    return Template(text.replace("ICON", icon).replace("STYLE", (FOLDER / "login.css").read_text(encoding="utf-8")))


def place_on_site(text: str, prefix: str) -> str:
    """Where to go after the login: the page that was asked for, if it is one of this app's; else the first one."""
    parts = urlsplit(text) if ON_SITE.fullmatch(text) else None
    is_own = parts is not None and not parts.scheme and not parts.netloc and text.startswith(f"{prefix}/")
    leads_round = parts is not None and parts.path in (prefix + signed_in.LOGIN, prefix + signed_in.LOGOUT)
    return text if is_own and not leads_round else f"{prefix}/"


class _Page(RequestHandler):
    """What both have in common: whose form it was that was sent, and where this app begins."""

    @property
    def prefix(self) -> str:
        """What every path of this app begins with; empty, or as in ``/desk``."""
        return str(self.application.prefix)  # type: ignore[attr-defined]

    @property
    def origin(self) -> str:
        """From where a form was sent; empty when the browser does not say."""
        return self.request.headers.get("Origin", "")

    @property
    def is_encrypted(self) -> bool:
        """Whether the browser speaks TLS, with this server or with a proxy before it."""
        return self.request.protocol == "https" or self.origin.startswith("https://")

    def prepare(self) -> None:
        """A form that a page of another site has sent is refused: a browser says where it comes from."""
        if signed_in.way(self.request) != "accounts":
            raise HTTPError(404)
        self.set_header("Cache-Control", "no-store")
        if self.request.method == "POST" and not self._is_own_form():
            raise HTTPError(403, reason="This form was sent from another site")

    def _is_own_form(self) -> bool:
        fetch = self.request.headers.get("Sec-Fetch-Site")
        if fetch is not None:
            return fetch in ("same-origin", "none")
        if not self.origin:
            return True  # no browser: nobody's cookies come along by themselves
        host = read_host(urlsplit(self.origin).netloc)
        own = listed_hosts(load_settings().workbench_allowed_hosts)
        return host is not None and (host == read_host(self.request.headers.get("Host", "")) or host in own)

    def keep(self, token: str, seconds: int) -> None:
        """Has the browser keep this of its login; no script reads it, and no other site has it sent."""
        options: dict[str, Any] = {"httponly": True, "samesite": "Lax", "secure": self.is_encrypted}
        self.set_cookie(signed_in.COOKIE, token, path=self.prefix or "/", max_age=seconds, **options)


class LoginPage(_Page):
    """Asks for name and password, and leads on to the page that was asked for."""

    async def get(self) -> None:
        """The form; whoever has logged in already is led on."""
        target = self._target()
        if await signed_in.find_login(self.request) is not None:
            self.redirect(target)
            return
        self._show(target)

    async def post(self) -> None:
        """Looks at what was typed: 303 to the page, 403 in words, 429 for too many wrong ones, 503 without servers."""
        target = self._target()
        name, password = (self.get_body_argument(field, "", strip=False)[:MOST] for field in ("username", "password"))
        try:
            logins = await asyncio.to_thread(signed_in.shared_logins)
            token = await asyncio.to_thread(logins.begin, name.strip(), password, str(self.request.remote_ip))
        except LoginRefused as error:
            self._show(target, 403, str(error), name)
        except TooManyTries as error:
            self.set_header("Retry-After", str(error.seconds))
            self._show(target, 429, str(error), name)
        except WorkbenchError as error:
            self._show(target, 503, f"Nobody can log in at the moment. {error}", name)
        else:
            await _end(signed_in.token_of(self.request))  # a browser has one login
            self.keep(token, round(load_settings().workbench_login_hours * 3600))
            self.redirect(target, status=303)

    def _target(self) -> str:
        return place_on_site(self.get_argument("next", ""), self.prefix)

    def _show(self, target: str, status: int = 200, said: str = "", name: str = "") -> None:
        chosen = self.get_cookie(THEME_COOKIE, "") or ""
        self.set_status(status)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        values = {
            "action": self.prefix + signed_in.LOGIN,
            "next": target,
            "said": said,
            "name": name,
            "theme": chosen if chosen in ("dark", "light") else "",
            "focus_name": "" if name else "autofocus",
            "focus_password": "autofocus" if name else "",
        }
        self.finish(_page().substitute({key: escape(value) for key, value in values.items()}))


class Logout(_Page):
    """Ends a login: its pages are closed, and the browser forgets it."""

    async def post(self) -> None:
        """To the login page, 303."""
        await _end(signed_in.token_of(self.request))
        self.clear_cookie(signed_in.COOKIE, path=self.prefix or "/")
        self.redirect(self.prefix + signed_in.LOGIN, status=303)


async def _end(token: str) -> None:
    if token:
        try:
            logins = await asyncio.to_thread(signed_in.shared_logins)
            await asyncio.to_thread(logins.end, token)
        except WorkbenchError as error:
            signed_in.log.warning("A login ended here, and may hold elsewhere: %s", error)


ROUTES: list[tuple[str, type[RequestHandler], dict[str, Any]]] = [
    (signed_in.LOGIN, LoginPage, {}),
    (signed_in.LOGOUT, Logout, {}),
]
