"""In which order tiles are drawn."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from workbench.dashboards import feed as module
from workbench.dashboards.feed import Feed


def test_figures_do_not_wait_for_charts_that_are_drawn_for_the_first_time(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[list[str]] = []
    monkeypatch.setattr(module, "draw", lambda moment, found: drawn.append([tile.name for tile, _ in found]))
    new = SimpleNamespace(name="chart", has_chart=True, is_drawn=False)
    tiles: Any = [new, SimpleNamespace(name="figure", has_chart=False, is_drawn=False)]
    moment: Any = SimpleNamespace(fetch=lambda tiles, is_wanted: [(tile, None) for tile in tiles])
    feed: Any = SimpleNamespace(_asked=1)
    asyncio.run(Feed._renew_group(feed, 1, moment, tiles))
    assert drawn == [["figure"], ["chart"]]
    new.is_drawn = True
    asyncio.run(Feed._renew_group(feed, 1, moment, tiles))
    assert drawn[2:] == [["chart", "figure"]]  # in one message
