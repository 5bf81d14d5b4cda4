"""What a database error means, and its words: the one place where errors of servers become errors that people read."""

from __future__ import annotations

import re
from typing import Literal

import psycopg2.errors
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from workbench.config import Server, Settings
from workbench.database.deadline import READER_SECONDS
from workbench.errors import DatabaseRefused, DiskFull, SchemaError, ServerBusy, ServerUnavailable, WorkbenchError

ServerError = DBAPIError | PoolTimeout
SERVER_ERRORS = (DBAPIError, PoolTimeout)  # the same, to be caught
# away: it went away or lets nobody in. busy: it has no connection left. replayed: it ended the query, as a standby does
# when replay needs what the query reads, or as any server does to end a deadlock. held: others hold what is waited for.
# stopped: the time limit, or somebody, ended the query. full: its disk is. missing: no such table or column.
# refused: anything else.
Failure = Literal["away", "busy", "replayed", "held", "stopped", "missing", "full", "refused"]
_FAILURES: dict[str, Failure] = {
    "57P01": "away",  # shut down, or the connection was ended by an administrator
    "57P02": "away",
    "57P03": "away",  # starting up
    "57P05": "away",
    "25P03": "away",
    "53300": "busy",
    "40001": "replayed",
    "40P01": "replayed",
    "57P04": "replayed",  # the database was dropped under it
    "55P03": "held",
    "57014": "stopped",
    "53100": "full",
    "42P01": "missing",
    "42703": "missing",
    "42883": "missing",
}
_RECOVERY = ("conflict with recovery", "buffer deadlock with recovery")


def state_of(error: Exception) -> str:
    """The SQLSTATE of a database error; empty when the server did not say one."""
    cause = getattr(error, "orig", None)
    return getattr(cause, "pgcode", None) or getattr(cause, "sqlstate", None) or ""


def is_missing(error: ServerError) -> bool:
    """True when there is no such table, view or source. RisingWave has one code for nearly all that it refuses."""
    return isinstance(error, DBAPIError) and ("not found" in str(error.orig) or state_of(error) == "42P01")


def failure(error: ServerError) -> Failure:
    """Which kind of failure it is, whatever the server and its version."""
    if isinstance(error, PoolTimeout):
        return "busy"
    state, text = state_of(error), str(error.orig)
    if any(words in text for words in _RECOVERY):  # whatever its code: standbys of all versions say so
        return "replayed"
    if known := _FAILURES.get(state):
        return known
    # psycopg2 has no state for a connection that broke, and the plainest class for one that broke within an answer.
    is_cut = not state and type(error) in (OperationalError, InterfaceError, DatabaseError)
    return "away" if error.connection_invalidated or is_cut or state.startswith("08") else "refused"


def is_away(error: ServerError) -> bool:
    """True when the server went away or lets nobody in, so that another may be asked."""
    return failure(error) in ("away", "busy")


