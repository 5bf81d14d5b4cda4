"""A disk without space, in words: which one it is, and what to do."""

from __future__ import annotations

import errno
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from workbench import locale
from workbench.errors import DiskFull

FULL = (errno.ENOSPC, errno.EDQUOT)
SAID_BY_PROGRAMS = ("No space left on device", "Disk quota exceeded")
UNFINISHED, UNFINISHED_SECONDS = re.compile(r"\..+\.[0-9a-f]{12}\.new"), 3600.0
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
        f"The disk of {place} has no space for this ({locale.number(left, 0)} MB left): it was not done, and nothing"
        " was lost. Free space there, then do it again."
    )


def _free_bytes(path: Path) -> int:
    place = next(folder for folder in (path, *path.parents) if folder.exists())
    return shutil.disk_usage(place).free


def write_whole(path: Path, content: bytes) -> None:
    """Writes the file whole or not at all: what was there before stays until then. Raises OSError."""
    with _beside(path, content) as made:
        made.replace(path)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A path to write the file to, which takes its place after the block, on the disk; not when the block fails.

    It ends as the file's name does: by that whoever writes it knows its format.
    """
    made = path.with_name(f".{uuid4().hex[:12]}.new-{path.name}")
    try:
        yield made
        with made.open("rb+") as file:
            os.fsync(file.fileno())
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)


def write_new(path: Path, content: bytes) -> bool:
    """The same where no file is; False, and nothing is changed, where one is. Raises OSError.

    On a disk without links the file is seen as it grows.
    """
    with _beside(path, content) as made:
        try:
            os.link(made, path)
        except FileExistsError:
            return False
        except OSError:  # a disk without links, such as one of a network: to replace could take a file away
            return _write_in_place(path, content)
    return True


def _write_in_place(path: Path, content: bytes) -> bool:
    try:
        file = path.open("xb")
    except FileExistsError:
        return False
    try:
        with file:
            _to_disk(file, content)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return True


def _to_disk(file: BinaryIO, content: bytes) -> None:
    file.write(content)
    file.flush()
    os.fsync(file.fileno())


def unfinished(folder: Path) -> list[Path]:
    """What processes that died left of files that they wrote to the folder."""
    oldest = time.time() - UNFINISHED_SECONDS
    return [path for path in folder.glob(".*.new") if UNFINISHED.fullmatch(path.name) and _is_before(path, oldest)]


@contextmanager
def _beside(path: Path, content: bytes) -> Iterator[Path]:
    """The content on the disk beside ``path``, under a name that nobody else writes; gone after the block."""
    made = path.with_name(f".{path.name}.{uuid4().hex[:12]}.new")
    try:
        with made.open("xb") as file:
            _to_disk(file, content)
        yield made
    finally:
        made.unlink(missing_ok=True)


def _is_before(path: Path, moment: float) -> bool:
    try:
        return path.stat().st_mtime < moment
    except OSError:  # gone meanwhile
        return False
