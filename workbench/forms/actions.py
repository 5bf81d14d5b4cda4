"""What a button does: once at a time, in the background, and with its failures said in words."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import panel_material_ui as pmui

from workbench.errors import OutcomeUnknown, ServerBusy, ServerUnavailable, WorkbenchError
from workbench.forms.messages import Message
from workbench.locale import _

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
