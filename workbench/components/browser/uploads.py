"""Uploads: a file that the browser hands over part by part, so that none is held in memory and no message is large."""

from __future__ import annotations

import base64
import binascii
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import panel as pn
import param
from panel.custom import JSComponent

from workbench import locale
from workbench.components import theme
from workbench.components.inline import is_served
from workbench.locale import N_, _
from workbench.words import visible

NO_ROOM = N_("The file could not be kept here: {why}.")
CSS = """
:host { width: 100%; }
.upload { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; padding: 16px; cursor: pointer;
  border: 2px dashed var(--line); border-radius: 8px; }
.upload.over, .upload:focus-within { border-color: var(--panel-primary-color, #00609a); }
.upload input::file-selector-button { font: inherit; font-weight: 600; color: var(--panel-primary-color, #00609a);
  background: none; border: 1px solid var(--line); border-radius: 6px; padding: 6px 14px;
  margin-right: 12px; cursor: pointer; }
.upload input { font: inherit; color: inherit; max-width: 100%; }
"""


class Uploads(JSComponent):
    """A place for one file at a time; ``received`` is called with where it is, and its name, and removes it.

    A file larger than ``most_bytes`` is refused before any of it is sent, and again where it is received.
    """

    label = param.String(default="File")
    accept = param.String(default="")
    text = param.String(default="")

    _bundle = Path(__file__).with_name("uploads.js")

    def __init__(self, received: Callable[[Path, str], Any], most_bytes: int, hint: str, **params: Any) -> None:
        super().__init__(
            text=hint, stylesheets=[theme.stylesheet(), CSS], margin=0, sizing_mode="stretch_width", **params
        )
        self._received, self._most, self.hint = received, most_bytes, hint
        self._key = self._name = ""
        self._size = self._at = 0
        self._coming: Path | None = None
        self.on_msg(lambda event: self._take(event.data))
        if is_served():
            pn.state.on_session_destroyed(lambda _context: self._forget())

    def _forget(self) -> None:
        """Removes what has come of a file."""
        self._key = ""
        if self._coming is not None:
            self._coming.unlink(missing_ok=True)
            self._coming = None

    def _take(self, said: Any) -> None:
        """What a browser says is whatever somebody sends: nothing of it is believed."""
        if not isinstance(said, dict):
            return
        key, name, size, part = (said.get(word) for word in ("key", "name", "size", "part"))
        if isinstance(key, str) and isinstance(name, str) and type(size) is int and size >= 0:
            self._begin(key, name, size)
        elif self._coming is not None and key == self._key != "":
            self._add(part)

    def _begin(self, key: str, name: str, size: int) -> None:
        self._forget()
        if size > self._most:
            sizes = {"n": locale.number(size / 1e6, 0), "most": locale.number(self._most / 1e6, 0)}
            self.text = _(
                "{file} has {n} MB: at most {most} MB are taken. Split it, or use the command `workbench import`.",
                file=visible(name),
                **sizes,
            )
            return
        try:
            self._coming = new_file()
        except OSError as error:
            self._end(_(NO_ROOM, why=error.strerror))
            return
        self._key, self._name, self._size, self._at = key, name, size, 0
        self._go_on()

    def _add(self, part: Any) -> None:
        assert self._coming is not None
        try:
            content = base64.b64decode(part if isinstance(part, str) else "", validate=True)
            if not content or self._at + len(content) > self._size:
                raise ValueError
            with self._coming.open("ab") as file:
                file.write(content)
        except (ValueError, binascii.Error):
            self._end(_("The file could not be read in the browser: was it changed meanwhile? Choose it again."))
            return
        except OSError as error:
            self._end(_(NO_ROOM, why=error.strerror))
            return
        self._at += len(content)
        self._go_on()

    def _end(self, text: str) -> None:
        self._forget()
        self.text = text

    def _go_on(self) -> None:
        """Asks for what comes next, or hands the file on."""
        if self._at < self._size:
            self.text = _("{file}: {n} % are here.", file=visible(self._name), n=self._at * 100 // self._size)
            self._send_msg([self._key, self._at])
            return
        assert self._coming is not None
        path, self._coming = self._coming, None
        self._key, self.text = "", self.hint
        self._received(path, self._name)


def new_file() -> Path:
    """An empty file where what was uploaded is read from, as long as a page uses it."""
    number, path = tempfile.mkstemp(prefix="workbench-upload-")
    os.close(number)
    return Path(path)
