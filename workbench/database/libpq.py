"""Connections that are made from their arguments alone, whatever ``PG*`` variables the shell has set.

libpq takes what it is not told from such variables, and some (PGSERVICE, PGTZ) no argument overrules. They are meant
for other servers: to the embedded ones they bring another time zone, a service that is not there, a certificate that
those lack; and what holds for a configured server in one process, a report's process would not have.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PREFIX = "PG"

_changing = threading.Lock()
_connecting = 0  # attempts that are being made: the last one to end gives the variables back


@contextmanager
def without_variables() -> Iterator[None]:
    """Inside the block libpq finds no ``PG*`` variable.

    Only the C library's environment changes. ``os.environ`` stays as it is, so Python code and its children see no
    difference, and the analyst's own connections find their variables a moment later.
    """
    global _connecting
    with _changing:
        _connecting += 1
        for name in _names():
            os.unsetenv(name)
    try:
        yield
    finally:
        with _changing:
            _connecting -= 1
            if not _connecting:
                for name in _names():
                    os.putenv(name, os.environ[name])


def _names() -> list[str]:
    return [name for name in os.environ if name.startswith(PREFIX)]
