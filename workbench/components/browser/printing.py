"""Printing: a page of its own that the browser prints, beside the page that is seen."""

from __future__ import annotations

from pathlib import Path

from panel.custom import JSComponent


class Printing(JSComponent):
    """Prints documents as wide as a roll of paper, and as long as they are. Nothing in them may run."""

    _bundle = Path(__file__).with_name("printing.js")

    def __init__(self) -> None:
        super().__init__(width=0, height=0, margin=0)

    def print(self, title: str, page: str, millimetres: int) -> None:
        """Opens the browser's print of ``page``, an HTML document whose texts are escaped."""
        self._send_msg([title, page, millimetres])
