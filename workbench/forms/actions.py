"""What a button does: once at a time, in the background, and with its failures said in words."""

from __future__ import annotations

import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import panel_material_ui as pmui

from workbench.errors import OutcomeUnknown, ServerUnavailable, WorkbenchError
from workbench.forms.messages import Message

log = logging.getLogger(__name__)


class Action:
    """The callback of a button. A second click while the first is under way does nothing.

    Disabling the button alone would not do: the second click of a double click is sent before the browser hears of it.
    """

    def __init__(self, work: Callable[[], Awaitable[None]], message: Message, *buttons: pmui.Button) -> None:
        self._work, self._message, self._buttons = work, message, buttons
        self._lock = threading.Lock()

    async def __call__(self, *_events: Any) -> None:
        """Runs the work; an error becomes the message."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            self._show_busy(True)
            await self._work()
        except Exception as error:  # the edge: whatever it is, the page lives on and says so
            say_error(self._message, error)
        finally:
            self._show_busy(False)
            self._lock.release()

    def _show_busy(self, is_busy: bool) -> None:
        for button in self._buttons:
            button.loading = is_busy


def say_error(message: Message, error: Exception) -> None:
    """Shows ``error``: a named one in its own words, any other as a fault whose traceback is logged."""
    if isinstance(error, OutcomeUnknown):
        message.say("warning", f"{error} What you typed is still here.", "Not known whether it was saved.")
    elif isinstance(error, ServerUnavailable):
        message.say("error", f"{error} What you typed is still here.", "No connection, nothing was saved.")
    elif isinstance(error, WorkbenchError):
        message.say("error", str(error))
    else:
        log.error("A form failed", exc_info=error)
        message.say("error", "What you typed is still here; the log has the details.", "A fault in the program.")
