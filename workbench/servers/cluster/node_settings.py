"""What each server is told: its settings and who may sign in, kept in files in its data folder."""

from __future__ import annotations

from pathlib import Path

from workbench.servers.cluster.layout import Layout, Node, write_private

INCLUDED = "workbench.conf"
INCLUDE = f"\ninclude '{INCLUDED}'\n"  # ends each postgresql.conf, so that ours win over initdb's

COMMON = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # TCP only: one way in, one list of who may
    "max_connections": "130",  # the roles' limits together, and the superuser's reserve
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Nothing acknowledged is lost when a process dies or the power fails.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_level": "logical",
    "max_wal_senders": "10",
    "max_replication_slots": "10",
    "max_slot_wal_keep_size": "2GB",  # an absent consumer loses its place before it fills the disk
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "random_page_cost": "1.1",
    "jit": "off",
    # Statements and rows hold passwords and customers: the log gets neither.
    "log_statement": "none",
    "log_parameter_max_length_on_error": "0",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}

REPLICA = {
    "primary_slot_name": "replica",
    "hot_standby_feedback": "on",
    "max_standby_streaming_delay": "10s",  # just above the reader's statement_timeout
    "wal_retrieve_retry_interval": "1s",
}

TWO_QUOTES, BACKSLASH_QUOTE = "''", r"\'"  # a quotation mark inside a value: of postgresql.conf, of libpq

HBA = """\
# Who may sign in, from where, how. Written by the workbench, which undoes other changes.
# type  database     user                                                address       method
host    sales        workbench_writer,workbench_reader,workbench_owner   127.0.0.1/32  scram-sha-256
# The publication is read with the name of the database, and the physical stream with the word replication:
host    sales        workbench_cdc                                       127.0.0.1/32  scram-sha-256
host    replication  workbench_replica                                   127.0.0.1/32  scram-sha-256
host    all          postgres                                            127.0.0.1/32  scram-sha-256
local   all          all                                                               reject
host    all          all                                                 all           reject
"""


def replication_address(layout: Layout) -> str:
    """How the replica reaches the master, in libpq's words; the password is in the file it names."""
    words = {
        "host": "127.0.0.1",
        "port": str(layout.master.port),
        "user": "workbench_replica",
        "passfile": str(layout.pgpass),
        "application_name": "replica",
        "sslmode": "disable",
    }
    return " ".join(f"{word}='{_escaped(value, quote=BACKSLASH_QUOTE)}'" for word, value in words.items())


def is_current(layout: Layout, node: Node) -> bool:
    """True when the node's files say what they should; a server may have to restart when they do not."""
    return all(path.exists() and path.read_text() == text for path, text in _files(layout, node).items())


def write_settings(layout: Layout, node: Node) -> None:
    """Writes the node's settings and its list of who may sign in; a server takes them when it starts."""
    for path, text in _files(layout, node).items():
        write_private(path, text, layout.user)


def _files(layout: Layout, node: Node) -> dict[Path, str]:
    settings = {"cluster_name": node.name, "port": str(node.port), **COMMON}
    if node.name == "replica":
        settings |= REPLICA | {"primary_conninfo": replication_address(layout)}
    lines = ["# Written by the workbench; put settings of your own into postgresql.conf, after the include.\n"]
    lines += [f"{name} = '{_escaped(value, quote=TWO_QUOTES)}'\n" for name, value in settings.items()]
    return {
        node.pgdata / INCLUDED: "".join(lines),
        node.pgdata / "pg_hba.conf": HBA,
    }


def _escaped(value: str, quote: str) -> str:
    """The inside of a quoted value, where a backslash escapes and ``quote`` stands for a quotation mark."""
    return value.replace("\\", r"\\").replace("'", quote)
