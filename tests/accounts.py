"""Accounts for tests, and logging in without a browser."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Mapping
from email.message import Message

from workbench.accounts import accounts
from workbench.accounts.accounts import Account
from workbench.accounts.actor import Role
from workbench.accounts.logins import Logins
from workbench.components.signed_in import COOKIE
from workbench.database.engines import Engines

PASSWORD = "correct horse battery"


def make(engines: Engines, name: str, role: Role, stores: Iterable[int] | None = None) -> Account:
    """An account with PASSWORD."""
    return accounts.add(engines, name, PASSWORD, role, stores)


def cookie(engines: Engines, name: str) -> str:
    """The cookie of a login of this account."""
    return f"{COOKIE}={Logins(engines, 3600).begin(name, PASSWORD, '127.0.0.1')}"


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_given: object, **_options: object) -> None:
        return None


def asked(url: str, form: Mapping[str, str] | None = None, **headers: str) -> tuple[int, Message, str]:
    """Status, headers and text of an answer, which is not followed elsewhere; a ``form`` is posted."""
    data = None if form is None else urllib.parse.urlencode(form).encode()
    request = urllib.request.Request(url, data, {name.replace("_", "-"): text for name, text in headers.items()})
    try:
        answer = urllib.request.build_opener(_Stay).open(request, timeout=60)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers, answer.read().decode(errors="replace")


def logged_in(url: str, name: str, **headers: str) -> str:
    """The cookie that the login page of the app at ``url`` gives."""
    status, found, _ = asked(f"{url}/login", {"username": name, "password": PASSWORD}, **headers)
    assert status == 303, status
    return found["Set-Cookie"].split(";")[0]
