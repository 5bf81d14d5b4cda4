"""The line of a page that says who answered its tiles, as of when."""

from __future__ import annotations

from pathlib import Path

import param
from panel.custom import JSComponent

from workbench.dashboards.tile_card import stylesheets


class PageLine(JSComponent):
    """``replica · as of 14:03:22 CEST, 2 s ago``: of the tiles with the same ``page`` that are on the screen.

    It says what most of them would, as of the oldest of these. A tile shows a line of its own only when it differs, or
    is old; in its title, and for who listens to the page, each has its own.
    """

    page = param.String(default="")

    _esm = Path(__file__).with_name("page_line.js")

    def __init__(self, page: str) -> None:
        super().__init__(page=page, stylesheets=stylesheets(), margin=0, sizing_mode="stretch_width")
