"""The item line: one field for quantity and product, with what it may mean below it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import param
from panel.custom import JSComponent

from workbench.components.inline import is_served
from workbench.forms.basket_rows import sheets
from workbench.locale import N_, _

MOST_LETTERS = 500
HINT = N_("Enter puts it into the basket, ↑ ↓ choose another, Ctrl+Enter saves the sale")


class ItemLine(JSComponent):
    """``on_typed`` gets each text, ``on_enter`` the one that Enter was pressed on, with the code of what was marked.

    Both come as messages, in the order of the keys: parameters come later than messages that were sent after them.
    ``on_details`` is called by the button *Details*, ``on_save`` by Ctrl+Enter anywhere in the form around it.
    """

    put = param.List(default=[0, ""])  # how often the program has changed the text, and the text
    offer = param.List(default=["", []])  # a text, and the code and label of each product that it may mean
    word = param.String(default="")  # what is wrong with what was entered
    told = param.String(default="")  # what has become of it
    is_open = param.Boolean(default=False)  # the details
    takes_focus = param.Boolean(default=False)  # when it is drawn and nothing else has it
    hint = param.String()

    _bundle = Path(__file__).with_name("item_line.js")

    def __init__(
        self,
        on_typed: Callable[[str], None],
        on_enter: Callable[[str, str], None],
        on_details: Callable[[], None],
        on_save: Callable[[], None],
    ) -> None:
        super().__init__(hint=_(HINT), stylesheets=sheets(), margin=(6, 8), sizing_mode="stretch_width")
        self._on_typed, self._on_enter, self._on_details, self._on_save = on_typed, on_enter, on_details, on_save
        self.on_msg(lambda event: self._hear(event.data))

    @property
    def text(self) -> str:
        """What stands in it."""
        return str(self.put[1])

    def write(self, text: str) -> None:
        """Puts a text into it."""
        self.param.update(put=[self.put[0] + 1, text], offer=["", []], word="", told="")

    def suggest(self, text: str, found: Sequence[tuple[str, str]]) -> None:
        """Shows codes and labels as what ``text`` may mean."""
        self.offer = [text, [list(each) for each in found]]

    def say(self, word: str = "", told: str = "") -> None:
        """Says below it what is wrong, or what was done."""
        self.param.update(word=word, told=told)

    def focus(self) -> None:
        """Puts the keyboard into it."""
        self._send_msg("focus")

    def take_focus(self) -> None:
        """Has it focused when the page is opened with it."""
        self.takes_focus = is_served()

    def _hear(self, said: Any) -> None:
        """What a browser says is whatever somebody sends: nothing of it is believed."""
        if said == "details":
            self._on_details()
        elif said == "save":
            self._on_save()
        elif isinstance(said, dict) and isinstance(text := said.get("text"), str) and len(text) <= MOST_LETTERS:
            code = said.get("code")
            if said.get("entered") is True:
                self.put = [self.put[0], ""]
                self._on_enter(text, code if isinstance(code, str) else "")
            else:
                self.put = [self.put[0], text]
                self._on_typed(text)
