"""A disk without space, in words: which one it is, and what to do."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import DiskFull

FULL = (errno.ENOSPC, errno.EDQUOT)
SAID_BY_PROGRAMS = ("No space left on device", "Disk quota exceeded")
LITTLE_BYTES = 32 << 20  # PostgreSQL writes its log ahead in files of 16 MB


@contextmanager
def full_in_words(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Raises DiskFull when a file in the block found no space: by the file's name, else by the folder's."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL and not says_full(str(error)):  # shutil's own error lists those of many files
            raise
        raise DiskFull(full_disk(error.filename or folder)) from None


def says_full(text: str) -> bool:
    """True when a program's own words say that a disk is full."""
    return any(words in text for words in SAID_BY_PROGRAMS)


def is_short(folder: Path) -> bool:
    """True when there is too little left for a server to work with."""
    return _free_bytes(folder) < LITTLE_BYTES


def full_disk(path: str | os.PathLike[str]) -> str:
    """What is said of the full disk that ``path`` is on."""
    place = Path(path).absolute()
    left = _free_bytes(place) / 1e6
    return (
        f"The disk of {place} has no space for this ({left:,.0f} MB left): it was not done, and nothing was lost. Free"
        " space there, then do it again."
    )


def _free_bytes(path: Path) -> int:
    place = next(folder for folder in (path, *path.parents) if folder.exists())
    return shutil.disk_usage(place).free


def write_whole(path: Path, content: bytes) -> None:
    """Writes the file whole or not at all: what was there before stays until then. Raises OSError."""
    made = path.with_name(f".{path.name}.new")
    try:
        made.write_bytes(content)
        made.replace(path)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
