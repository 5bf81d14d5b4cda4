"""What the program says in answer to a click: plain text, seen where the eye is, announced, and focused."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import param
from panel.custom import JSComponent

from workbench.components import theme

Kind = Literal["", "good", "bad"]
CSS = ":host { width: 100%; } p:focus { outline: none; } p:focus-visible { outline: 2px solid; outline-offset: 4px; }"


class Said(JSComponent):
    """A line of text, in colour when it is ``good`` or ``bad``; nothing when it is empty.

    Texts are drawn as text: nothing needs to be escaped. ``follow`` renews it quietly, as progress does.
    """

    lead = param.String(default="")  # in bold before the text
    text = param.String(default="")
    kind = param.String(default="")
    role = param.String(default="status")  # empty inside of what is announced as a whole
    takes_focus = param.Boolean(default=True)
    shown = param.Integer(default=0)  # moves whenever the browser must bring it into view

    _bundle = Path(__file__).with_name("said.js")

    def __init__(self, role: str = "status") -> None:
        super().__init__(role=role, stylesheets=[theme.stylesheet(), CSS], margin=0, sizing_mode="stretch_width")

    def say(self, text: str, kind: Kind = "", lead: str = "", *, takes_focus: bool = True) -> None:
        """Says it, and brings it to where the eye is, with the keyboard unless that has somewhere else to be."""
        self.param.update(text=text, kind=kind, lead=lead, takes_focus=takes_focus, shown=self.shown + 1)

    def follow(self, text: str, kind: Kind = "") -> None:
        """Says it where it stands, without moving the page: for progress."""
        self.param.update(text=text, kind=kind, lead="")
