"""TLS as the settings ask for it, on every connection, against a real PostgreSQL with a CA of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import nbformat
import psycopg
import pytest
import sqlalchemy as sa

from tests.integration.tls_server import TlsServer, tls_server
from workbench import notebook
from workbench.config import Settings
from workbench.database.engines import connect
from workbench.errors import CdcError, ReportError, ServerUnavailable
from workbench.migrations import migrate
from workbench.reports.library import Report
from workbench.reports.run import run
from workbench.servers.health import status
from workbench.servers.risingwave import cdc

ENGINES = ("master", "master_reader", "replica", "owner", "cdc", "risingwave", "risingwave_owner")
FILES = ("sslrootcert", "sslcert", "sslkey")
ENCRYPTED = "select ssl from pg_stat_ssl where pid = pg_backend_pid()"
OTHER_CA = r"MASTER_DB_SSLROOTCERT.*other\.crt"
OTHER_NAME = r'certificate for "localhost", and MASTER_DB_HOST is 127\.0\.0\.1'
CONNECTING = "from workbench import connect\nconnect()"
ASKING = f"""from workbench.connection import connect
with connect().engines.master_reader.connect() as connection:
    assert connection.exec_driver_sql("{ENCRYPTED}").scalar_one()"""


@pytest.fixture(scope="module")
def tls() -> Iterator[TlsServer]:
    """A server that speaks TLS."""
    with tls_server() as server:
        yield server


def is_encrypted(settings: Settings, name: str) -> bool:
    """Whether a connection of this engine is, as the server sees it."""
    engines = connect(settings)
    try:
        with getattr(engines, name).connect() as connection:
            return bool(connection.exec_driver_sql(ENCRYPTED).scalar_one())
    finally:
        engines.dispose()


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_verifies_the_server(tls: TlsServer, name: str) -> None:
    assert is_encrypted(tls.settings(), name)
    with pytest.raises(sa.exc.OperationalError, match="certificate verify failed"):
        is_encrypted(tls.settings(sslrootcert=tls.file("other.crt")), name)
    with pytest.raises(sa.exc.OperationalError, match="does not match host name"):
        is_encrypted(tls.settings(host="127.0.0.1"), name)


@pytest.mark.parametrize("name", ["master", "replica", "risingwave"])
def test_the_connection_of_one_query_verifies_it_too(tls: TlsServer, name: str) -> None:
    with closing(connect(tls.settings()).one_query(name, 5)) as connection:
        assert connection.execute(ENCRYPTED).fetchone() == (True,)
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        connect(tls.settings(sslrootcert=tls.file("other.crt"))).one_query(name, 5)


def test_neither_variables_nor_files_of_libpq_have_a_say(
    tls: TlsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".postgresql").mkdir()
    (tmp_path / ".postgresql" / "root.crt").write_text(Path(tls.file("other.crt")).read_text())
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in {"MODE": "verify-full", "ROOTCERT": tls.file("other.crt"), "CERT": "/nowhere"}.items():
        monkeypatch.setenv(f"PGSSL{name}", value)
    assert is_encrypted(tls.settings(sslmode="require", sslrootcert=""), "master")
    monkeypatch.setenv("PGSSLMODE", "disable")
    assert is_encrypted(tls.settings(), "master")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"sslrootcert": "other.crt"}, OTHER_CA),
        ({"host": "127.0.0.1"}, OTHER_NAME),
        ({"sslcert": "", "sslkey": ""}, "MASTER_DB_SSLCERT"),
        ({"sslmode": "disable"}, "without TLS"),
        ({"sslkey": "readable.key"}, r"readable\.key.*chmod 600"),
        ({"sslrootcert": "password"}, "holds something else"),
    ],
    ids=["an unknown CA", "a wrong name", "no client certificate", "no TLS", "a key for all to read", "no certificate"],
)
def test_what_is_wrong_is_said_in_words(tls: TlsServer, changed: dict[str, str], words: str) -> None:
    readable = Path(tls.file("readable.key"))
    readable.write_text(Path(tls.file("client.key")).read_text())
    readable.chmod(0o644)
    files = {name: tls.file(value) for name, value in changed.items() if value and name in FILES}
    engines = connect(tls.settings(**(changed | files)))
    try:
        found = status(engines)
        assert {found.master.state, found.replica.state, found.risingwave.state} == {"down"}
        with pytest.raises(ServerUnavailable, match=words) as refused:
            migrate(engines)
        assert found.master.note == str(refused.value)
        assert "REPLICA_DB_" in found.replica.note
        assert "RISINGWAVE_" in found.risingwave.note
        with pytest.raises(CdcError, match=words):
            cdc.check(engines, "3.0.3", has_source=False)
    finally:
        engines.dispose()


def test_a_server_without_tls_is_refused_in_words(settings: Settings) -> None:
    """The embedded one, which has none."""
    engines = connect(settings.model_copy(update={"master_db_sslmode": "require"}))
    with pytest.raises(ServerUnavailable, match="speaks no TLS, which MASTER_DB_SSLMODE=require asks for"):
        migrate(engines)


def test_a_report_verifies_the_server_too(tls: TlsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "disable")
    assert run(a_report(tmp_path, ASKING), {}, tls.settings()).notebook
    connecting = a_report(tmp_path, CONNECTING)
    with pytest.raises(ReportError, match=OTHER_CA):
        run(connecting, {}, tls.settings(sslrootcert=tls.file("other.crt")))
    with pytest.raises(ReportError, match=OTHER_NAME):
        run(connecting, {}, tls.settings(host="127.0.0.1"))


def a_report(folder: Path, *cells: str) -> Report:
    """A report of these cells."""
    path = folder / "asking.ipynb"
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(made, path)
    return Report("asking", path, "Asking", "", ())


def test_a_notebook_is_told_why(tls: TlsServer) -> None:
    with pytest.raises(ServerUnavailable, match=OTHER_CA):
        notebook.connect(tls.settings(sslrootcert=tls.file("other.crt")))
