"""The embedded cluster: a PostgreSQL master and its streaming replica, started from the installed wheel."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg2
from pydantic import SecretStr

from workbench.cluster import master, replica
from workbench.cluster.binaries import find_programs
from workbench.cluster.files import remove_unfinished
from workbench.cluster.layout import Layout, layout_of, locked, prepare
from workbench.cluster.node_settings import is_current
from workbench.cluster.passwords import SUPERUSER, make_passwords, read_passwords, write_pgpass
from workbench.cluster.pause import paused_replica
from workbench.cluster.processes import running, stop
from workbench.config import Server, Settings
from workbench.errors import ClusterError, PortTaken

__all__ = ["configured", "down", "paused_replica", "superuser", "up"]


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
            _refuse_taken_ports(layout)
            remove_unfinished(layout.data_dir)
            programs = find_programs(layout)
            passwords = make_passwords(layout)
            write_pgpass(layout, passwords)
            for node in (layout.replica, layout.master):  # both before either starts: they may have swapped ports
                if running(node) and not is_current(layout, node):
                    say(f"Restarting the {node.name}: its settings have changed")
                    stop(programs, node)
            master.bring_up(layout, programs, passwords, say)
            replica.bring_up(layout, programs, passwords, say)
    return _filled_in(settings, passwords)


def configured(settings: Settings) -> Settings:
    """The settings filled in as ``up`` does, starting nothing. Raises ClusterError when there is no cluster yet."""
    layout = layout_of(settings)
    with _as_cluster_errors(layout):
        return _filled_in(settings, read_passwords(layout))


def down(settings: Settings) -> list[str]:
    """Stops the replica, then the master. Returns the names of those that ran. Raises ClusterError."""
    layout = layout_of(settings)
    with _as_cluster_errors(layout):
        if not layout.passwords.exists():
            return []
        with locked(layout):
            programs = find_programs(layout)
            return [node.name for node in (layout.replica, layout.master) if stop(programs, node)]


def superuser(settings: Settings) -> Server:
    """How to reach the master as its superuser: for tests and status, never for the app. Raises ClusterError."""
    layout = layout_of(settings)
    with _as_cluster_errors(layout):
        password = read_passwords(layout)[SUPERUSER]
    return Server("127.0.0.1", layout.master.port, master.DATABASE, SUPERUSER, password, sslmode="disable")


def _filled_in(settings: Settings, passwords: dict[str, SecretStr]) -> Settings:
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
        yield
    except PermissionError as error:
        raise ClusterError(
            f"{error.filename or layout.data_dir}: {error.strerror}. The embedded cluster needs a folder of its"
            f" user's own: set WORKBENCH_DATA_DIR (now {layout.data_dir}), or run as the user who made it."
        ) from error
    except OSError as error:
        raise ClusterError(f"{error.filename or layout.data_dir}: {error.strerror}") from error
    except psycopg2.Error as error:
        raise ClusterError(
            f"A server of the embedded cluster in {layout.data_dir} failed: {str(error).strip()}."
            f" The logs are {layout.master.log} and {layout.replica.log}."
        ) from error
