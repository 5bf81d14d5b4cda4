"""What servers, libpq and poolers say, as people read it. The texts are those that they have in their sources."""

from __future__ import annotations

import re

import psycopg2
import pytest
from pydantic import SecretStr
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from workbench.config import Settings
from workbench.database.failures import failure, in_words

CONFIGURED = Settings(
    _env_file=None,
    master_db_host="db.example",
    master_db_port=5432,
    master_db_password=SecretStr("canary"),
    replica_db_host="[::1]",
)
AT = 'connection to server at "db.example" (10.0.0.5), port 5432 failed: '


def refused(text: str) -> OperationalError:
    return OperationalError("", {}, psycopg2.OperationalError(text))


class Said(psycopg2.DatabaseError):
    """A server's error with a code of one's own: psycopg2 lets nobody else set it."""

    pgcode: str | None = None


def said(code: str | None, text: str, kind: type[DBAPIError] = OperationalError) -> DBAPIError:
    error = Said(text)
    error.pgcode = code
    return kind("", {}, error)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (AT + "Connection refused\n\tIs the server running on that host", "does not answer: nothing listens there"),
        (AT + "timeout expired", r"does not answer\. Check MASTER_DB_\* settings\."),
        (AT + 'FATAL:  password authentication failed for user "workbench_writer"', "refuses the password of workb"),
        (AT + "fe_sendauth: no password supplied", "asks for a password of workbench_writer, and none is set"),
        (
            AT + 'FATAL:  no pg_hba.conf entry for host "1.2.3.4", user "u", database "d", SSL encryption',
            "does not let",
        ),
        (AT + 'FATAL:  database "sales" does not exist', "has no database sales"),
        (AT + "FATAL:  the database system is starting up", "is starting or stopping. Try again."),
        (AT + "FATAL:  sorry, too many clients already", "has no connection left for workbench_writer"),
        (AT + "FATAL:  unsupported startup parameter: options", "is a pooler.*ignore_startup_parameters"),
        (AT + "FATAL:  unsupported startup parameter in options: statement_timeout", "is a pooler, which refuses"),
        (AT + "FATAL:  no such database: sales", "is a pooler that has no database sales for workbench_writer"),
        (AT + "FATAL:  Tenant or user not found", "is a pooler that has no database sales"),
        (AT + "FATAL:  SASL authentication failed", "refuses the password of workbench_writer.*MASTER_DB_PASSWORD"),
        (
            AT + "FATAL:  server login has been failing, cached error: connect failed (server_login_retry)",
            "no connection to",
        ),
        (
            AT + "FATAL:  no more connections allowed (max_client_conn)",
            "is a pooler that has no connection to PostgreSQL",
        ),
        ('could not translate host name "db.example" to address: Name or service not known', "Check MASTER_DB_HOST"),
        (AT + "received invalid response to SSL negotiation: H", "is no PostgreSQL"),
        (AT + "SSL error: certificate verify failed", "shows a certificate that is not valid"),
    ],
)
def test_why_a_server_lets_nobody_in_is_told_apart(text: str, told: str) -> None:
    error = in_words(CONFIGURED, "master", refused(text))
    assert str(error).startswith("The master at db.example:5432 ")
    assert re.search(told, str(error)), error
    assert "canary" not in str(error) and "\n" not in str(error)


def test_an_address_of_ipv6_is_given_and_shown_in_brackets() -> None:
    assert CONFIGURED.replica is not None and CONFIGURED.replica.host == "::1", "as libpq takes it"
    text = 'connection to server at "::1", port 5677 failed: Connection refused'
    assert str(in_words(CONFIGURED, "replica", refused(text))).startswith("The replica at [::1]:5677 does not answer")


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        ("40001", "canceling statement due to conflict with recovery", "replayed"),
        ("40P01", "canceling statement due to conflict with recovery", "replayed"),
        ("40P01", "deadlock detected", "replayed"),
        ("57014", "canceling statement due to conflict with recovery", "replayed"),
        ("57P01", "terminating connection due to conflict with recovery", "replayed"),
        ("57P04", "terminating connection due to conflict with recovery", "replayed"),
        ("57014", "canceling statement due to statement timeout", "stopped"),
        ("57014", "canceling statement due to user request", "stopped"),
        ("57P01", "terminating connection due to administrator command", "away"),
        ("57P03", "the database system is shutting down", "away"),
        ("08006", "connection failure", "away"),
        (None, "server closed the connection unexpectedly", "away"),
        ("53300", "too many connections for role", "busy"),
        ("55P03", "canceling statement due to lock timeout", "held"),
        ("42P01", 'relation "sales_item" does not exist', "missing"),
        ("23514", "new row violates check constraint", "refused"),
    ],
)
def test_every_way_to_end_a_query_is_one_of_a_few_kinds(code: str | None, text: str, kind: str) -> None:
    """With codes of servers of all versions, most of which cannot be run here."""
    assert failure(said(code, text)) == kind


def test_an_answer_that_breaks_off_is_a_server_that_went_away() -> None:
    text = "error with status PGRES_TUPLES_OK and no message from the libpq"
    assert failure(said(None, text, DatabaseError)) == "away"


def test_what_nobody_expected_is_told_without_the_rows_text() -> None:
    error = said(
        "22P02", 'invalid input syntax for type integer: "Jane Doe"\nDETAIL:  Failing row contains (Jane Doe).'
    )
    told = str(in_words(CONFIGURED, "master", error))
    assert told == "The master refuses it: invalid text representation, SQLSTATE 22P02."
