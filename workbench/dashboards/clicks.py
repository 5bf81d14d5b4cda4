"""Clicks on a chart, with the keys that are held: HoloViews' own stream of them does not tell those."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import param
from holoviews.plotting.bokeh.callbacks import TapCallback
from holoviews.streams import Stream, Tap

ADDING = ("ctrl", "shift", "meta")  # a click with Ctrl is the right button on a Mac


class Click(Tap):
    """Where a chart was clicked, and with which keys."""

    modifiers: Any = param.Dict(default=None, allow_None=True, constant=True)


class ClickCallback(TapCallback):
    """What fills a Click."""

    attributes: ClassVar[dict[str, str]] = {**TapCallback.attributes, "modifiers": "cb_obj.modifiers"}
    on_events: ClassVar[list[str]] = ["tap"]


Stream._callbacks["bokeh"][Click] = ClickCallback


def is_adding(modifiers: Mapping[str, bool] | None) -> bool:
    """Whether the click adds a mark to those that are there: a plain one replaces them."""
    return any((modifiers or {}).get(key) for key in ADDING)
