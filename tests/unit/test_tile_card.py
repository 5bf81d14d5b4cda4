"""The card of a tile, without a browser."""

from __future__ import annotations

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
