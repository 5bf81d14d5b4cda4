"""Downloads: files that are handed to the browser part by part, so that none is held in memory."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO
from uuid import uuid4

from panel.custom import JSComponent

from workbench.components.inline import read_aside
from workbench.errors import FileRefused

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
