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
from workbench.locale import N_, _, sentences

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
    r'certificate for ("[^"]*").* does not match host name': N_(
        "{who} shows a certificate for {found}, and {place}_HOST is {host}. Set {place}_HOST to the name in the"
        " certificate."
    ),
    "certificate verify failed": N_(
        "{who} shows a certificate that is not valid, or for which no CA in {place}_SSLROOTCERT vouches ({rootcert})."
        " Put the right CA there."
    ),
    "does not support SSL": N_("{who} speaks no TLS, which {place}_SSLMODE={sslmode} asks for. Switch TLS on there."),
    "no encryption|SSL off": N_(
        "{who} does not let {user} into the database {database} from this machine without TLS. Set {place}_SSLMODE to"
        " verify-full, or add a line for it to its pg_hba.conf."
    ),
    "certificate required|requires a valid client certificate|unknown ca|certificate authentication failed": N_(
        "{who} does not accept the client certificate. Set {place}_SSLCERT and {place}_SSLKEY to one that it accepts."
    ),
    'private key file "([^"]*)"': N_(
        "{who} is not asked: the key {found} ({place}_SSLKEY) is missing, or others may read it. `chmod 600` it."
    ),
    "could not load private key|could not read (root )?certificate": N_(
        "{who} is not asked: a file named by {place}_SSLROOTCERT, {place}_SSLCERT or {place}_SSLKEY holds something"
        " else."
    ),
}
NAMES = {
    "master": (N_("master"), N_("The master")),
    "replica": (N_("replica"), N_("The replica")),
    "risingwave": ("RisingWave", "RisingWave"),
    "columns": (N_("columns"), N_("The columns")),
}


def called(name: str) -> str:
    """A server by the name that people read: ``replica``, ``RisingWave``."""
    return _(NAMES[name][0]) if name in NAMES else name


def named(name: str) -> str:
    """A server as a sentence begins with it: ``The replica``, ``RisingWave``."""
    return _(NAMES[name][1])


def in_words(settings: Settings, name: str, error: ServerError, seconds: float = READER_SECONDS) -> WorkbenchError:
    """The error a person can read for what ``master``, ``replica`` or ``risingwave`` did not do.

    It says what is wrong and what to do, and holds nothing of a row or a statement: raise it ``from None``.
    ``seconds`` is the time limit that the statement had.
    """
    who = named(name)
    match failure(error):
        case "away":
            return _away(settings, name, str(getattr(error, "orig", error)))
        case "busy":
            return ServerBusy(_("{who} is busy: all its connections are in use. Try again.", who=who))
        case "replayed":
            return ServerBusy(
                _("{who} ended the query, as a change of the tables came in between. Try again.", who=who)
            )
        case "held":
            return ServerBusy(_("{who} took too long: others hold what it would change. Try again.", who=who))
        case "stopped":
            return _stopped(name, error, seconds)
        case "full":
            return DiskFull(
                _(
                    "{who}'s disk is full: it refuses this, and nothing of it was kept. What was saved before is"
                    " there. Free space on that disk, then try again (`workbench status` says where the"
                    " embedded servers keep their data).",
                    who=who,
                )
            )
        case "missing":
            return SchemaError(_("{who} lacks a table or column of this version. Run `workbench migrate`.", who=who))
        case _:
            return _refused(name, error)


def _stopped(name: str, error: ServerError, seconds: float) -> WorkbenchError:
    if "user request" in str(error):
        return ServerBusy(_("{who} was told to cancel the query.", who=named(name)))
    return ServerBusy(
        _("The query took longer than {seconds} s and was stopped. Ask for fewer days.", seconds=f"{seconds:g}")
    )


def _refused(name: str, error: ServerError) -> WorkbenchError:
    """By its code and the names of the schema alone: the server's own text may quote the row."""
    state, diagnosis = state_of(error), getattr(getattr(error, "orig", None), "diag", None)
    try:
        condition = re.sub(r"(?<!^)(?=[A-Z])", " ", psycopg2.errors.lookup(state).__name__).lower()
    except KeyError:
        condition = type(getattr(error, "orig", error)).__name__
    places = (("column", "column_name"), ("table", "table_name"), ("constraint", "constraint_name"))
    found = [f"{word} {place}" for word, part in places if (place := getattr(diagnosis, part, None))]
    cause = f"{condition} ({', '.join(found)})" if found else condition
    said = _("{who} refuses it: {cause}, SQLSTATE {state}.", who=named(name), cause=cause, state=state or "unknown")
    return DatabaseRefused(said, state)


def _away(settings: Settings, name: str, text: str) -> WorkbenchError:
    server = {"replica": settings.replica, "risingwave": settings.risingwave}.get(name) or settings.master
    if tls := refused_tls(name, server, text):
        return ServerUnavailable(tls)
    settings_of = "RISINGWAVE" if name == "risingwave" else f"{name.upper()}_DB"
    user = _refused_user(server, text)
    values = {"who": _at(name, server), "user": user or server.user, "database": server.name, "settings": settings_of}
    values["setting"] = _password_setting(settings, name, user)
    if user:
        cause, remedy = N_("{who} refuses the password of {user}."), PUT_PASSWORD if values["setting"] else ""
    else:
        cause, remedy = next((words for pattern, *words in _CAUSES if pattern.search(text)), _SILENT)
    if name == "risingwave" and (user or re.search(r"Role \S+ does not exist", text)):
        remedy = N_("Run `workbench risingwave apply`, which makes RISINGWAVE_READER_USER and gives it its password.")
    return ServerUnavailable(sentences(_(cause, **values), _(remedy or _start(name, server), **values, name=name)))


