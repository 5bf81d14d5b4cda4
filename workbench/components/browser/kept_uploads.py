"""Uploads that outlive their page for an hour, and the app: whoever comes back to it in the same tab has them again."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from workbench.components.browser.uploads import new_file

SECONDS = 3600.0
MOST_OF_ONE = 3  # of one user, the newest


class KeptUploads:
    """Those of one folder, each under a token that nobody guesses and that its owner alone can use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, path: Path, owner: str) -> str:
        """Keeps a file, which stays where it is and may go there; returns its token, empty where it cannot be kept."""
        token = secrets.token_urlsafe(16)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
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
