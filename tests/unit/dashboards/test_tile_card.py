"""The card of a tile, without a browser."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import panel as pn
import pytest
from bokeh.document import Document
from bokeh.model import Model

from workbench.config.clock import StoreClock
from workbench.dashboards.tile_card import TileCard


def test_what_a_card_is_told_later_has_nothing_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    card = TileCard(lambda _: None, StoreClock(ZoneInfo("UTC")), body=pn.pane.HTML("chart"))
    document = Document()
    root = card.get_root(document)
    document.add_root(root)
    searched: list[Model] = []
    monkeypatch.setattr(Model, "select", lambda model, _: searched.append(model) or [])
    card.fill("4 sales")
    data: Any = root.data
    assert data.text == "4 sales"
    assert f"__ref:{root.ref['id']}" in data.tags  # by it Panel finds the card when the page is closed
    assert searched == []


def test_what_a_card_is_told_costs_no_search_for_names_and_no_look_at_the_design(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Bokeh compares the name of a property that is not there with all that are; Panel asks each time how it looks."""
    card = TileCard(lambda _: None, StoreClock(ZoneInfo("UTC")))
    document = Document()
    root = card.get_root(document)
    document.add_root(root)
    asked: list[str] = []
    monkeypatch.setattr(type(card._design), "params", lambda *_: asked.append("design") or ({}, None))
    monkeypatch.setattr("difflib.get_close_matches", lambda name, *_: asked.append(name) or [])
    card.fill("4 sales")
    card.tell("replica", datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))
    card.param.update(buttons=[("table", "Table", True)], legend=[("line", "Revenue")])
    data: Any = root.data
    assert (data.text, data.engine, data.is_open) == ("4 sales", "replica", True)
    assert [list(map(tuple, told)) for told in (data.buttons, data.legend)] == [
        [("table", "Table", True)],
        [("line", "Revenue")],
    ]
    assert asked == []