def _at(name: str, server: Server) -> str:
    return _("{who} at {address}", who=named(name), address=server.address)


def refused_tls(name: str, server: Server, text: str) -> str | None:
    """What is wrong with the encryption of a connection, and what to do; None when it is not that."""
    for pattern, words in TLS.items():
        if found := re.search(pattern, text):
            of = {"who": _at(name, server), "found": found[1] if found.re.groups else ""}
            of |= {"place": "RISINGWAVE" if name == "risingwave" else f"{name.upper()}_DB", "host": server.host}
            of |= {"rootcert": server.sslrootcert, "sslmode": server.sslmode}
            return _(words, **of, user=server.user, database=server.name)
    return None


def _refused_user(server: Server, text: str) -> str | None:
    """Whose password is wrong; None when it is not that."""
    if found := re.search(r'password authentication failed for user "([^"]+)"', text):
        return found[1]
    is_password = re.search(r"password authentication failed|Invalid password|SASL authentication failed", text)
    return server.user if is_password else None


def _password_setting(settings: Settings, name: str, user: str | None) -> str:
    """Where the password of this role stands; empty where that is not known."""
    passwords = {
        settings.master_db_user: "MASTER_DB_PASSWORD",
        settings.master_db_owner_user: "MASTER_DB_OWNER_PASSWORD",
        settings.replica_db_user: "REPLICA_DB_PASSWORD",
    }
    return passwords.get(user or "", "") if name != "risingwave" else ""


def _start(name: str, server: Server) -> str:
    """How it is started: the way out when nothing answers."""
    if name == "risingwave":
        return N_("Start it with `docker compose up -d risingwave`, or check the RISINGWAVE_* settings.")
    if server.host in ("127.0.0.1", "::1", "localhost"):
        return N_("Start it with `workbench up`, in Docker Compose with `docker compose up -d {name}`.")
    return N_("Check {settings}_* settings.")


_LOOK, _AGAIN = N_("Check {settings}_HOST and {settings}_PORT."), N_("Try again.")
PUT_PASSWORD = N_(
    "Put the right one into {setting}; in Docker Compose `docker compose up -d` gives the servers .env's."
)
# What servers, poolers and libpq say when they let nobody in: its pattern, the cause in words, and the remedy (empty:
# start it). The first that is found counts: libpq tells of all addresses that a name has, one after the other.
_SILENT = [N_("{who} does not answer."), ""]
_CAUSES = [
    (re.compile(pattern), cause, remedy)
    for pattern, cause, remedy in (
        (
            r"no password supplied",
            N_("{who} asks for a password of {user}, and none is set."),
            N_("Set {settings}_PASSWORD."),
        ),
        (
            r"unsupported startup parameter",
            N_("{who} is a pooler, which refuses what is set as one connects."),
            N_(
                "Let it ignore that (PgBouncer: ignore_startup_parameters = extra_float_digits, options), or give"
                " PostgreSQL's own address in {settings}_HOST."
            ),
        ),
        (
            r"no such (database|user)|[Tt]enant or user not found|No pool configured|route for '.*' is not found",
            N_("{who} is a pooler that has no database {database} for {user}."),
            N_("Add it to the pooler's databases and users, or give PostgreSQL's own address in {settings}_HOST."),
        ),
        (
            r"query_wait_timeout|max_client_conn|server[_ ]login|pgbouncer|bouncer config|all servers (are )?down",
            N_("{who} is a pooler that has no connection to PostgreSQL for {user}."),
            N_("See the pooler's log, and whether PostgreSQL behind it runs."),
        ),
        (
            r'FATAL:\s+(database|role) "|database "[^"]*" does not exist|database not found|Role \S+ does not exist',
            N_("{who} has no database {database} or no role {user}."),
            "",
        ),
        (
            r"pg_hba\.conf",
            N_("{who} does not let {user} into the database {database} from this machine."),
            N_("Add a line for it to the server's pg_hba.conf and reload it."),
        ),
        (
            r"too many (clients|connections)|connection slots are",
            N_("{who} has no connection left for {user}."),
            _AGAIN,
        ),
        (
            r"starting up|shutting down|in recovery mode|not (yet )?accepting",
            N_("{who} is starting or stopping."),
            _AGAIN,
        ),
        (
            r"could not translate host name",
            N_("{who} is not known by that name here."),
            N_("Check {settings}_HOST."),
        ),
        (r"[Cc]onnection refused", N_("{who} does not answer: nothing listens there."), ""),
        (
            r"invalid response|expected authentication request",
            N_("{who} is no PostgreSQL: something else listens there."),
            _LOOK,
        ),
    )
]
