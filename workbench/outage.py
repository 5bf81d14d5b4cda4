"""A server that does not answer, in words: what is wrong with it, and what to do."""

from __future__ import annotations

import re

from workbench.config import Server, Settings
from workbench.errors import ServerUnavailable, WorkbenchError

# What libpq and PostgreSQL say about a certificate or its key, and what that means for the settings of a server.
TLS = {
    r'certificate for ("[^"]*").* does not match host name': "shows a certificate for {0}, and {place}_HOST is"
    " {server.host}. Set {place}_HOST to the name in the certificate.",
    "certificate verify failed": "shows a certificate that is not valid, or for which no CA in {place}_SSLROOTCERT"
    " vouches ({server.sslrootcert}). Put the right CA there.",
    "does not support SSL": "speaks no TLS, which {place}_SSLMODE={server.sslmode} asks for. Switch TLS on there.",
    "no encryption|SSL off": "lets {server.user} in with TLS only, if at all. Set {place}_SSLMODE to verify-full.",
    "certificate required|requires a valid client certificate|unknown ca|certificate authentication failed": "does not"
    " accept the client certificate. Set {place}_SSLCERT and {place}_SSLKEY to one that it accepts.",
    'private key file "([^"]*)"': "is not asked: the key {0} ({place}_SSLKEY) is missing, or others may read it."
    " `chmod 600` it.",
    "could not load private key|could not read (root )?certificate": "is not asked: a file named by"
    " {place}_SSLROOTCERT, {place}_SSLCERT or {place}_SSLKEY holds something else.",
}


def called(name: str) -> str:
    """A server by the name that people read: ``replica``, ``RisingWave``."""
    return "RisingWave" if name == "risingwave" else name


def spoken(name: str) -> str:
    """A server as a sentence begins with it: ``The replica``, ``RisingWave``."""
    return called(name) if name == "risingwave" else f"The {name}"


def unavailable(settings: Settings, name: str, error: Exception) -> WorkbenchError:
    """The error a person can read for a failed connection to ``master``, ``replica`` or ``risingwave``.

    It says what is wrong and what to do, and is never the server's own text.
    """
    server = {"replica": settings.replica, "risingwave": settings.risingwave}.get(name) or settings.master
    if tls := refused_tls(name, server, str(error)):
        return ServerUnavailable(f"{spoken(name)} at {server.host}:{server.port} {tls}")
    remedy = _remedy(settings, name, server, str(error))
    return ServerUnavailable(f"{spoken(name)} at {server.host}:{server.port} {_cause(server, str(error))}. {remedy}")


def refused_tls(name: str, server: Server, text: str) -> str | None:
    """What is wrong with the encryption of a connection, and what to do; None when it is not that."""
    place = "RISINGWAVE" if name == "risingwave" else f"{name.upper()}_DB"
    for pattern, words in TLS.items():
        if found := re.search(pattern, text):
            return words.format(*found.groups(), server=server, place=place)
    return None


def _refused_user(server: Server, text: str) -> str | None:
    """Whose password is wrong; None when it is not that."""
    if found := re.search(r'password authentication failed for user "([^"]+)"', text):
        return found[1]
    return server.user if "password authentication failed" in text or "Invalid password" in text else None


def _cause(server: Server, text: str) -> str:
    if user := _refused_user(server, text):
        return f"refuses the password of {user}"
    if re.search(
        r'FATAL:  (database|role) "|database "[^"]*" does not exist|database not found|Role \S+ does not exist', text
    ):
        return f"has no database {server.name} or no role {server.user}"
    return "does not answer"


def _remedy(settings: Settings, name: str, server: Server, text: str) -> str:
    passwords = {
        settings.master_db_user: "MASTER_DB_PASSWORD",
        settings.master_db_owner_user: "MASTER_DB_OWNER_PASSWORD",
        settings.replica_db_user: "REPLICA_DB_PASSWORD",
    }
    if name != "risingwave" and (setting := passwords.get(_refused_user(server, text) or "")):
        return f"Put the right one into {setting}; in Docker Compose `docker compose up -d` gives the servers .env's."
    if name == "risingwave":
        return "Start it with `docker compose up -d risingwave`, or check the RISINGWAVE_* settings."
    if server.host == "127.0.0.1":
        return f"Start it with `workbench up`, in Docker Compose with `docker compose up -d {name}`."
    return f"Check {name.upper()}_DB_* settings."
