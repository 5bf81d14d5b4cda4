"""A list of what there is, each with a state, a few lines and buttons; on a phone as on a desk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import param
from panel.custom import JSComponent

from workbench.components import theme
from workbench.locale import _


@dataclass(frozen=True)
class ListEntry:
    """One of them. ``kind`` is how the state is, ``actions`` in English what can be done with it; texts are drawn as
    text."""

    key: str
    title: str
    lines: tuple[str, ...]
    actions: tuple[str, ...] = ()
    state: str = ""
    kind: Literal["", "up", "down", "amber", "off"] = ""
    is_shown: bool = False


class EntryList(JSComponent):
    """``on_action`` gets the key of an entry and what to do with it; ``none`` is said when there is no entry."""

    entries = param.List(default=[])
    none = param.String(default="")

    _bundle = Path(__file__).with_name("entry_list.js")

    def __init__(self, none: str, on_action: Callable[[str, str], None]) -> None:
        css = Path(__file__).with_name("entry_list.css").read_text(encoding="utf-8")
        super().__init__(none=none, stylesheets=[theme.stylesheet(), css], margin=0, sizing_mode="stretch_width")
        self._on_action = on_action
        self.on_msg(lambda event: self._acted(event.data))

    def fill(self, entries: Sequence[ListEntry]) -> None:
        """Shows these, in this order."""
        found = [
            asdict(entry) | {"lines": list(entry.lines), "actions": [[name, _(name)] for name in entry.actions]}
            for entry in entries
        ]
        if found != self.entries:
            self.entries = found

    def _acted(self, message: dict[str, str]) -> None:
        """Only what is offered is done, whatever a browser sends."""
        offered = {entry["key"]: [name for name, _label in entry["actions"]] for entry in self.entries}
        if message.get("action") in offered.get(message.get("key", ""), ()):
            self._on_action(message["key"], message["action"])
