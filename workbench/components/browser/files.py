"""Files between a browser and the app, part by part, none held in memory; uploads outlive their page an hour."""

from __future__ import annotations

import atexit
import base64
import binascii
import hashlib
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import panel as pn
import param
from panel.custom import JSComponent

from workbench import locale
from workbench.components import theme
from workbench.components.inline import is_served, read_aside
from workbench.config import Settings
from workbench.errors import FileRefused
from workbench.locale import N_, _
from workbench.words import visible

PART_BYTES = 1 << 19


class Downloads(JSComponent):
    """One for each page. The browser asks for each part when it has the one before."""

    _bundle = Path(__file__).with_name("downloads.js")

    def __init__(self) -> None:
        super().__init__(width=0, height=0, margin=0)
        self._open: dict[str, tuple[str, IO[bytes]]] = {}
        self.on_msg(lambda event: self._send_part(event.data))

    async def write(self, name: str, write: Callable[[Path], object]) -> None:
        """Has ``write`` write the file, on a thread, and hands it out. Raises WorkbenchError."""
        self.hand_out(name, await read_aside(written, name, write))

    def hand_out(self, name: str, file: IO[bytes]) -> None:
        """Sends the file, which the browser keeps as ``name``, and closes it at its end."""
        key = uuid4().hex
        self._open[key] = name, file
        self._send_part(key)

    def _send_part(self, key: object) -> None:
        """Sends the next part, an empty one at the end; nothing of what was not handed out, or is at its end."""
        if not isinstance(key, str) or key not in self._open:
            return
        name, file = self._open[key]
        part = file.read(PART_BYTES)
        if not part:
            file.close()
            del self._open[key]
        self._send_msg([key, name, base64.b64encode(part).decode("ascii")])


def written(name: str, write: Callable[[Path], object]) -> IO[bytes]:
    """What ``write`` writes into a file of this name, to be read. It has no place on the disk that outlives its end.

    Raises FileRefused when there is no room for it.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="workbench-download-") as folder:
            path = Path(folder) / name
            write(path)
            return path.open("rb")
    except OSError as error:
        raise FileRefused(f"The file could not be written: {error.strerror}.") from error


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
    """An empty file where what was uploaded is read from, as long as a page uses it, or the process lasts."""
    number, path = tempfile.mkstemp(prefix="workbench-upload-")
    os.close(number)
    atexit.register(Path(path).unlink, missing_ok=True)
    return Path(path)


SECONDS = 3600.0
MOST_OF_ONE = 3  # of one user, the newest


class KeptUploads:
    """Those of one folder, each under a token that nobody guesses and that its owner alone can use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of(cls, settings: Settings) -> KeptUploads:
        """Those of an installation."""
        return cls(settings.workbench_data_dir.expanduser() / "uploads")

    def keep(self, path: Path, owner: str) -> str:
        """Keeps a file, which stays where it is and may go there; returns its token, empty where it cannot be kept."""
        token = secrets.token_urlsafe(16)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.utime(path)  # its hour begins now, however long it has waited
            try:
                os.link(path, self._place(token, owner))  # takes no space
            except OSError:  # it is on another disk
                shutil.copyfile(path, self._place(token, owner))
        except OSError:
            self.forget(token, owner)
            return ""
        self.tidy()
        timer = threading.Timer(SECONDS + 1, self.tidy)
        timer.daemon = True
        timer.start()
        return token

    def take(self, token: str, owner: str) -> Path:
        """Another file with what was kept. Raises OSError when it is gone, or somebody else's."""
        self.tidy()
        path = new_file()
        try:
            shutil.copyfile(self._place(token, owner), path)
        except OSError:
            path.unlink()
            raise
        return path

    def forget(self, token: str, owner: str) -> None:
        """Removes it, but what is somebody else's."""
        with suppress(OSError):
            self._place(token, owner).unlink()

    def tidy(self) -> None:
        """Removes what is older than its hour, and of each owner what is more than the newest."""
        counts = Counter[str]()
        with suppress(OSError):  # gone meanwhile: the next one tidies the rest
            for at, path in sorted(((path.stat().st_mtime, path) for path in self.folder.iterdir()), reverse=True):
                counts[of := path.name.partition("-")[0]] += 1
                if counts[of] > MOST_OF_ONE or at + SECONDS < time.time():
                    path.unlink()

    def _place(self, token: str, owner: str) -> Path:
        return self.folder / f"{_hash(owner)}-{_hash(token)}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
