"""The embedded cluster: a PostgreSQL master and its streaming replica, started from the installed wheel."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg2
from pydantic import SecretStr

from workbench.config import Server, Settings
from workbench.errors import ClusterError, DiskFull, PortTaken
from workbench.servers.cluster import master, replica
from workbench.servers.cluster.copies import refuse_lost_master, refuse_other_master
from workbench.servers.cluster.layout import Layout, layout_of, locked, make_private, prepare, remove_unfinished
from workbench.servers.cluster.node_settings import (
    SUPERUSER,
    completed,
    is_current,
    known_passwords,
    read_passwords,
    save_passwords,
    write_pgpass,
)
from workbench.servers.cluster.processes import ProgramFailed, Programs, find_programs, running, stop
from workbench.servers.cluster.replica import paused_replica
from workbench.servers.disk import full_disk, full_in_words, is_short, says_full

__all__ = ["configured", "data_dir", "down", "paused_replica", "rotate", "superuser", "up"]


def _silent(progress: str) -> None:
    pass


def up(settings: Settings, say: Callable[[str], None] = _silent) -> Settings:
    """Starts the master and the replica, making or mending what is needed; does nothing when both are well.

    ``say`` gets a short line for each thing done. Returns the settings filled in with how to reach the two servers.
    Raises PortTaken or ClusterError. Safe to call from several processes at once.
    """
    layout = layout_of(settings)
    with _as_cluster_errors(layout):
        prepare(layout)
        with locked(layout):
            refuse_lost_master(layout)
            _refuse_taken_ports(layout)
            remove_unfinished(layout.data_dir)
            programs = find_programs(layout)
            refuse_other_master(layout, programs)
            for node in (layout.master, layout.replica):
                make_private(layout, node)
            passwords = _passwords(layout, programs, say)
            for node in (layout.replica, layout.master):  # both before either starts: they may have swapped ports
                if running(node) and not is_current(layout, node):
                    say(f"Restarting the {node.name}: its settings have changed")
                    stop(programs, node)
            master.bring_up(layout, programs, passwords, say)
            replica.bring_up(layout, programs, passwords, say)
    return _filled_in(settings, layout, passwords)


def configured(settings: Settings) -> Settings:
    """The settings filled in as ``up`` does, starting nothing. Raises ClusterError when there is no cluster yet."""
    layout = layout_of(settings)
    with _as_cluster_errors(layout):
        return _filled_in(settings, layout, read_passwords(layout))


def down(settings: Settings) -> list[str]:
    """Stops the replica, then the master. Returns the names of those that ran. Raises ClusterError."""
    layout = layout_of(settings)
    with _as_cluster_errors(layout):
        if not layout.lock.exists():
            return []
        with locked(layout):
            nodes = [node for node in (layout.replica, layout.master) if running(node)]
            programs = find_programs(layout) if nodes else None
            return [node.name for node in nodes if programs and stop(programs, node)]


def rotate(settings: Settings, roles: Sequence[str] = (), say: Callable[[str], None] = _silent) -> list[str]:
    """Gives these roles of the running servers, or all, new random passwords. Returns their names.

    Who is signed in stays so; a running process takes the new one with its next connection. Raises ClusterError.
    """
    layout = layout_of(settings)
    with _as_cluster_errors(layout), locked(layout):
        known = read_passwords(layout)
        if unknown := sorted(set(roles) - set(known)):
            raise ClusterError(f"There is no role {unknown[0]}: the roles are {', '.join(known)}.")
        if running(layout.master) is None:
            raise ClusterError("The master does not run, and keeps the passwords: start it with `workbench up`.")
        chosen = list(roles) or list(known)
        master.change_passwords(layout, known, completed({r: p for r, p in known.items() if r not in chosen}))
        say(f"New passwords of {', '.join(chosen)} are in {layout.passwords}")
        return chosen


def superuser(settings: Settings) -> Server:
    """How to reach the master as its superuser: for tests and status, never for the app. Raises ClusterError."""
    layout = layout_of(settings)
    with _as_cluster_errors(layout):
        password = read_passwords(layout)[SUPERUSER]
    return Server("127.0.0.1", layout.master.port, master.DATABASE, SUPERUSER, password, sslmode="disable")


def data_dir(settings: Settings) -> Path:
    """Where the embedded servers keep their data, passwords and logs. Raises SettingsError when that cannot be."""
    return layout_of(settings).data_dir


def _passwords(layout: Layout, programs: Programs, say: Callable[[str], None]) -> dict[str, SecretStr]:
    """Password by role, in the file and with the superuser; the master gives the other roles theirs once it runs."""
    known = known_passwords(layout)
    passwords = completed(known)
    if SUPERUSER not in known and layout.master.pgdata.exists():  # saved after: an interrupted one is begun again
        say(f"{layout.passwords} is missing or damaged: making new passwords. Restart what uses the old ones")
        for node in (layout.replica, layout.master):
            stop(programs, node)
        master.set_superuser_password(layout, programs, passwords[SUPERUSER])
    if kept := save_passwords(layout, passwords):
        say(f"The damaged file of passwords is kept as {kept}")
    write_pgpass(layout, passwords)
    return passwords


def _filled_in(settings: Settings, layout: Layout, passwords: dict[str, SecretStr]) -> Settings:
    return settings.model_copy(
        update={
            "master_db_host": "127.0.0.1",
            "master_db_name": master.DATABASE,
            "master_db_sslmode": "disable",
            "master_db_user": "workbench_writer",
            "master_db_password": passwords["workbench_writer"],
            "master_db_owner_user": "workbench_owner",
            "master_db_owner_password": passwords["workbench_owner"],
            "replica_db_host": "127.0.0.1",
            "replica_db_name": master.DATABASE,
            "replica_db_sslmode": "disable",
            "replica_db_user": "workbench_reader",
            "replica_db_password": passwords["workbench_reader"],
            "risingwave_cdc_user": "workbench_cdc",
            "risingwave_cdc_password": passwords["workbench_cdc"],
            "workbench_passwords_file": str(layout.passwords),
        }
    )


def _refuse_taken_ports(layout: Layout) -> None:
    nodes = (layout.master, layout.replica)
    ours = {server.port for node in nodes if (server := running(node))}
    for node in nodes:
        if node.port not in ours and not _is_free(node.port):
            raise PortTaken(
                f"Port {node.port} on 127.0.0.1 is taken by another program, and the {node.name} was to listen there."
                f" End that program, or set {node.port_setting} to another port."
            )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As PostgreSQL does: connections of a server that has just ended are no obstacle, a listener is.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@contextmanager
def _as_cluster_errors(layout: Layout) -> Iterator[None]:
    """The edges show a WorkbenchError's text: here is where it says which folder or server it was about."""
    try:
        with full_in_words(layout.data_dir):
            yield
    except ClusterError as error:
        # A program of which the server ended may only say that.
        if says_full(str(error)) or (isinstance(error, ProgramFailed) and is_short(layout.data_dir)):
            raise DiskFull(f"{full_disk(layout.data_dir)} PostgreSQL says: {error}") from error
        raise
    except OSError as error:
        place, what = error.filename or layout.data_dir, error.strerror or error
        raise ClusterError(
            f"{place}: {what}. The embedded cluster needs a folder of its user's own: set WORKBENCH_DATA_DIR"
            f" (now {layout.data_dir}), or run as the user who made it."
        ) from error
    except psycopg2.Error as error:
        raise ClusterError(
            f"A server of the embedded cluster in {layout.data_dir} failed: {str(error).strip()}."
            f" The logs are {layout.master.log} and {layout.replica.log}."
        ) from error
