"""What a save costs: its exchanges with the master, and how many clients make a second, beside pgbench."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from workbench.cli.shared import LOOPBACK
from workbench.config import Settings, child_environment
from workbench.connection import Workbench, connect
from workbench.database.sql_files import read_sql, write_sql
from workbench.errors import BenchFailed
from workbench.sales.models import SaleInput, parse_sale
from workbench.sales.service import sale_values
from workbench.servers.cluster.layout import layout_of
from workbench.servers.cluster.processes import find_programs

LINES = [
    {"product_code": "C-LAT", "product_name": "Caffè Latte", "category": "Coffee", "quantity": 2, "unit_price": "3.50"},
    {"product_code": "D-CHE", "product_name": "Cheesecake", "category": "Dessert", "quantity": 1, "unit_price": "4.20"},
]

CLIENTS = {"one_client": 1, "eight_clients": 8}


def example() -> SaleInput:
    """A sale of two lines, as of now."""
    return parse_sale({"cashier_id": 301, "store_id": 3, "payment_method": "QRIS", "customer_id": 77, "lines": LINES})


def measured(workbench: Workbench, seconds: int) -> Iterator[tuple[str, float]]:
    """Each figure as it is known. Clients save for so many ``seconds`` each."""
    settings = workbench.engines.settings
    yield "exchanges", float(exchanges(settings))
    if (program := _find_pgbench(settings)) is not None:
        with workbench.engines.owner.begin() as connection:
            write_sql(connection, "bench/bare_tables")
        statement = _statement(settings)
        for name, count in CLIENTS.items():
            yield f"bare_{name}", _pgbench(program, settings, statement, count, seconds, schema="bare")
            yield f"pgbench_{name}", _pgbench(program, settings, statement, count, seconds)
    for name, count in CLIENTS.items():
        yield name, _saved(workbench, count, seconds)


def _saved(workbench: Workbench, clients: int, seconds: int) -> float:
    """Sales a second that so many clients of this process save, each with a session of its own."""
    end = time.perf_counter() + seconds

    def save(_client: int) -> int:
        sales, done = workbench.sales(), 0
        while time.perf_counter() < end:
            sales.create(example(), uuid4())
            done += 1
        return done

    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        done = sum(threads.map(save, range(clients)))
    return done / (time.perf_counter() - began)


def exchanges(settings: Settings) -> int:
    """How often one save, on a connection that has just been used, sends something and waits for the answer."""
    with _relay(settings.master_db_port) as relay:
        workbench = connect(settings.model_copy(update={"master_db_port": relay.port}))
        try:
            sales = workbench.sales()
            sales.create(example(), uuid4())
            before = relay.exchanges
            sales.create(example(), uuid4())
            return relay.exchanges - before
        finally:
            workbench.close()


@dataclass
class _Relay:
    """Counts how often clients have spoken after the server had."""

    port: int
    exchanges: int = 0


@contextmanager
def _relay(server_port: int) -> Iterator[_Relay]:
    """Hands on what is sent to its port to the server, and back."""
    with socket.create_server((LOOPBACK, 0)) as listening:
        relay = _Relay(listening.getsockname()[1])

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listening.accept()
                    pair = (client, socket.create_connection((LOOPBACK, server_port)))
                    threading.Thread(target=_hand_on, args=(relay, *pair), name="relay", daemon=True).start()

        threading.Thread(target=accept, name="relay", daemon=True).start()
        try:
            yield relay
        finally:
            listening.shutdown(socket.SHUT_RDWR)


def _hand_on(relay: _Relay, client: socket.socket, server: socket.socket) -> None:
    is_asked = False

    def upward(data: bytes) -> None:
        nonlocal is_asked
        if not is_asked:
            relay.exchanges += 1
        is_asked = True
        server.sendall(data)

    def downward(data: bytes) -> None:
        nonlocal is_asked
        is_asked = False
        client.sendall(data)

    def run(source: socket.socket, sink: socket.socket, take: Any) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                take(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    with client, server:
        asking = threading.Thread(target=run, args=(client, server, upward), name="relay", daemon=True)
        asking.start()
        run(server, client, downward)
        asking.join()


def _find_pgbench(settings: Settings) -> str | None:
    beside = find_programs(layout_of(settings)).folder / "pgbench"
    return str(beside) if beside.is_file() else shutil.which("pgbench")


def _pgbench(
    program: str, settings: Settings, statement: str, clients: int, seconds: int, schema: str = "public"
) -> float:
    """Transactions a second of the statement that saves a sale, in the tables of a ``schema``."""
    server = settings.master if schema == "public" else settings.owner
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "statement"
        script.write_text(statement, encoding="utf-8")
        run = [program, "-n", "-c", str(clients), "-j", "2", "-T", str(seconds), "-f", str(script)]
        run += ["-h", server.host, "-U", server.user, "-p", str(server.port), server.name]
        given = {"PGPASSWORD": server.password.get_secret_value(), "PGOPTIONS": f"-c search_path={schema}"}
        done = subprocess.run(run, env=child_environment(settings) | given, capture_output=True, text=True)
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if found is None:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise BenchFailed(f"pgbench ended with {done.returncode}: {said}")
    return float(found[1])


def _statement(settings: Settings) -> str:
    """The statement as the service sends it, its values written out; each run of it is a new request."""
    request = str(uuid4())
    workbench = connect(settings)
    try:
        values = sale_values(example(), workbench.clock.now()) | {"request_id": request, "fingerprint": "", "actor": ""}
        dialect = workbench.engines.master.dialect
        compiled = sa.text(read_sql("queries/create_sale")).compile(dialect=dialect)
        with workbench.engines.master.connect() as connection:
            driver: Any = connection.connection.driver_connection
            with driver.cursor() as cursor:
                text = cursor.mogrify(str(compiled), values).decode()
    finally:
        workbench.close()
    return str(text).replace(f"'{request}'", "gen_random_uuid()") + ";\n"
