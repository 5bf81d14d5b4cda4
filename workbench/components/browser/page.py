"""A page in its browser: the query of its address, whether it is seen, and what is typed and not saved yet."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import panel as pn
import param
from panel.custom import JSComponent

from workbench.errors import WorkbenchError


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


log = logging.getLogger(__name__)


class Unsaved(JSComponent):
    """The draft of one form. ``read`` gives it as JSON can hold it, or None; ``take`` gets the one that was kept.

    As long as there is one the browser asks before the page is left; not where that would be no loss (``asks``).
    It is placed outside of tabs, which draw their content anew.
    """

    key = param.String(default="")  # of this form among those of the page
    text = param.String(default="")  # the draft as JSON; empty when nothing is unsaved
    kept = param.String(default="")  # what the browser had when the page was opened
    asks = param.Boolean(default=True)

    _bundle = Path(__file__).with_name("unsaved.js")

    def __init__(
        self,
        key: str,
        read: Callable[[], Mapping[str, Any] | None],
        take: Callable[[dict[str, Any]], None],
        *,
        asks: bool = True,
    ) -> None:
        super().__init__(key=key, asks=asks, width=0, height=0, margin=0)
        self._read, self._take = read, take
        self._is_due = False
        self.param.watch(self._found, "kept")

    def changed(self, *_events: object) -> None:
        """Something in the form may have changed: told to the browser once whatever is going on is over."""
        if self._models and not self._is_due:
            self._is_due = True
            pn.state.execute(self._tell)

    async def _tell(self) -> None:
        await asyncio.sleep(0)
        self._is_due = False
        self.tell()

    def tell(self) -> None:
        """Gives the browser the draft as it is now."""
        draft = self._read()
        self.text = "" if draft is None else json.dumps(draft, default=str)

    def _found(self, event: Any) -> None:
        """Takes what was kept; what cannot be used, as after a change of the form itself, is left out."""
        try:
            self._take(json.loads(event.new))
        except (ValueError, TypeError, LookupError, AttributeError, WorkbenchError) as error:
            log.warning("A draft of %s could not be used: %s", self.key, type(error).__name__)
        self.tell()