# What libpq and PostgreSQL say about a certificate or its key, and what that means for the settings of a server.
TLS = {
    r'certificate for ("[^"]*").* does not match host name': "shows a certificate for {0}, and {place}_HOST is"
    " {server.host}. Set {place}_HOST to the name in the certificate.",
    "certificate verify failed": "shows a certificate that is not valid, or for which no CA in {place}_SSLROOTCERT"
    " vouches ({server.sslrootcert}). Put the right CA there.",
    "does not support SSL": "speaks no TLS, which {place}_SSLMODE={server.sslmode} asks for. Switch TLS on there.",
    "no encryption|SSL off": "does not let {server.user} into the database {server.name} from this machine without TLS."
    " Set {place}_SSLMODE to verify-full, or add a line for it to its pg_hba.conf.",
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


def named(name: str) -> str:
    """A server as a sentence begins with it: ``The replica``, ``RisingWave``."""
    return called(name) if name == "risingwave" else f"The {name}"


def in_words(settings: Settings, name: str, error: ServerError, seconds: float = READER_SECONDS) -> WorkbenchError:
    """The error a person can read for what ``master``, ``replica`` or ``risingwave`` did not do.

    It says what is wrong and what to do, and holds nothing of a row or a statement: raise it ``from None``.
    ``seconds`` is the time limit that the statement had.
    """
    match failure(error):
        case "away":
            return _away(settings, name, str(getattr(error, "orig", error)))
        case "busy":
            return ServerBusy(f"{named(name)} is busy: all its connections are in use. Try again.")
        case "replayed":
            return ServerBusy(f"{named(name)} ended the query, as a change of the tables came in between. Try again.")
        case "held":
            return ServerBusy(f"{named(name)} took too long: others hold what it would change. Try again.")
        case "stopped":
            return _stopped(name, error, seconds)
        case "full":
            return DiskFull(
                f"{named(name)}'s disk is full: it refuses this, and nothing of it was kept. What was saved before is"
                " there. Free space on that disk, then try again (`workbench status` says where the embedded servers"
                " keep their data)."
            )
        case "missing":
            return SchemaError(f"{named(name)} lacks a table or column of this version. Run `workbench migrate`.")
        case _:
            return _refused(name, error)


def _stopped(name: str, error: ServerError, seconds: float) -> WorkbenchError:
    if "user request" in str(error):
        return ServerBusy(f"{named(name)} was told to cancel the query.")
    return ServerBusy(f"The query took longer than {seconds:g} s and was stopped. Ask for fewer days.")


def _refused(name: str, error: ServerError) -> WorkbenchError:
    """By its code and the names of the schema alone: the server's own text may quote the row."""
    state, diagnosis = state_of(error), getattr(getattr(error, "orig", None), "diag", None)
    try:
        condition = re.sub(r"(?<!^)(?=[A-Z])", " ", psycopg2.errors.lookup(state).__name__).lower()
    except KeyError:
        condition = type(getattr(error, "orig", error)).__name__
    places = (("column", "column_name"), ("table", "table_name"), ("constraint", "constraint_name"))
    found = [f"{word} {place}" for word, part in places if (place := getattr(diagnosis, part, None))]
    where = f" ({', '.join(found)})" if found else ""
    return DatabaseRefused(f"{named(name)} refuses it: {condition}{where}, SQLSTATE {state or 'unknown'}.", state)


def _away(settings: Settings, name: str, text: str) -> WorkbenchError:
    server = {"replica": settings.replica, "risingwave": settings.risingwave}.get(name) or settings.master
    if tls := refused_tls(name, server, text):
        return ServerUnavailable(f"{named(name)} at {server.address} {tls}")
    settings_of = "RISINGWAVE" if name == "risingwave" else f"{name.upper()}_DB"
    values = {"user": server.user, "database": server.name, "settings": settings_of}
    user = _refused_user(server, text)
    if user:
        cause, remedy = f"refuses the password of {user}", _password_remedy(settings, name, user)
    else:
        cause, remedy = next((words for pattern, *words in _CAUSES if pattern.search(text)), _SILENT)
    if name == "risingwave" and (user or re.search(r"Role \S+ does not exist", text)):
        remedy = "Run `workbench risingwave apply`, which makes RISINGWAVE_READER_USER and gives it its password."
    reason = f"{cause.format(**values)}. {(remedy or _start(name, server)).format(**values)}"
    return ServerUnavailable(f"{named(name)} at {server.address} {reason}")


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
    is_password = re.search(r"password authentication failed|Invalid password|SASL authentication failed", text)
    return server.user if is_password else None


def _password_remedy(settings: Settings, name: str, user: str) -> str:
    passwords = {
        settings.master_db_user: "MASTER_DB_PASSWORD",
        settings.master_db_owner_user: "MASTER_DB_OWNER_PASSWORD",
        settings.replica_db_user: "REPLICA_DB_PASSWORD",
    }
    if name != "risingwave" and (setting := passwords.get(user)):
        return f"Put the right one into {setting}; in Docker Compose `docker compose up -d` gives the servers .env's."
    return ""


def _start(name: str, server: Server) -> str:
    """How it is started: the way out when nothing answers."""
    if name == "risingwave":
        return "Start it with `docker compose up -d risingwave`, or check the RISINGWAVE_* settings."
    if server.host in ("127.0.0.1", "::1", "localhost"):
        return f"Start it with `workbench up`, in Docker Compose with `docker compose up -d {name}`."
    return "Check {settings}_* settings."


_LOOK = "Check {settings}_HOST and {settings}_PORT."
# What servers, poolers and libpq say when they let nobody in: its pattern, the cause in words, and the remedy (empty:
# start it). The first that is found counts: libpq tells of all addresses that a name has, one after the other.
_SILENT = ["does not answer", ""]
_CAUSES = [
    (re.compile(pattern), cause, remedy)
    for pattern, cause, remedy in (
        (r"no password supplied", "asks for a password of {user}, and none is set", "Set {settings}_PASSWORD."),
        (
            r"unsupported startup parameter",
            "is a pooler, which refuses what is set as one connects",
            "Let it ignore that (PgBouncer: ignore_startup_parameters = extra_float_digits, options), or give"
            " PostgreSQL's own address in {settings}_HOST.",
        ),
        (
            r"no such (database|user)|[Tt]enant or user not found|No pool configured|route for '.*' is not found",
            "is a pooler that has no database {database} for {user}",
            "Add it to the pooler's databases and users, or give PostgreSQL's own address in {settings}_HOST.",
        ),
        (
            r"query_wait_timeout|max_client_conn|server[_ ]login|pgbouncer|bouncer config|all servers (are )?down",
            "is a pooler that has no connection to PostgreSQL for {user}",
            "See the pooler's log, and whether PostgreSQL behind it runs.",
        ),
        (
            r'FATAL:\s+(database|role) "|database "[^"]*" does not exist|database not found|Role \S+ does not exist',
            "has no database {database} or no role {user}",
            "",
        ),
        (
            r"pg_hba\.conf",
            "does not let {user} into the database {database} from this machine",
            "Add a line for it to the server's pg_hba.conf and reload it.",
        ),
        (r"too many (clients|connections)|connection slots are", "has no connection left for {user}", "Try again."),
        (
            r"starting up|shutting down|in recovery mode|not (yet )?accepting",
            "is starting or stopping",
            "Try again.",
        ),
        (r"could not translate host name", "is not known by that name here", "Check {settings}_HOST."),
        (r"[Cc]onnection refused", "does not answer: nothing listens there", ""),
        (r"invalid response|expected authentication request", "is no PostgreSQL: something else listens there", _LOOK),
    )
]
