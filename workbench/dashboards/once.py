"""What is made of a frame, made once a process: pages that show the same share the answer, and what is drawn of it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

T = TypeVar("T")
MOST = 500  # kept; beyond it those that nobody has asked for longest go
_lock = threading.Lock()
_made: OrderedDict[tuple[int, Hashable], tuple[Any, Any]] = OrderedDict()


def once(of: object, key: Hashable, make: Callable[[], T]) -> T:
    """What ``make`` makes of this very object; ``key`` names what else it depends on. Nobody may change either."""
    place = (id(of), key)  # the object is kept with it, so that no other one gets its id
    with _lock:
        if place in _made:
            _made.move_to_end(place)
            return cast(T, _made[place][1])
    made = make()
    with _lock:
        _made[place] = (of, made)
        while len(_made) > MOST:
            _made.popitem(last=False)
    return made
