"""PostgreSQL's processes: running its programs, starting and stopping servers, and the truth about what runs."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from workbench.errors import ClusterError
from workbench.servers.cluster.files import OsUser
from workbench.servers.cluster.layout import Node
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
