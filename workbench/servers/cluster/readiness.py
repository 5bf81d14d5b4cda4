"""Connections to the embedded servers as the superuser, and waiting until a server takes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
from psycopg2.extensions import connection as Connection
from pydantic import SecretStr
from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from workbench.database.deadline import without_variables
from workbench.errors import ClusterError
from workbench.servers.cluster.layout import Node
from workbench.servers.cluster.passwords import SUPERUSER
from workbench.servers.cluster.processes import Programs, last_lines, log_size, logged_since, running, start

READY_SECONDS = 60


@contextmanager
def signed_in(node: Node, password: SecretStr, database: str = "postgres") -> Iterator[Connection]:
    """A connection as the superuser, each statement committing by itself, closed afterwards."""
    with without_variables():
        connection = psycopg2.connect(
            host="127.0.0.1",
            port=node.port,
            dbname=database,
            user=SUPERUSER,
            password=password.get_secret_value(),
            connect_timeout=2,
            sslmode="disable",  # plainly, on loopback
            gssencmode="disable",
            options="-c statement_timeout=30s",
            application_name="workbench cluster",
        )
    with closing(connection):
        connection.autocommit = True
        yield connection


def ensure_ready(programs: Programs, node: Node, password: SecretStr) -> None:
    """Starts the server when it does not run and waits until it answers. Raises ClusterError when it does not."""
    size = log_size(node)
    if running(node) is None:
        start(programs, node)
    if not _answers(node, password):  # it was on its way down, perhaps stopped by an interrupted call
        start(programs, node)
        if not _answers(node, password):
            raise ClusterError(
                f"The {node.name} starts, and ends by itself: {last_lines(logged_since(node, size))}."
                f" Its log is {node.log}."
            )


def _answers(node: Node, password: SecretStr) -> bool:
    """True when the server takes a connection, False when it has ended meanwhile."""
    try:
        for attempt in Retrying(
            retry=retry_if_exception_type(psycopg2.OperationalError),
            wait=wait_fixed(0.05),
            stop=stop_after_delay(READY_SECONDS),
        ):
            with attempt:
                if running(node) is None:
                    return False
                _try(node, password)
    except RetryError as error:
        raise ClusterError(
            f"The {node.name} runs but has not answered on 127.0.0.1:{node.port} for {READY_SECONDS} s:"
            f" {str(error.last_attempt.exception()).strip()}. Its log is {node.log}."
        ) from error
    return True


def _try(node: Node, password: SecretStr) -> None:
    try:
        with signed_in(node, password):
            pass
    except psycopg2.OperationalError as error:
        # The master has taken it already when the replica is asked, which may have to replay that it was changed.
        if node.name == "master" and "password authentication failed" in str(error):  # waiting would not help
            file = node.pgdata.parent / "passwords.env"
            raise ClusterError(
                f"The master on 127.0.0.1:{node.port} refuses the password in {file}: that file is not the one that the"
                f" server was made with. Put the right one back; or remove it, and `workbench up` makes new passwords."
            ) from error
        raise
