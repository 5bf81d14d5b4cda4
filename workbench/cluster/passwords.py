"""The passwords of the embedded servers' roles: made once, random, in files that only their owner may read."""

from __future__ import annotations

import secrets

from pydantic import SecretStr

from workbench.cluster.files import write_private
from workbench.cluster.layout import Layout
from workbench.errors import ClusterError

SUPERUSER = "postgres"
ROLES = (SUPERUSER, "workbench_owner", "workbench_writer", "workbench_reader", "workbench_cdc", "workbench_replica")


def read_passwords(layout: Layout) -> dict[str, SecretStr]:
    """Password by role. Raises ClusterError when there are none: the cluster was never made, or its file is gone."""
    found = _read(layout)
    if len(found) < len(ROLES):
        raise ClusterError(
            f"There is no complete embedded cluster in {layout.data_dir} ({layout.passwords.name} is missing or"
            " lacks a role). Run `workbench up`."
        )
    return found


def make_passwords(layout: Layout) -> dict[str, SecretStr]:
    """Password by role, those made that are missing. Raises ClusterError when a server was made with lost ones."""
    found = _read(layout)
    if SUPERUSER not in found and layout.master.pgdata.exists():
        raise ClusterError(
            f"{layout.passwords} is missing or damaged, and without it nobody can sign in to the servers beside it."
            f" Put it back from a copy; or delete {layout.data_dir}, with all its data, to begin anew."
        )
    passwords = {role: found.get(role) or SecretStr(secrets.token_urlsafe(32)) for role in ROLES}
    if passwords != found:
        lines = [f"{_variable(role)}={password.get_secret_value()}\n" for role, password in passwords.items()]
        write_private(layout.passwords, "".join(lines), None)
    return passwords


def write_pgpass(layout: Layout, passwords: dict[str, SecretStr]) -> None:
    """The file from which the replica takes its password, so that it is in no setting and no command line."""
    role = "workbench_replica"
    write_private(layout.pgpass, f"127.0.0.1:*:*:{role}:{passwords[role].get_secret_value()}\n", layout.user)


def _read(layout: Layout) -> dict[str, SecretStr]:
    if not layout.passwords.exists():
        return {}
    pairs = dict(line.split("=", 1) for line in layout.passwords.read_text().splitlines() if "=" in line)
    return {role: SecretStr(pairs[_variable(role)]) for role in ROLES if pairs.get(_variable(role))}


def _variable(role: str) -> str:
    return f"{role.upper()}_PASSWORD"
