"""What goes between a notebook's kernel and its page: all of it, in order, once, on one thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from IPython.display import Javascript, display
from pyviz_comms import Comm, JupyterComm, JupyterCommManager


def keep_early_ones() -> None:
    """Lets what is sent before an output is there reach it; `messages.js` says why."""
    display(Javascript(Path(__file__).with_suffix(".js").read_text(encoding="utf-8")))
    JupyterCommManager.server_comm = _OrderlyComm


class _OrderlyComm(JupyterComm):
    """A comm that can be sent to at once: the browser gets it all in order when it has opened its end.

    Panel tries again after 0.1 s instead. What was sent after the opening then overtook what was sent before, and named
    models that the browser had not got yet ("reference … isn't known"): tables stayed "Loading".
    """

    def __init__(self, *args: Any, **params: Any) -> None:
        super().__init__(*args, **params)
        self._comm = _HeldBack()

    def init(self) -> None:
        """The browser has opened its end."""
        kept = self._comm
        super().init()
        if isinstance(kept, _HeldBack):
            for message in kept.messages:
                self._comm.send(**message)


class _HeldBack:
    """Stands for a comm that is not open yet."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def send(self, data: Any = None, metadata: Any = None, buffers: Any = None) -> None:
        self.messages.append({"data": data, "metadata": metadata, "buffers": buffers})

    def close(self) -> None:
        self.messages.clear()


def handle_on_main_thread() -> None:
    """Brings what the browser sends back to the thread that cells run on.

    JupyterLab 4.4 and newer send it to another thread (a subshell of ipykernel 7). A callback there finds no event loop
    of its own, and meets the others in the middle: a click was lost now and then.
    """
    if Comm._handle_msg.__module__ != __name__:
        Comm._handle_msg = _on_main_thread(Comm._handle_msg)


def _on_main_thread(handle: Callable[..., None]) -> Callable[..., None]:
    loop = asyncio.get_running_loop()

    def handle_on_main_thread(*message: Any) -> None:
        if threading.current_thread() is threading.main_thread():
            handle(*message)
        else:
            loop.call_soon_threadsafe(handle, *message)

    return handle_on_main_thread


def mend_jupyter_bokeh() -> None:
    """Does the same where Panel shows components through jupyter_bokeh, as in VS Code; and one click counts once.

    jupyter_bokeh 4.1 drops what is sent before its view is there. And the browser sends back each change that it was
    sent, whose callbacks run again: a click saved the sale, and its echo then found the form empty.
    """
    from jupyter_bokeh.widgets import BokehModel

    send, handle = BokehModel.send, BokehModel._sync_model
    if handle.__module__ == __name__:
        return
    # Empty once the browser has spoken: its view is there.
    kept: WeakKeyDictionary[Any, _HeldBack] = WeakKeyDictionary()

    def send_or_keep(widget: Any, content: Any, buffers: Any = None) -> None:
        if widget in kept:
            kept[widget].send(content, buffers=buffers)
        else:
            send(widget, content, buffers)

    def handle_news(widget: Any, shown: Any, content: dict[str, Any], buffers: Any) -> None:
        for message in kept.pop(widget, _HeldBack()).messages:
            send(widget, message["data"], message["buffers"])
        if not _is_echo(widget, content):
            handle(widget, shown, content, buffers)

    def update_from_model(widget: Any, model: Any) -> None:
        kept[widget] = _HeldBack()
        update(widget, model)

    update = BokehModel.update_from_model
    BokehModel.update_from_model = update_from_model
    BokehModel.send = send_or_keep
    BokehModel._sync_model = _on_main_thread(handle_news)


def _is_echo(widget: Any, content: dict[str, Any]) -> bool:
    """Whether a message from the browser sets a number or text to what it is here already."""
    if content.get("kind") != "ModelChanged" or not isinstance(content["new"], str | int | float | None):
        return False
    changed = widget._document.models.get_by_id(content["model"]["id"])
    return changed is not None and bool(getattr(changed, content["attr"]) == content["new"])
