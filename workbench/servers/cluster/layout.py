"""Where the embedded master and replica live, and files there that are private and never half written."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from workbench.config import Settings
from workbench.errors import ClusterError, SettingsError

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


LOCK_TIMEOUT_SECONDS = 600  # another `up` may be copying a large master

OTHERS = stat.S_IWGRP | stat.S_IRWXO  # who may do nothing with the folder of a server that starts

UNQUOTABLE = set('"$`\\\n')  # pg_ctl puts paths between double quotes into a shell command


@dataclass(frozen=True)
class Node:
    """One server: its name, data folder, log, and the port that the settings give it."""

    name: str
    pgdata: Path
    log: Path
    port: int
    port_setting: str


@dataclass(frozen=True)
class Layout:
    """Everything in the data folder. ``user`` is PostgreSQL's OS user; None means ourselves."""

    data_dir: Path
    user: OsUser | None
    master: Node
    replica: Node

    @property
    def passwords(self) -> Path:
        """The file of all passwords: the invoking user's."""
        return self.data_dir / "passwords.env"

    @property
    def pgpass(self) -> Path:
        """The replication password, in libpq's format: PostgreSQL's user's."""
        return self.data_dir / "pgpass"

    @property
    def lock(self) -> Path:
        """Held by whoever starts or stops servers."""
        return self.data_dir / "up.lock"


def layout_of(settings: Settings) -> Layout:
    """The layout that the settings ask for; nothing is made. Raises SettingsError for what cannot work."""
    if settings.master_db_port == settings.replica_db_port:
        raise SettingsError(
            f"MASTER_DB_PORT and REPLICA_DB_PORT are both {settings.master_db_port}: the two servers need two ports."
        )
    data_dir = _data_dir(settings)
    if refused := UNQUOTABLE & set(str(data_dir)):
        raise SettingsError(
            f"WORKBENCH_DATA_DIR: {str(data_dir)!r} contains {', '.join(map(repr, sorted(refused)))},"
            " which PostgreSQL's pg_ctl cannot take in a path. Choose another folder."
        )
    master = Node("master", data_dir / "master", data_dir / "master.log", settings.master_db_port, "MASTER_DB_PORT")
    replica = Node(
        "replica", data_dir / "replica", data_dir / "replica.log", settings.replica_db_port, "REPLICA_DB_PORT"
    )
    return Layout(data_dir, _postgres_user(), master, replica)


def _data_dir(settings: Settings) -> Path:
    try:
        return settings.workbench_data_dir.expanduser().resolve()
    except RuntimeError:  # neither HOME nor an entry in the system's list of users
        raise SettingsError(
            f"WORKBENCH_DATA_DIR: there is no home folder to put {settings.workbench_data_dir} in. Set it, or HOME, to"
            " a folder of yours."
        ) from None


def prepare(layout: Layout) -> None:
    """Makes the data folder, or checks that it is ours. Raises ClusterError, changing nothing, when it cannot be."""
    folder = layout.data_dir
    if layout.user:
        _refuse_closed_parents(folder, layout.user)
    _make(folder, open_parents=layout.user is not None)
    entries = set(os.listdir(folder)) - {"columns"}  # figures, which are kept there beside any servers
    if entries and not {layout.lock.name, layout.passwords.name}.intersection(entries):
        raise ClusterError(
            f"{folder} holds files that are not the workbench's, so nothing was put there."
            " Set WORKBENCH_DATA_DIR to an empty or a new folder."
        )
    owner = layout.user.uid if layout.user else os.geteuid()
    if layout.user and not entries:
        os.chown(folder, layout.user.uid, layout.user.gid)
    elif folder.stat().st_uid != owner:
        raise ClusterError(
            f"{folder} was made by another user (uid {folder.stat().st_uid}); PostgreSQL would run as uid {owner}."
            " Run as the user that made it, or set WORKBENCH_DATA_DIR to another folder."
        )
    folder.chmod(0o700)


def make_private(layout: Layout, node: Node) -> None:
    """Gives the node's folder the mode that PostgreSQL asks for. Raises ClusterError when it is another user's."""
    if not node.pgdata.exists():
        return
    found, owner = node.pgdata.stat(), layout.user.uid if layout.user else os.geteuid()
    if found.st_uid != owner:
        raise ClusterError(
            f"{node.pgdata} belongs to the user with uid {found.st_uid}, and PostgreSQL runs as uid {owner}, as perhaps"
            f" after a copy. Give it back: `chown -R {owner} {node.pgdata}`."
        )
    if stat.S_IMODE(found.st_mode) & OTHERS:
        node.pgdata.chmod(0o700)


@contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """While inside, no other process starts or stops these servers."""
    try:
        with FileLock(layout.lock, timeout=LOCK_TIMEOUT_SECONDS, mode=0o600):
            yield
    except Timeout as error:
        raise ClusterError(
            f"Another process has held {layout.lock} for {LOCK_TIMEOUT_SECONDS} s. End that process, then try again."
        ) from error


def _postgres_user() -> OsUser | None:
    """PostgreSQL refuses to run as root: root starts it as ``nobody``."""
    if os.geteuid() != 0:
        _refuse_nameless()
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError as error:
        raise ClusterError(
            "PostgreSQL does not run as root, and this system has no user nobody to run it as."
            " Create that user, or run the workbench as an ordinary user."
        ) from error
    return OsUser(entry.pw_uid, entry.pw_gid)


def _refuse_nameless() -> None:
    """initdb and others of PostgreSQL's programs look their user's name up, as containers with a number have none."""
    uid = os.geteuid()
    try:
        pwd.getpwuid(uid)
    except KeyError:
        raise ClusterError(
            f"The user with uid {uid} has no name on this system, and PostgreSQL does not run without one: add one"
            f" (`echo 'workbench:x:{uid}:{os.getegid()}::/tmp:/bin/sh' >> /etc/passwd` as root), run as another user,"
            " or set MASTER_DB_HOST to a server elsewhere."
        ) from None


def _make(folder: Path, open_parents: bool) -> None:
    for parent in reversed(folder.parents):
        if not parent.exists():
            parent.mkdir(exist_ok=True)
            if open_parents:  # whatever root's umask is: PostgreSQL's user has to get through
                parent.chmod(0o755)
    folder.mkdir(mode=0o700, exist_ok=True)


def _refuse_closed_parents(folder: Path, user: OsUser) -> None:
    for parent in folder.parents:
        if parent.exists() and not _may_enter(parent.stat(), user):
            raise ClusterError(
                f"As root, the workbench runs PostgreSQL as the user nobody, who may not enter {parent}."
                " Set WORKBENCH_DATA_DIR to a folder below one that everybody may enter, such as"
                " /var/lib/sales-workbench."
            )


def _may_enter(folder: os.stat_result, user: OsUser) -> bool:
    if folder.st_uid == user.uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    return bool(folder.st_mode & (stat.S_IXGRP if folder.st_gid == user.gid else stat.S_IXOTH))
