"""Uploads: a file that the browser hands over part by part, so that none is held in memory and no message is large."""

from __future__ import annotations

import base64
import binascii
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import param
from panel.custom import JSComponent

from workbench import locale
from workbench.components import theme
from workbench.locale import _
from workbench.words import visible

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
    """A place for one file at a time; ``received`` is called with where it is, until another comes, and its name.

    A file larger than ``most_bytes`` is refused before any of it is sent, and again where it is received.
    """

    label = param.String(default="File")
    accept = param.String(default="")
    text = param.String(default="")
    disabled = param.Boolean(default=False)

    _bundle = Path(__file__).with_name("uploads.js")

    def __init__(self, received: Callable[[Path, str], Any], most_bytes: int, hint: str, **params: Any) -> None:
        super().__init__(
            text=hint, stylesheets=[theme.stylesheet(), CSS], margin=0, sizing_mode="stretch_width", **params
        )
        self._received, self._most, self._hint = received, most_bytes, hint
        self._key = self._name = ""
        self._size = self._at = 0
        self._folder: Path | None = None
        self.on_msg(lambda event: self._take(event.data))

    def forget(self) -> None:
        """Removes what was received."""
        self._key = ""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def take(self, path: Path) -> Path:
        """A file that was received before, as if it came now: a second name of it. Raises OSError when it is gone."""
        self.forget()
        self._folder = Path(tempfile.mkdtemp(prefix="workbench-upload-"))
        os.link(path, self._folder / "file")
        return self._folder / "file"

    def _take(self, said: Any) -> None:
        """What a browser says is whatever somebody sends: nothing of it is believed."""
        if not isinstance(said, dict) or self.disabled:
            return
        key, name, size, part = (said.get(word) for word in ("key", "name", "size", "part"))
        if isinstance(key, str) and isinstance(name, str) and type(size) is int and size >= 0:
            self._begin(key, name, size)
        elif self._folder is not None and key == self._key != "":
            self._add(part)

    def _begin(self, key: str, name: str, size: int) -> None:
        self.forget()
        if size > self._most:
            sizes = {"n": locale.number(size / 1e6, 0), "most": locale.number(self._most / 1e6, 0)}
            self.text = _(
                "{file} has {n} MB: at most {most} MB are taken. Split it, or use the command `workbench import`.",
                file=visible(name),
                **sizes,
            )
            return
        self._folder = Path(tempfile.mkdtemp(prefix="workbench-upload-"))
        self._key, self._name, self._size, self._at = key, name, size, 0
        (self._folder / "file").touch()
        self._go_on()

    def _add(self, part: Any) -> None:
        assert self._folder is not None
        try:
            content = base64.b64decode(part if isinstance(part, str) else "", validate=True)
            if not content or self._at + len(content) > self._size:
                raise ValueError
            with (self._folder / "file").open("ab") as file:
                file.write(content)
        except (ValueError, binascii.Error):
            self._end(_("The file could not be read in the browser: was it changed meanwhile? Choose it again."))
            return
        except OSError as error:
            self._end(_("The file could not be kept here: {why}.", why=error.strerror))
            return
        self._at += len(content)
        self._go_on()

    def _end(self, text: str) -> None:
        self.forget()
        self.text = text

    def _go_on(self) -> None:
        """Asks for what comes next, or hands the file on."""
        if self._at < self._size:
            self.text = _("{file}: {n} % are here.", file=visible(self._name), n=self._at * 100 // self._size)
            self._send_msg([self._key, self._at])
            return
        assert self._folder is not None
        self._key, self.text = "", self._hint
        self._received(self._folder / "file", self._name)
