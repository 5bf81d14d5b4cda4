"""A RisingWave of this run's own: the program started on free ports of 127.0.0.1, all it keeps in one folder."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import psycopg2
import pytest

from tests.conftest import free_ports, wait_until
from tests.integration.tls_server import make_certificates

START_SECONDS = 120
STOP_SECONDS = 60
MEMORY_BYTES = 3 << 30
PARTS = ("meta", "dashboard", "metrics", "compute", "sql", "health", "webhook", "compactor")


class Program:
    """RisingWave at ``port``, user root, database dev, without a password; SQLite and a folder as its stores.

    It also speaks TLS, as ``localhost``, with a certificate of the CA in ``ca.crt``.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self._path, self._folder = path, folder
        self._ports = dict(zip(PARTS, free_ports(len(PARTS)), strict=True))
        self._process: subprocess.Popen[bytes] | None = None
        make_certificates(folder)

    def file(self, name: str) -> str:
        """The path of a certificate, such as ``ca.crt``."""
        return str(self._folder / name)

    @property
    def port(self) -> int:
        """Where it takes SQL."""
        return self._ports["sql"]

    def start(self) -> None:
        """Starts it, again after an end with all that it had, and waits until it answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), cwd=self._folder, env=self._environment(), stdout=log, stderr=log
            )
        wait_until(self._answers, "RisingWave's first answer", START_SECONDS)

    def kill(self) -> None:
        """Ends it as a lost machine would: it can put nothing in order."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(STOP_SECONDS)

    def stop(self) -> None:
        """Ends it, if it runs."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            log = (self._folder / "log").read_text(errors="replace")
            pytest.fail(f"RisingWave ended with {self._process.returncode}:\n{log[-4000:]}", pytrace=False)
        try:
            address = {"host": "127.0.0.1", "port": self.port, "user": "root", "dbname": "dev"}
            connection = psycopg2.connect(**address, connect_timeout=5)
        except psycopg2.OperationalError:
            return False
        try:
            with connection.cursor() as cursor:
                cursor.execute("select 1")
                return True
        except psycopg2.Error:  # its other parts are not there yet
            return False
        finally:
            connection.close()

    def _command(self) -> list[str]:
        meta, folder = f"http://{self._at('meta')}", self._folder
        metrics = f"--prometheus-listener-addr {self._at('metrics')}"  # one for the process

        def part(name: str, place: str, options: str) -> str:
            return f"--{name}-opts=--listen-addr {self._at(place)} --advertise-addr {self._at(place)} {options}"

        return [
            str(self._path),
            "standalone",
            part(
                "meta",
                "meta",
                f"--dashboard-host {self._at('dashboard')} --prometheus-host {self._at('metrics')} --backend sqlite"
                f" --sql-endpoint {folder}/meta.db --state-store hummock+fs://{folder}/state"
                " --data-directory hummock_001",
            ),
            part(
                "compute",
                "compute",
                f"{metrics} --meta-address {meta} --parallelism 2 --total-memory-bytes {MEMORY_BYTES}",
            ),
            part(
                "frontend",
                "sql",
                f"{metrics} --meta-addr {meta} --health-check-listener-addr {self._at('health')}"
                f" --webhook-listen-addr {self._at('webhook')}",
            ),
            part("compactor", "compactor", f"{metrics} --meta-address {meta}"),
        ]

    def _at(self, part: str) -> str:
        return f"127.0.0.1:{self._ports[part]}"

    def _environment(self) -> dict[str, str]:
        java = os.environ["JAVA_HOME"]
        return os.environ | {
            "CONNECTOR_LIBS_PATH": str(self._path.parent / "libs"),
            "LD_LIBRARY_PATH": f"{java}/lib/server",
            "JVM_HEAP_SIZE": "384m",
            "ENABLE_TELEMETRY": "false",
            "RUST_LOG": "warn,risingwave_connector_node=warn",  # as in docker-compose.yml
            "RUST_MIN_STACK": "8388608",  # an unoptimised build needs deep stacks
            "RW_TEMP_SECRET_FILE_DIR": self.file("secrets"),
            "RW_SECRET_STORE_PRIVATE_KEY_HEX": "0123456789abcdef" * 2,
            "RW_SSL_CERT": self.file("server.crt"),
            "RW_SSL_KEY": self.file("server.key"),
        }


def missing(path: Path) -> str:
    """What is missing to start the program; empty when all is there."""
    if not os.access(path, os.X_OK) or not path.is_file():
        return f"WORKBENCH_TEST_RISINGWAVE names {path}, which is no program"
    if not any((path.parent / "libs").glob("*.jar")):
        return f"{path.parent / 'libs'} holds none of RisingWave's jars"
    if not (Path(os.environ.get("JAVA_HOME", "/nowhere")) / "lib" / "server").is_dir():
        return "JAVA_HOME names no Java (a JDK of 21 or newer)"
    return ""
