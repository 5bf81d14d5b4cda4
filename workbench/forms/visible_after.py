"""The stopwatch of a save: how long after the commit each follower showed it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial

import panel as pn

from workbench import locale
from workbench.components.html import html_pane
from workbench.database.positions import LIMIT_SECONDS
from workbench.forms.fields import MARGIN
from workbench.locale import N_, _
from workbench.sales.service import Saved

PLACES = {
    "replica": N_("visible on the replica {when}"),
    "risingwave": N_("visible in the materialized views {when}"),
}
BRIEF_SECONDS = 0.1  # most answers come within it: one text then, instead of two that flicker


class VisibleAfter(pn.viewable.Viewer):
    """``Commit → visible on the replica after 4 ms``. Nothing until a sale was saved; nobody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self._text = html_pane(margin=MARGIN)
        self._number = 0

    def follow(self, saved: Saved | None) -> None:
        """Follows what was just saved until every follower shows it; None takes the text away."""
        self._number += 1
        self._text.object = ""
        if saved is not None and saved.visible:
            waits = {name: asyncio.wrap_future(future) for name, future in saved.visible.items()}
            pn.state.execute(partial(self._tell, self._number, waits))

    async def _tell(self, number: int, waits: Mapping[str, asyncio.Future[float | None]]) -> None:
        await asyncio.wait(waits.values(), timeout=BRIEF_SECONDS)
        while number == self._number:
            found = {name: wait.result() if wait.done() else 0.0 for name, wait in waits.items()}
            self._text.object = f'<p class="soft number" role="status">{sentence(found)}</p>'
            pending = [wait for wait in waits.values() if not wait.done()]
            if not pending:
                return
            await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)

    def __panel__(self) -> pn.pane.HTML:
        return self._text


def sentence(found: Mapping[str, float | None]) -> str:
    """Each follower with its milliseconds; 0 is not visible yet, None was given up. Plain text."""
    parts = [_("Commit")]
    for name, seconds in found.items():
        when = _("after {ms} ms", ms=locale.number(seconds * 1000, 0)) if seconds else "…"
        if seconds is None:
            when = _("not within {seconds} s", seconds=f"{LIMIT_SECONDS:.0f}")
        parts.append(_(PLACES[name], when=when))
    return " → ".join(parts)
