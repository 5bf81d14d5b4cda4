"""The passwords of the embedded servers' roles: made once, random, in files that only their owner may read."""

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
from workbench.servers.cluster.layout import Layout, put_aside, write_private

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
