"""The head of a tile: its title, what its lines mean, and the buttons that change how it is shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import param
from panel.custom import JSComponent

from workbench.dashboards.fresh_line import stylesheets

Button = tuple[str, str, bool]  # its name, its label, whether it is pressed


class TileHead(JSComponent):
    """``legend`` is (kind, text) of each kind of line, ``buttons`` those that there are.

    A button only tells ``pressed`` its name: what is shown is the tile's to decide. ``is_near`` turns True once the
    head is on the screen, or nearly.
    """

    heading = param.String(default="")
    about = param.String(default="")
    legend = param.List(default=[])
    buttons = param.List(default=[])
    is_near = param.Boolean(default=True)

    _esm = Path(__file__).with_name("tile_head.js")

    def __init__(self, pressed: Callable[[str], None], **params: object) -> None:
        super().__init__(**({"stylesheets": stylesheets(), "margin": 0, "sizing_mode": "stretch_width"} | params))
        self.on_msg(lambda event: pressed(event.data))
