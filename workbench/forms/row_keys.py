"""What the keyboard does in the table of sales, heard where the rows are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from panel.custom import JSComponent

ROWS = "sale-rows"  # the class of what has the rows


class RowKeys(JSComponent):
    """``on_clear`` is called by Escape."""

    _esm = Path(__file__).with_name("row_keys.js")

    def __init__(self, on_clear: Callable[[], None]) -> None:
        super().__init__(width=0, height=0, margin=0)
        self.on_msg(lambda event: on_clear() if event.data == "clear" else None)
