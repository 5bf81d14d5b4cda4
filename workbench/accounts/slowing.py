"""Wrong passwords are slowed: so many a minute for an account from an address, and more for either of them alone."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from math import ceil

from workbench.errors import TooManyTries

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
                raise TooManyTries(ceil(wait))
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
