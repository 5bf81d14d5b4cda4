"""Whether a page is on somebody's screen: one in a tab behind another, or in a window put away, is not."""

from __future__ import annotations

from pathlib import Path

import param
from panel.custom import JSComponent


class Visibility(JSComponent):
    """``is_visible`` follows the page's."""

    is_visible = param.Boolean(default=True)

    _bundle = Path(__file__).with_name("visibility.js")

    def __init__(self) -> None:
        super().__init__(width=0, height=0, margin=0)
