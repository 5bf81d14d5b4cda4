"""Files that are private and never half written, whoever interrupts us."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

UNFINISHED = "new-"  # what an interruption leaves behind has this prefix, and goes at the next start
KEPT = "kept-"  # what had to make way has this one, and stays until a person removes it
REPLACED = "old-"  # what is worth nothing beside its replacement has this one, and goes once that is complete


@dataclass(frozen=True)
class OsUser:
    """A user of the operating system, by number."""

    uid: int
    gid: int


def write_private(path: Path, text: str, owner: OsUser | None) -> None:
    """Writes the file whole or not at all, durably, mode 0600, owned by ``owner`` (None: ourselves).

    It is made under a new name and renamed, so root never follows a link that another user put in its place.
    """
    handle, made = tempfile.mkstemp(prefix=UNFINISHED, dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            if owner:
                os.fchown(handle, owner.uid, owner.gid)
            file.write(text)
            file.flush()
            os.fsync(handle)
        move_into_place(Path(made), path)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise


def move_into_place(made: Path, path: Path) -> None:
    """Gives what was made elsewhere on the same disk its final name, durably."""
    os.replace(made, path)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def put_aside(path: Path, prefix: str = KEPT) -> Path:
    """Renames what has to make way, durably, to a name that says what it is and when: nothing of it is lost."""
    name = f"{prefix}{path.name}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    kept = next(path.with_name(name) for name in names if not path.with_name(name).exists())
    move_into_place(path, kept)
    return kept


@contextmanager
def workshop(folder: Path, owner: OsUser | None) -> Iterator[Path]:
    """A private folder inside ``folder`` to make things in; it is gone afterwards with all that was not moved out."""
    path = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=folder))
    try:
        if owner:
            os.chown(path, owner.uid, owner.gid)
        yield path
    finally:
        _remove(path)


def remove_unfinished(folder: Path) -> None:
    """Removes what an interrupted start left in ``folder``."""
    for path in folder.glob(f"{UNFINISHED}*"):
        if path.is_dir() and not path.is_symlink():
            _remove(path)
        else:
            path.unlink()


def _remove(folder: Path) -> None:
    # An orphaned process may still be writing there (its parent was killed): what is left goes at the next start.
    shutil.rmtree(folder, ignore_errors=True)
