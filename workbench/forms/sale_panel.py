"""One sale with its lines and its history, beside the table of sales."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import param
from panel.custom import JSComponent

from workbench.components import theme
from workbench.forms.row_actions import heard

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
