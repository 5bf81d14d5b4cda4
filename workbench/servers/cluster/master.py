"""The master: made by initdb, then given its roles and its database."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import encrypt_password
from pydantic import SecretStr

from workbench.database.sql_files import read_sql
from workbench.servers.cluster.copies import holds_server
from workbench.servers.cluster.layout import Layout, move_into_place, workshop, write_private
from workbench.servers.cluster.node_settings import (
    INCLUDE,
    SUPERUSER,
    is_current,
    is_password,
    save_passwords,
    write_pgpass,
    write_settings,
)
from workbench.servers.cluster.processes import START_SECONDS, Programs, ensure_ready, forget_killed, running, signed_in

DATABASE = "sales"


def bring_up(layout: Layout, programs: Programs, passwords: dict[str, SecretStr], say: Callable[[str], None]) -> None:
    """Returns when the master answers and has its roles and its database. Raises ClusterError."""
    node = layout.master
    if not holds_server(node.pgdata):
        say("Creating the master")
        _create(layout, programs, passwords[SUPERUSER])
    if not is_current(layout, node):
        write_settings(layout, node)
    if running(node) is None:
        say("Starting the master")
    ensure_ready(programs, node, passwords[SUPERUSER])
    with signed_in(node, passwords[SUPERUSER]) as connection:
        is_set_up = _bootstrapped(connection) is not None
        if _bootstrapped(connection) != _bootstrap_version():
            say("Setting up the master's roles and database")
            _bootstrap(layout, connection, passwords)
        if (changed := _set_passwords(connection, passwords)) and is_set_up:
            say(f"Set the passwords of {', '.join(changed)} to those in {layout.passwords}: restart what uses others")


def set_superuser_password(layout: Layout, programs: Programs, password: SecretStr) -> None:
    """Gives the master's superuser another password without knowing the old one. Neither server may run.

    PostgreSQL alone, serving nobody, asks for none: it takes whoever owns the folder.
    """
    literal = password.get_secret_value().replace("'", "''")
    command = f"alter role {SUPERUSER} password '{literal}'\n"
    forget_killed(layout.master)
    folder = layout.master.pgdata
    options = ("--single", "-D", folder, "postgres")
    programs.run("postgres", *options, cwd=folder, timeout_seconds=START_SECONDS, typed=command)


def change_passwords(layout: Layout, old: dict[str, SecretStr], new: dict[str, SecretStr]) -> None:
    """Changes the roles' passwords from ``old`` to ``new``, all or none, in the server and then in the files.

    Whoever signs in between the two tries again (database/engines.py). An interruption there leaves roles with
    passwords that the next `up` sets to those of the file.
    """
    with signed_in(layout.master, old[SUPERUSER]) as connection:
        connection.autocommit = False
        _set_passwords(connection, new)
        connection.commit()
    # The old ones are worth nothing any more: no copy of them is kept.
    write_pgpass(layout, new)
    save_passwords(layout, new, keeps_old=False)


def _create(layout: Layout, programs: Programs, superuser_password: SecretStr) -> None:
    """Makes the data folder under another name first: an interrupted initdb leaves no master."""
    with workshop(layout.data_dir, layout.user) as folder:
        made = folder / "master"
        password_file = folder / "password"
        write_private(password_file, superuser_password.get_secret_value() + "\n", layout.user)
        options = ("-U", SUPERUSER, "-A", "scram-sha-256", "--pwfile", password_file, "--data-checksums")
        # One collation everywhere, in the binary itself: an upgrade of the system's locales cannot break an index.
        locale = ("-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        programs.run("initdb", "-D", made, *options, *locale, "--no-instructions", cwd=folder, timeout_seconds=300)
        configuration = made / "postgresql.conf"
        write_private(configuration, configuration.read_text() + INCLUDE, layout.user)
        move_into_place(made, layout.master.pgdata)


def _bootstrap(layout: Layout, connection: Connection, passwords: dict[str, SecretStr]) -> None:
    """Every step can be repeated, and the last one says that all were done: an interrupted one is completed."""
    with connection.cursor() as cursor:
        cursor.execute(read_sql("cluster/roles"))
        cursor.execute("select 1 from pg_database where datname = %s", [DATABASE])
        if cursor.fetchone() is None:
            cursor.execute(f"create database {DATABASE} owner workbench_owner")
    with (
        signed_in(layout.master, passwords[SUPERUSER], DATABASE) as in_database,
        in_database.cursor() as cursor,
    ):
        cursor.execute(read_sql("cluster/database"))
        cursor.execute(f"comment on database {DATABASE} is %s", [_bootstrap_version()])


def _set_passwords(connection: Connection, passwords: dict[str, SecretStr]) -> list[str]:
    """Makes the roles' passwords those of the file. Returns the roles that had another one, or none."""
    with connection.cursor() as cursor:
        cursor.execute(read_sql("cluster/passwords"))
        verifiers = dict(cursor.fetchall())
        wrong = [role for role in passwords if role in verifiers and not is_password(passwords[role], verifiers[role])]
        for role in wrong:
            # The server gets a verifier: a password in a statement could end up in its log.
            verifier = encrypt_password(passwords[role].get_secret_value(), role, connection, "scram-sha-256")
            cursor.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(verifier)))
    return wrong


def _bootstrap_version() -> str:
    """Changes with the SQL, so that an upgrade of the program applies it again."""
    text = read_sql("cluster/roles") + read_sql("cluster/database")
    return f"workbench {hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _bootstrapped(connection: Connection) -> str | None:
    with connection.cursor() as cursor:
        cursor.execute(read_sql("cluster/bootstrap_version"), [DATABASE])
        row = cursor.fetchone()
    return row[0] if row else None
