"""Uploads that outlive their page for an hour: whoever comes back to it in the same tab has them again."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

SECONDS = 3600.0
MOST_OF_ONE = 3  # of one user, the newest


@dataclass(frozen=True)
class Upload:
    """A file under the name that it has where it comes from."""

    owner: str
    folder: Path
    name: str

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.folder / "file"


class KeptUploads:
    """Those of one process, each under a token that nobody guesses and that its owner alone can use."""

    def __init__(self) -> None:
        self._kept: dict[str, Upload] = {}

    def keep(self, path: Path, name: str, owner: str) -> str:
        """Keeps a file, which stays where it is and may go there; returns its token, empty where it cannot be kept."""
        folder = Path(tempfile.mkdtemp(prefix="workbench-upload-"))
        try:
            os.link(path, folder / "file")  # takes no space
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            return ""
        token = secrets.token_urlsafe(16)
        self._kept[token] = Upload(owner, folder, name)
        for old in [each for each, upload in list(self._kept.items()) if upload.owner == owner][:-MOST_OF_ONE]:
            self.forget(old, owner)
        timer = threading.Timer(SECONDS, self.forget, [token, owner])
        timer.daemon = True
        timer.start()
        return token

    def find(self, token: str, owner: str) -> Upload | None:
        """The file of a token; None when it is gone, or somebody else's."""
        upload = self._kept.get(token)
        return upload if upload is not None and upload.owner == owner else None

    def forget(self, token: str, owner: str) -> None:
        """Removes it, but what is somebody else's."""
        if (upload := self.find(token, owner)) is not None:
            self._kept.pop(token, None)
            shutil.rmtree(upload.folder, ignore_errors=True)

    def clear(self) -> None:
        """Removes all."""
        for token, upload in list(self._kept.items()):
            self.forget(token, upload.owner)


KEPT = KeptUploads()
atexit.register(KEPT.clear)
