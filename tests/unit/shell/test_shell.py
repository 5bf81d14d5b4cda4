"""What a page leaves behind, and what the banner says."""

from __future__ import annotations

import gc
import weakref

import pytest

from workbench.servers.health import NO_RISINGWAVE, Health, Status
from workbench.shell import frame
from workbench.shell.navigation import banner_text

UP, DOWN, NONE = Health("up"), Health("down"), Health("not configured")


def test_a_closed_page_is_forgotten() -> None:
    """Panel's global state would keep every page that was ever made."""
    page = weakref.ref(frame("Sales", []))
    gc.collect()
    assert page() is None


@pytest.mark.parametrize(
    ("master", "replica", "text"),
    [
        (UP, UP, ""),
        (UP, NONE, ""),
        (UP, DOWN, "The replica is away: figures come from the master."),
        (UP, Health("up", lag_seconds=31.0), "The replica stands still: figures come from the master."),
        (DOWN, UP, "The master is away: reading goes on, saving is off."),
        (DOWN, NONE, "The master is away: nothing can be read or saved until it is back."),
        (DOWN, DOWN, "The master and the replica are away: nothing can be read or saved until one is back."),
    ],
)
def test_the_banner_says_what_is_away_and_what_that_means(master: Health, replica: Health, text: str) -> None:
    assert banner_text(Status(master, replica, NO_RISINGWAVE, [])) == text


def test_the_banner_says_nothing_before_anything_is_known() -> None:
    assert banner_text(None) == ""
