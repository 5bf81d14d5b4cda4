"""What all tests with servers share."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _no_loop_is_left_open(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Outside a server and a notebook Panel makes an event loop for a call, and leaves it open."""
    policy = type(asyncio.get_event_loop_policy())
    make, made = policy.new_event_loop, list[asyncio.AbstractEventLoop]()

    def noted(self: asyncio.AbstractEventLoopPolicy) -> asyncio.AbstractEventLoop:
        made.append(make(self))
        return made[-1]

    monkeypatch.setattr(policy, "new_event_loop", noted)
    yield
    left = [loop for loop in made if not loop.is_closed() and not loop.is_running()]
    for loop in left:
        loop.close()
    if left:
        asyncio.set_event_loop(None)
