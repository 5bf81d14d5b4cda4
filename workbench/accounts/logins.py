"""Logins of one process's people: begun with name and password, and looked at again and again until they end.

Wrong passwords are slowed: so many a minute for an account from an address, and more for either of them alone.
"""

from __future__ import annotations

import hashlib
import logging
import math
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from workbench.accounts.accounts import in_transaction, is_right
from workbench.accounts.actor import Actor, signed_out
from workbench.database.engines import Engines
from workbench.database.sql_files import WritingConnection, run_sql, write_sql
from workbench.errors import LoginRefused, ServerUnavailable, TooManyTries, WorkbenchError
from workbench.locale import N_, _, english

log = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_SECONDS = 1.0  # so long, and no longer, a login is believed to be as it was
TOKEN_BYTES = 32
WRONG = N_("Name or password is wrong.")


class Login:
    """One login, as it was found at the last look."""

    def __init__(self, token_hash: str, actor: Actor, ends_at: datetime) -> None:
        self.token_hash = token_hash
        self._actor, self._ends_at = actor, ends_at
        self._is_over = False
        self._pages: WeakKeyDictionary[Any, Callable[[Any], None]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    @property
    def actor(self) -> Actor:
        """Who it is. What it may do is looked up each time."""
        now = self._actor
        return Actor(now.name, now.role, now.stores, self._look)

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._is_over or datetime.now(UTC) >= self._ends_at

    def _look(self) -> Actor:
        if self.is_over:
            return signed_out()
        return self._actor

    def found(self, actor: Actor) -> None:
        """Takes down what its account may do now."""
        self._actor = actor

    def follow(self, page: Any, end: Callable[[Any], None]) -> None:
        """Has ``end`` called with ``page`` when it ends, at once when it has: on any thread, and once."""
        with self._lock:
            if not self._is_over:
                self._pages[page] = end
                return
        end(page)

    def end(self) -> None:
        """It has ended, and with it all that follow it."""
        with self._lock:
            self._is_over = True
            pages = dict(self._pages)
            self._pages.clear()
        for page, end in pages.items():
            end(page)


class Logins:
    """What this process knows of logins; a thread asks each second which of them still hold."""

    def __init__(self, engines: Engines, seconds: int) -> None:
        self._engines, self._seconds = engines, seconds
        self._known: dict[str, Login] = {}
        self._lock = threading.Lock()
        self._slowing = Slowing()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._vouched: dict[str, tuple[float, Actor | None]] = {}

    def begin(self, name: str, password: str, address: str) -> str:
        """Logs somebody in: the token that their browser keeps.

        Raises LoginRefused, the same after the same time whatever was wrong; TooManyTries; ServerUnavailable.
        """
        self._slowing.count(name, address)
        values = {"account_name": name}
        found = self._in_transaction(lambda c: run_sql(c, "accounts/password", values).one_or_none())
        if not is_right(password, None if found is None else found.password_hash):
            whose = "an unknown name" if found is None else found.account_name  # it may be a password, mistyped
            log.warning("A login as %s was refused, from %s", whose, address)
            raise LoginRefused(_(WRONG))
        token = secrets.token_urlsafe(TOKEN_BYTES)
        of = {"token_hash": _hash(token), "account_id": found.account_id, "seconds": self._seconds}
        begun = self._in_transaction(lambda c: write_sql(c, "accounts/begin_login", of).one_or_none())
        if begun is None:  # it was disabled meanwhile
            raise LoginRefused(_(WRONG))
        self._slowing.forgive(name, address)
        self._keep(Login(of["token_hash"], _actor(found), begun.ends_at))
        log.info("%s has logged in from %s", found.account_name, address)
        return token

    def known(self, token: str) -> Login | None:
        """The login of this token, as far as this process knows it."""
        login = self._known.get(_hash(token))
        return None if login is None or login.is_over else login

    def find(self, token: str) -> Login | None:
        """The same, of another process too: asks the servers. Raises ServerUnavailable."""
        if (login := self.known(token)) is not None:
            return login
        if len(token) > 2 * TOKEN_BYTES:
            return None
        token_hash = _hash(token)
        row = self._rows([token_hash]).get(token_hash)
        return None if row is None else self._keep(Login(token_hash, _actor(row), row.ends_at))

    def end(self, token: str) -> None:
        """Logs out. Raises ServerUnavailable when the master does not hear of it; here it has ended all the same."""
        token_hash = _hash(token)
        if (login := self._known.pop(token_hash, None)) is not None:
            login.end()
        self._in_transaction(lambda c: write_sql(c, "accounts/end_login", {"token_hash": token_hash}))

    def vouched(self, name: str) -> Actor | None:
        """Who goes by this name, for which somebody else vouches; None when no account that is enabled does."""
        found = self._of_name(name)
        return found and Actor(found.name, found.role, found.stores, lambda: self._of_name(name) or signed_out())

    def _of_name(self, name: str) -> Actor | None:
        asked_at, found = self._vouched.get(name, (-math.inf, None))
        if time.monotonic() - asked_at >= LOOK_SECONDS:
            row = self._read(lambda c: run_sql(c, "accounts/account", {"account_name": name}).one_or_none())
            found = None if row is None or row.disabled_at is not None else _actor(row)
            self._vouched[name] = (time.monotonic(), found)
        return found

    def look(self) -> None:
        """Finds out which of the logins still hold. While no server answers they are believed, until their time ends:
        without the master nobody can write."""
        known = dict(self._known)
        for login in known.values():
            if login.is_over:
                self._drop(login)
        known = {token_hash: login for token_hash, login in known.items() if not login.is_over}
        rows = self._rows(known) if known else {}
        for token_hash, login in known.items():
            if (row := rows.get(token_hash)) is None:
                self._drop(login)
            else:
                login.found(_actor(row))

    def start(self) -> None:
        """Starts the thread that looks, once however often it is called."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="logins", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=15)

    def _run(self) -> None:
        problem = ""
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                self.look()
                problem = ""
            except WorkbenchError as error:
                if str(error) != problem:
                    log.warning("Logins could not be looked at: %s", english(error))
                problem = str(error)
            except Exception:
                log.exception("Logins could not be looked at")

    def _keep(self, login: Login) -> Login:
        with self._lock:
            return self._known.setdefault(login.token_hash, login)

    def _drop(self, login: Login) -> None:
        self._known.pop(login.token_hash, None)
        login.end()

    def _in_transaction(self, work: Callable[[WritingConnection], Any]) -> Any:
        return in_transaction(self._engines, self._engines.owner.begin, work)

    def _rows(self, token_hashes: Iterable[str]) -> dict[str, Any]:
        values = {"token_hashes": list(token_hashes)}
        return self._read(lambda c: {row.token_hash: row for row in run_sql(c, "accounts/logins", values)})

    def _read(self, work: Callable[[sa.Connection], T]) -> T:
        """From the master, else from the replica: who is logged in goes on reading while the master is away."""
        try:
            return in_transaction(self._engines, self._engines.master_reader.begin, work)
        except ServerUnavailable:
            if self._engines.replica is None:
                raise
            return in_transaction(self._engines, self._engines.replica.begin, work)


def _actor(row: Any) -> Actor:
    return Actor(row.account_name, row.role, None if row.stores is None else frozenset(row.stores))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


WINDOW_SECONDS = 60.0
OF_PAIR, OF_ONE = 5, 20  # many addresses that try one account, one address that tries many accounts
MOST_KEPT = 10_000

Key = tuple[str, str]


class Slowing:
    """The tries of the last minute, in this process. A try is counted before it is looked at: many at once are too."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tries: dict[Key, deque[float]] = {}

    def count(self, name: str, address: str) -> None:
        """Counts a try. Raises TooManyTries, whatever its password is."""
        with self._lock:
            now = self._clock()
            limits = _limits(name, address)
            wait = max(self._wait(key, most, now) for key, most in limits.items())
            if wait > 0:
                raise TooManyTries(math.ceil(wait))
            self._make_room(now)
            for key in limits:
                self._tries.setdefault(key, deque()).append(now)

    def forgive(self, name: str, address: str) -> None:
        """The password was right: what this person has mistyped before is forgotten, what others have tried is not."""
        with self._lock:
            pair, *others = _limits(name, address)
            own = self._tries.pop(pair, deque())
            for key in others:
                for at in own:
                    if at in self._tries.get(key, ()):
                        self._tries[key].remove(at)

    def _wait(self, key: Key, most: int, now: float) -> float:
        tries = self._tries.get(key, deque())
        while tries and tries[0] <= now - WINDOW_SECONDS:
            tries.popleft()
        return tries[-most] + WINDOW_SECONDS - now if len(tries) >= most else 0.0

    def _make_room(self, now: float) -> None:
        if len(self._tries) >= MOST_KEPT:
            recent = now - WINDOW_SECONDS
            self._tries = {key: tries for key, tries in self._tries.items() if tries and tries[-1] > recent}
            while len(self._tries) >= MOST_KEPT:
                self._tries.pop(next(iter(self._tries)))


def _limits(name: str, address: str) -> dict[Key, int]:
    name = name.casefold()
    return {(name, address): OF_PAIR, (name, ""): OF_ONE, ("", address): OF_ONE}
