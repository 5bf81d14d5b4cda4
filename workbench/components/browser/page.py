"""A page in its browser: the query of its address, and whether it is on somebody's screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import param
from panel.custom import JSComponent


class AddressBar(JSComponent):
    """Writes the query of the page's address; ``on_back`` gets the one that the Back or Forward button brings.

    Panel's own Location does not follow these buttons.
    """

    entry = param.String(default="")  # "+" (a step of its own) or "=" (in place of the present one), then the query
    popped = param.String(default="")  # a number, which makes each one different, then the query

    _bundle = Path(__file__).with_name("address_bar.js")

    def __init__(self, on_back: Callable[[str], None]) -> None:
        super().__init__(width=0, height=0, margin=0)
        self._on_back = on_back
        self.param.watch(self._went_back, "popped")

    def _went_back(self, event: Any) -> None:
        query = "?" + event.new.partition("?")[2]
        self.put(query, is_step=False)  # else a step to where the page comes from would be no change
        self._on_back(query)

    def put(self, query: str, *, is_step: bool) -> None:
        """Makes ``query`` the address's."""
        self.entry = f"{'+' if is_step else '='}{query}"


class Visibility(JSComponent):
    """``is_visible`` follows the page's."""

    is_visible = param.Boolean(default=True)

    _bundle = Path(__file__).with_name("visibility.js")

    def __init__(self) -> None:
        super().__init__(width=0, height=0, margin=0)
