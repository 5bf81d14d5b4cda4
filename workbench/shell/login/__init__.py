"""Login, one's own password and the way out, as routes of the served app. None has a script: they work everywhere."""

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

from workbench.accounts import accounts
from workbench.components import signed_in
from workbench.config import load_settings
from workbench.config.addresses import listed_hosts, read_host
from workbench.connection import open_workbench
from workbench.errors import AccountError, LoginRefused, TooManyTries, WorkbenchError
from workbench.locale import N_, _, english, language

__all__ = ["ROUTES", "place_on_site"]
FOLDER = Path(__file__).parent
ON_SITE = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
MOST = 300  # characters of a name or a password that are looked at
THEME_COOKIE = "workbench_theme"
HEADINGS = {"login": N_("Log in"), "password": N_("Password"), "left": N_("Logged out")}
TEXT = re.compile(r'_\("(.*?)"\)')  # in the pages: what is looked up


def _page(name: str) -> Template:
    return Template(TEXT.sub(lambda found: _(found[1]), _read(name)))


@cache
def _read(name: str) -> str:
    text = (FOLDER / "frame.html").read_text(encoding="utf-8")
    parts = {"ICON": FOLDER.parent / "icon.svg", "STYLE": FOLDER / "login.css", "MAIN": FOLDER / f"{name}.html"}
    for mark, path in parts.items():
        text = text.replace(mark, path.read_text(encoding="utf-8"))
    return text


def place_on_site(text: str, prefix: str) -> str:
    """Where to go after the login: the page that was asked for, if it is one of this app's; else the first one."""
    parts = urlsplit(text) if ON_SITE.fullmatch(text) else None
    is_own = parts is not None and not parts.scheme and not parts.netloc and text.startswith(f"{prefix}/")
    leads_round = parts is not None and parts.path in (prefix + signed_in.LOGIN, prefix + signed_in.LOGOUT)
    return text if is_own and not leads_round else f"{prefix}/"


class _Page(RequestHandler):
    """What all have in common: whose form it was that was sent, where this app begins, and how a form is shown."""

    ways: tuple[signed_in.Way, ...] = ("accounts",)

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
        if signed_in.way(self.request) not in self.ways:
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

    def typed(self, *fields: str) -> list[str]:
        """What stands in the fields of the form that was sent."""
        return [self.get_body_argument(field, "", strip=False)[:MOST] for field in fields]

    def show(self, page: str, status: int, **values: str) -> None:
        """Finishes with the page of this name, in the theme that the browser last chose."""
        chosen = self.get_cookie(THEME_COOKIE, "") or ""
        self.set_status(status)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        values |= {
            "heading": _(HEADINGS[page]),
            "language": language(),
            "theme": chosen if chosen in ("dark", "light") else "",
        }
        self.finish(_page(page).substitute({key: escape(value) for key, value in values.items()}))

    async def begin(self, name: str, password: str) -> None:
        """Logs somebody in, in place of who was before. Raises WorkbenchError, and keeps that one then."""
        token = await self.token(name, password)
        await _end(signed_in.token_of(self.request))  # a browser has one login
        self.keep(token, round(load_settings().workbench_login_hours * 3600))

    async def token(self, name: str, password: str) -> str:
        """What a browser keeps of a login that begins now. Raises WorkbenchError."""
        logins = await asyncio.to_thread(signed_in.shared_logins)
        return await asyncio.to_thread(logins.begin, name.strip(), password, str(self.request.remote_ip))

    def in_words(self, error: WorkbenchError) -> tuple[int, str]:
        """The status and the words for a login that was refused, one that has to wait, or servers that are away."""
        if isinstance(error, TooManyTries):
            self.set_header("Retry-After", str(error.seconds))
            return 429, str(error)
        return (403, str(error)) if isinstance(error, LoginRefused) else (503, f"{_('Try again later.')} {error}")


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
        name, password = self.typed("username", "password")
        try:
            await self.begin(name, password)
        except WorkbenchError as error:
            self._show(target, *self.in_words(error), name)
        else:
            self.redirect(target, status=303)

    def _target(self) -> str:
        return place_on_site(self.get_argument("next", ""), self.prefix)

    def _show(self, target: str, status: int = 200, said: str = "", name: str = "") -> None:
        focus = {"focus_name": "" if name else "autofocus", "focus_password": "autofocus" if name else ""}
        self.show("login", status, action=self.prefix + signed_in.LOGIN, next=target, said=said, name=name, **focus)


class PasswordPage(_Page):
    """Asks for one's own password and a new one, which ends one's logins elsewhere."""

    def get(self) -> None:
        """Answers with the form."""
        self._show()

    async def post(self) -> None:
        """Looks at what was typed: 303 to the first page, 400 for a new one that will not do, else as at the login."""
        now, new, again = self.typed("password", "new_password", "again")
        name = self._name()
        if new != again:
            self._show(400, _("The new password was not typed the same twice."))
            return
        try:
            of_check = await self.token(name, now)
            try:
                await asyncio.to_thread(accounts.reset_password, open_workbench().engines, name, new)
            finally:
                await _end(of_check)
            await self.begin(name, new)
        except AccountError as error:
            self._show(400, str(error))
        except LoginRefused:
            self._show(403, _("Your password is another one."))
        except WorkbenchError as error:
            self._show(*self.in_words(error))
        else:
            self.redirect(f"{self.prefix}/", status=303)

    def _name(self) -> str:
        return str(self.request.workbench_login.actor.name)  # type: ignore[attr-defined]

    def _show(self, status: int = 200, said: str = "") -> None:
        places = {"action": self.prefix + signed_in.PASSWORD, "back": f"{self.prefix}/"}
        self.show("password", status, **places, said=said, name=self._name(), least=str(accounts.LEAST))


class Logout(_Page):
    """Ends a login: its pages are closed, and the browser forgets it. Of a provider's login it does the latter."""

    ways = ("accounts", "provider")

    def get(self) -> None:
        """What is left to do where a provider, which may know the browser still, would log in again at once."""
        if signed_in.way(self.request) == "accounts":
            raise HTTPError(405)
        at_provider = signed_in.provider_logout_url()
        self.show("left", 200, again=f"{self.prefix}/", at_provider=at_provider, there="" if at_provider else "hidden")

    async def post(self) -> None:
        """Ends the login, and answers 303 to the login page, or to what a provider leaves to do."""
        if signed_in.way(self.request) == "provider":
            signed_in.forget(self)
            self.redirect(self.prefix + signed_in.LOGOUT, status=303)
            return
        await _end(signed_in.token_of(self.request))
        self.clear_cookie(signed_in.COOKIE, path=self.prefix or "/")
        self.redirect(self.prefix + signed_in.LOGIN, status=303)


async def _end(token: str) -> None:
    if token:
        try:
            logins = await asyncio.to_thread(signed_in.shared_logins)
            await asyncio.to_thread(logins.end, token)
        except WorkbenchError as error:
            signed_in.log.warning("A login ended here, and may hold elsewhere: %s", english(error))


ROUTES: list[tuple[str, type[RequestHandler], dict[str, Any]]] = [
    (signed_in.LOGIN, LoginPage, {}),
    (signed_in.PASSWORD, PasswordPage, {}),
    (signed_in.LOGOUT, Logout, {}),
]
