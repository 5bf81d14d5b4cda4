"""What is done with a row of the table of sales, by keyboard, click and menu; and one sale beside the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import param
from panel.custom import JSComponent

from workbench.components import theme

ROWS = "sale-rows"  # the class of what has the rows
OPEN, ESCAPE = "open", "escape"


class RowActions(JSComponent):
    """``on_act`` gets what is to be done with which sale: ``open``, one of ``acts``, or ``escape`` with none (0)."""

    acts = param.List(default=[])  # of the menu: name, label and look of each

    _bundle = Path(__file__).with_name("row_actions.js")

    def __init__(self, acts: Sequence[tuple[str, str, str]], on_act: Callable[[str, int], None]) -> None:
        sheet = Path(__file__).with_name("sale_panel.css").read_text(encoding="utf-8")
        super().__init__(
            acts=[list(each) for each in acts], width=0, height=0, margin=0, stylesheets=[theme.stylesheet(), sheet]
        )
        self._on_act = on_act
        self.on_msg(lambda event: self._hear(event.data))

    def focus(self, transaction_id: int) -> None:
        """Puts the keyboard onto the row of this sale, or onto the first one."""
        self._send_msg(transaction_id)

    def _hear(self, said: Any) -> None:
        heard(said, {OPEN, ESCAPE, *(name for name, *_ in self.acts)}, self._on_act)


def heard(said: Any, acts: set[str], on_act: Callable[[str, int], None]) -> None:
    """Has done what a browser says, when it is one of ``acts`` and an id: it says whatever somebody sends."""
    if not isinstance(said, dict):
        return
    act, number = said.get("act"), said.get("id")
    if isinstance(act, str) and act in acts and type(number) is int:
        on_act(act, number)


CLOSE = "close"


class SalePanel(JSComponent):
    """``on_act`` gets one of ``acts``, or ``close``, and the sale that is shown."""

    acts = param.List(default=[])  # the buttons: name, label and look of each
    shown = param.List(default=[])  # the sale's id, its HTML, and whether the keyboard goes there; empty for none

    _bundle = Path(__file__).with_name("sale_panel.js")

    def __init__(self, acts: Sequence[tuple[str, str, str]], on_act: Callable[[str, int], None]) -> None:
        sheet = Path(__file__).with_name("sale_panel.css").read_text(encoding="utf-8")
        super().__init__(acts=[list(each) for each in acts], margin=0, stylesheets=[theme.stylesheet(), sheet])
        self.on_msg(lambda event: heard(event.data, {CLOSE, *(name for name, *_ in acts)}, on_act))

    @property
    def sale_id(self) -> int | None:
        """The transaction_id of the sale that is shown."""
        return int(self.shown[0]) if self.shown else None

    def put(self, transaction_id: int, html: str, *, takes_focus: bool) -> None:
        """Shows HTML of a sale, in which every text is escaped."""
        self.shown = [transaction_id, html, takes_focus]

    def close(self) -> None:
        """Shows none."""
        self.shown = []
