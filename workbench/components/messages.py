"""What the program says in answer to a click, where the eye is; and what a button does, with its failures in words."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal

import panel as pn
import panel_material_ui as pmui
import param
from panel.custom import JSComponent
from panel.viewable import Viewable, Viewer

from workbench import locale
from workbench.components import theme
from workbench.components.fields import MARGIN
from workbench.components.html import html_pane
from workbench.components.theme import esc
from workbench.database.positions import LIMIT_SECONDS
from workbench.errors import OutcomeUnknown, ServerBusy, ServerUnavailable, WorkbenchError
from workbench.locale import N_, _
from workbench.sales.service import Saved

Kind = Literal["", "good", "bad"]
SAID_STYLE = (
    ":host { width: 100%; } p:focus { outline: none; } p:focus-visible { outline: 2px solid; outline-offset: 4px; }"
)


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
        super().__init__(role=role, stylesheets=[theme.stylesheet(), SAID_STYLE], margin=0, sizing_mode="stretch_width")

    def say(self, text: str, kind: Kind = "", lead: str = "", *, takes_focus: bool = True) -> None:
        """Says it, and brings it to where the eye is, with the keyboard unless that has somewhere else to be."""
        self.param.update(text=text, kind=kind, lead=lead, takes_focus=takes_focus, shown=self.shown + 1)

    def follow(self, text: str, kind: Kind = "") -> None:
        """Says it where it stands, without moving the page: for progress."""
        self.param.update(text=text, kind=kind, lead="")


class Notice(Viewer):
    """Says ``title``, as an Alert with this ``look``; nothing is drawn while that is empty."""

    title = param.String(default="")

    def __init__(self, **look: Any) -> None:
        super().__init__()
        self._look = {"severity": "warning", "sizing_mode": "stretch_width", **look}
        self._place = pn.Column(visible=False, margin=0, sizing_mode="stretch_width")

    @property
    def visible(self) -> bool:
        """Whether it says something."""
        return bool(self.title)

    def say(self, title: str) -> None:
        """Says it, also what was said before and closed by whoever has read it."""
        self.title = ""
        self.title = title

    @param.depends("title", watch=True)
    def _draw(self) -> None:
        said = [pmui.Alert(title=self.title, **self._look)] if self.title else []
        self._place.param.update(objects=said, visible=bool(said))

    def __panel__(self) -> Viewable:
        return self._place


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


Severity = Literal["success", "info", "warning", "error"]


class Message(pn.viewable.Viewer):
    """An alert that is not there until ``say`` is called. Toasts vanish before they are read, this one stays.

    ``objects``, such as buttons, stand below the text; ``timing`` too, after a save.
    """

    def __init__(self, *objects: Any, closeable: bool = True, timing: VisibleAfter | None = None) -> None:
        super().__init__()
        self._timing = timing
        self._said = Said(role="")  # the alert around it is announced
        self._alert = pmui.Alert(
            self._said,
            *objects,
            *([timing] if timing is not None else []),
            closeable=closeable,
            visible=False,
            variant="outlined",
            sizing_mode="stretch_width",
            margin=(6, 8),
        )

    @property
    def text(self) -> str:
        """What is said now, as HTML; empty when nothing is."""
        if not self._alert.visible:
            return ""
        lead = f"<strong>{esc(self._said.lead)}</strong> " if self._said.lead else ""
        return f"{lead}{esc(self._said.text)}"

    @property
    def answers(self) -> int:
        """How often something has been said."""
        return self._said.shown

    def say(
        self, severity: Severity, text: str, lead: str = "", saved: Saved | None = None, *, takes_focus: bool = True
    ) -> None:
        """Shows plain text where the eye is, with ``lead`` in bold before it; and when ``saved`` is visible, as soon
        as it is."""
        if self._timing is not None:
            self._timing.follow(saved)
        self._alert.param.update(severity=severity, closed=False, visible=True)
        self._said.say(text, lead=lead, takes_focus=takes_focus)

    def clear(self) -> None:
        """Takes the message away."""
        self._alert.visible = False

    def __panel__(self) -> pmui.Alert:
        return self._alert


log = logging.getLogger(__name__)

SLOW_SECONDS = 0.3


class Action:
    """What ``run``, the callback of a button, does. A second click before the first has its answer does nothing.

    Disabling the button alone would not do: the second click of a double click is sent before the browser hears of it.
    Who has read the answer means another click, even while the page is still being brought up to date: it is done next.
    """

    def __init__(self, work: Callable[[], Coroutine[Any, Any, None]], message: Message, button: pmui.Button) -> None:
        self._work, self._message, self._button = work, message, button
        self._lock = threading.Lock()
        self._answers_before, self._is_next = 0, False

    async def run(self, *_events: Any) -> None:
        """Runs the work; an error becomes the message."""
        if not self._lock.acquire(blocking=False):
            self._is_next = self._message.answers > self._answers_before
            return
        self._answers_before, self._is_next = self._message.answers, False
        try:
            with failures_said(self._message):
                await self._show_if_slow(asyncio.ensure_future(self._work()))
        finally:
            self._lock.release()
        if self._is_next:
            await self.run()

    async def _show_if_slow(self, work: asyncio.Future[None]) -> None:
        """A button that is busy for a blink only may stay so if it is just being drawn: the second change is missed."""
        done, _ = await asyncio.wait([work], timeout=SLOW_SECONDS)
        try:
            self._button.loading = not done
            await work
        finally:
            self._button.loading = False


@contextmanager
def failures_said(
    message: Message, is_wanted: Callable[[], bool] = lambda: True, *, is_saving: bool = True
) -> Iterator[None]:
    """An error inside the block ends in ``message``, unless nobody waits for it any more: the page lives on.

    A named error is shown in its own words, any other as a fault whose traceback is in the log.
    """
    try:
        yield
    except WorkbenchError as error:
        if is_wanted():
            message.say(*(_in_words(error) if is_saving else ("error", str(error))))
    except Exception:
        log.exception("A form failed")
        message.say("error", _("What you typed is still here; the log has the details."), _("A fault in the program."))


def _in_words(error: WorkbenchError) -> tuple[Any, str, str]:
    if isinstance(error, OutcomeUnknown):
        return "warning", f"{error} {_('What you typed is still here.')}", _("It is not known whether this was saved.")
    if isinstance(error, ServerBusy):
        return "error", f"{error} {_('What you typed is still here.')}", _("Not saved.")
    if isinstance(error, ServerUnavailable):
        return "error", f"{error} {_('What you typed is still here.')}", _("Saving is off.")
    return "error", str(error), ""
