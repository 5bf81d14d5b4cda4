"""What all tests with servers share."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.integration.scratch_cluster import run, scratch_settings, session
from workbench.config import Settings
from workbench.servers import cluster


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


@pytest.fixture(scope="module")
def shared_cluster() -> Iterator[Settings]:
    """One cluster for the tests of this module: each leaves it running and whole."""
    with scratch_settings() as settings:
        cluster.up(settings)
        with session(cluster.superuser(settings)) as master:
            run(master, "create table public.note (note_id bigint primary key, body text)")
            run(master, "grant select on public.note to workbench_reader")
        yield settings


@pytest.fixture
def no_cluster() -> Iterator[Settings]:
    """Settings for a cluster that nobody has made yet."""
    with scratch_settings() as settings:
        yield settings
