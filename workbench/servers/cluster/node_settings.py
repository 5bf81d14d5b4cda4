"""What each server is told: its settings, who may sign in, and the passwords of the roles, in private files."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from pathlib import Path

from pydantic import SecretStr

from workbench.config.env_file import role_passwords, variable
from workbench.errors import ClusterError
from workbench.servers.cluster.layout import Layout, Node, put_aside, write_private

SUPERUSER = "postgres"
ROLES = (SUPERUSER, "workbench_owner", "workbench_writer", "workbench_reader", "workbench_cdc", "workbench_replica")

VERIFIER = re.compile(r"SCRAM-SHA-256\$(\d+):(.+)\$(.+):(.+)")


def read_passwords(layout: Layout) -> dict[str, SecretStr]:
    """Password by role. Raises ClusterError when there are none: the cluster was never made, or its file is gone."""
    found = known_passwords(layout)
    if len(found) < len(ROLES):
        raise ClusterError(
            f"There is no complete embedded cluster in {layout.data_dir} ({layout.passwords.name} is missing or"
            " lacks a role). Run `workbench up`."
        )
    return found


def known_passwords(layout: Layout) -> dict[str, SecretStr]:
    """Password by role, as far as the file has them."""
    found = role_passwords(layout.passwords)
    return {role: found[variable(role)] for role in ROLES if variable(role) in found}


def completed(known: dict[str, SecretStr]) -> dict[str, SecretStr]:
    """Password by role, new ones for those that are not known."""
    return {role: known.get(role) or SecretStr(secrets.token_urlsafe(32)) for role in ROLES}


def save_passwords(layout: Layout, passwords: dict[str, SecretStr], *, keeps_old: bool = True) -> Path | None:
    """Writes the file when it says otherwise. Returns where the old one was kept, when that has what the new one lacks.

    It may be a file of other servers, or a damaged one from which a person reads more than we do.
    """
    lines = [f"{variable(role)}={password.get_secret_value()}" for role, password in passwords.items()]
    old = _lines(layout.passwords)
    if old == lines:
        return None
    kept = put_aside(layout.passwords) if keeps_old and set(old) - set(lines) else None
    write_private(layout.passwords, "".join(f"{line}\n" for line in lines), None)
    return kept


def write_pgpass(layout: Layout, passwords: dict[str, SecretStr]) -> None:
    """The file from which the replica takes its password, so that it is in no setting and no command line."""
    role = "workbench_replica"
    escaped = passwords[role].get_secret_value().replace("\\", r"\\").replace(":", r"\:")
    write_private(layout.pgpass, f"127.0.0.1:*:*:{role}:{escaped}\n", layout.user)


def is_password(password: SecretStr, verifier: str | None) -> bool:
    """True when the server with this verifier of a role (RFC 5803) lets the role in with the password."""
    found = VERIFIER.fullmatch(verifier or "")
    if not found:
        return False
    iterations, salt, stored_key, _ = found.groups()
    salted = hashlib.pbkdf2_hmac(
        "sha256", password.get_secret_value().encode(), base64.b64decode(salt), int(iterations)
    )
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return hmac.compare_digest(hashlib.sha256(client_key).digest(), base64.b64decode(stored_key))


def _lines(file: Path) -> list[str]:
    return file.read_text(errors="replace").splitlines() if file.exists() else []


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
