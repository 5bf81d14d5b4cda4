"""A PostgreSQL that speaks TLS, with a CA made for it; the wheel's PostgreSQL is built without."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from tests.conftest import free_ports, wait_until
from workbench.config import Settings
from workbench.servers.cluster.layout import layout_of

NAME = "localhost"  # in the server's certificate, beside no address
ROLES = ("workbench_writer", "workbench_owner", "workbench_reader", "workbench_cdc")
HBA = "hostssl all all all scram-sha-256 clientcert=verify-ca\n"
PASSWORD = "of-the-test"


@dataclass(frozen=True)
class TlsServer:
    """A server that lets in nobody without TLS, a password, and a client certificate of its CA."""

    folder: Path
    port: int

    def settings(self, **changed: Any) -> Settings:
        """The settings that verify it, as master, replica and RisingWave."""
        one = {"host": NAME, "port": self.port, "name": "sales", "password": PASSWORD, "sslmode": "verify-full"}
        one |= {"sslrootcert": self.file("ca.crt"), "sslcert": self.file("client.crt")}
        one |= {"sslkey": self.file("client.key"), **changed}
        places = ("master_db", "replica_db", "risingwave")
        values = {f"{place}_{name}": value for place in places for name, value in one.items()}
        others = {"master_db_owner_password": PASSWORD, "risingwave_cdc_password": PASSWORD}
        others |= {"risingwave_reader_password": PASSWORD, "risingwave_reader_user": "workbench_reader"}
        return Settings(_env_file=None, **values, **others, risingwave_user="workbench_owner")

    def file(self, name: str) -> str:
        """The path of a certificate or key."""
        return str(self.folder / name)


@contextmanager
def tls_server() -> Iterator[TlsServer]:
    """The server, empty but for its roles and the database; nothing is left of it."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="workbench-tls-"))
    folder.chmod(0o755)  # as root the server runs as another user
    user = layout_of(Settings(_env_file=None)).user
    try:
        make_certificates(folder)
        (folder / "password").write_text(PASSWORD)
        data = folder / "data"
        data.mkdir(mode=0o700)
        if user:
            for path in (data, folder / "server.key", folder / "password"):
                os.chown(path, user.uid, user.gid)
        as_user = {"user": user.uid, "group": user.gid, "extra_groups": []} if user else {}
        initdb = [programs / "initdb", "-D", data, "-U", "postgres", "--auth=scram-sha-256", "--no-sync"]
        subprocess.run([*initdb, f"--pwfile={folder / 'password'}"], check=True, capture_output=True, **as_user)
        (data / "pg_hba.conf").write_text(HBA)
        server = TlsServer(folder, free_ports(1)[0])
        with _running(programs, server, as_user):
            _make_roles(server)
            yield server
    finally:
        shutil.rmtree(folder)


@contextmanager
def _running(programs: Path, server: TlsServer, as_user: dict[str, Any]) -> Iterator[None]:
    given = {"port": server.port, "listen_addresses": NAME, "unix_socket_directories": "", "fsync": "off", "ssl": "on"}
    given |= {"ssl_cert_file": server.file("server.crt"), "ssl_key_file": server.file("server.key")}
    options = [f"--{name}={value}" for name, value in (given | {"ssl_ca_file": server.file("ca.crt")}).items()]
    with (server.folder / "log").open("wb") as log:
        command = [programs / "postgres", "-D", server.folder / "data", *options]
        process = subprocess.Popen(command, stdout=log, stderr=log, **as_user)
    try:
        wait_until(lambda: process.poll() is not None or _answers(server), "a PostgreSQL with TLS", 60)
        assert process.poll() is None, (server.folder / "log").read_text()
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _connected(server: TlsServer) -> Any:
    files = {f"ssl{name}": server.file(f"client.{ending}") for name, ending in (("cert", "crt"), ("key", "key"))}
    signed = {"user": "postgres", "password": PASSWORD, "dbname": "postgres"}
    return psycopg2.connect(host=NAME, port=server.port, sslmode="require", **signed, **files)


def _answers(server: TlsServer) -> bool:
    try:
        _connected(server).close()
    except psycopg2.OperationalError:
        return False
    return True


def _make_roles(server: TlsServer) -> None:
    with closing(_connected(server)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for role in ROLES:
                cursor.execute(f"create role {role} login password %s", (PASSWORD,))
            cursor.execute("create database sales")


def _programs() -> Path:
    """The newest PostgreSQL of the system's."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("postgres")
    if not (found or on_path):
        pytest.fail("No PostgreSQL with TLS found: `make .venv/postgresql` installs the package.", pytrace=False)
    return found[-1].parent if found else Path(str(on_path)).parent


def make_certificates(folder: Path) -> None:
    """Two CAs that know nothing of one another; a server's and a client's certificate of the first."""
    for ca in ("ca", "other"):
        _openssl(folder, "req", "-x509", f"-subj=/CN={ca}", *_new_key(ca), f"-out={ca}.crt")
    for name, subject in (("server", NAME), ("client", "workbench")):
        _openssl(folder, "req", f"-subj=/CN={subject}", *_new_key(name), f"-out={name}.csr")
        signing = (f"-in={name}.csr", "-CA=ca.crt", "-CAkey=ca.key", "-CAcreateserial", f"-out={name}.crt")
        _openssl(folder, "x509", "-req", *signing)


def _new_key(name: str) -> tuple[str, ...]:
    return ("-newkey=ec", "-pkeyopt=ec_paramgen_curve:P-256", "-nodes", f"-keyout={name}.key")


def _openssl(folder: Path, command: str, *options: str) -> None:
    parts = [part for option in options for part in option.split("=", 1)]
    subprocess.run(["openssl", command, *parts], cwd=folder, check=True, capture_output=True)
