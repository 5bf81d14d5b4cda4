"""Servers to measure: a master and a replica with made-up sales, apart from any that are in use, and an app."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from workbench import migrations
from workbench.cli.shared import LOOPBACK, serve_command
from workbench.config import Settings, child_environment
from workbench.database.engines import connect
from workbench.errors import BenchFailed
from workbench.sample import is_empty, load
from workbench.servers import cluster
from workbench.shell.shared_port import COOKIE
from workbench.telemetry import quantiles
from workbench.words import counted


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def p95(took: Sequence[float]) -> float:
    """The 95th percentile, by nearest rank."""
    found = quantiles(took)
    assert found is not None
    return found.p95


EMPTY_PAGE = """# An empty page of the app's template: what opening a page costs before there is anything in it.
import panel as pn
from workbench.shell import page
page("Empty", lambda _: pn.pane.HTML('<p class="there">There is nothing here.</p>'))
"""
START_SECONDS = 60
STOP_SECONDS = 15


def free_ports(count: int) -> list[int]:
    """Ports of this machine on which nothing listens."""
    with ExitStack() as stack:
        listening = [stack.enter_context(socket.create_server((LOOPBACK, 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in listening]


@contextmanager
def pair(settings: Settings, folder: Path, sales: int, say: Callable[[str], None]) -> Iterator[Settings]:
    """The settings of a running pair below ``folder`` with ``sales`` made-up sales; those that it has are kept."""
    master, replica = free_ports(2)
    own = {"workbench_data_dir": folder / str(sales), "master_db_port": master, "replica_db_port": replica}
    alone = settings.model_copy(update={"master_db_host": "", "replica_db_host": "", "risingwave_host": "", **own})
    try:
        filled_in = cluster.up(alone, say)
        engines = connect(filled_in)
        try:
            migrations.migrate(engines, say)
            if is_empty(engines):
                say(f"Loading {counted(sales, 'sale')}")
                load(engines, sales)
        finally:
            engines.dispose()
        yield filled_in
    finally:
        cluster.down(alone)


@dataclass
class App:
    """A served app: its address without a final slash, its processes, and when it was started."""

    url: str
    processes: list[psutil.Process]
    started: float  # by time.perf_counter

    def computing(self) -> float:
        """Seconds that they have computed so far."""
        times = [process.cpu_times() for process in self.processes]
        return float(sum(one.user + one.system for one in times))

    def memory(self) -> float:
        """What they hold, in MB."""
        return float(sum(process.memory_info().rss for process in self.processes) / 1e6)


@contextmanager
def app(settings: Settings, processes: int = 1) -> Iterator[App]:
    """The app on these servers as `workbench serve` serves it; by one process with an empty page of its template."""
    (port,) = free_ports(1)
    log = settings.workbench_data_dir.parent / "app.log"
    empty = log.with_name("empty.py")
    empty.write_text(EMPTY_PAGE, encoding="utf-8")
    with log.open("wb") as file:
        started = time.perf_counter()
        run = serve_command(port, settings, LOOPBACK, empty) if processes == 1 else _several(port, processes)
        process = subprocess.Popen(run, cwd=log.parent, env=child_environment(settings), stdout=file, stderr=file)
        try:
            _wait_for(process, port, log, processes)
            first = psutil.Process(process.pid)
            yield App(f"http://{LOOPBACK}:{port}", [first, *first.children()], started)
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _several(port: int, processes: int) -> list[str]:
    program = str(Path(sys.executable).with_name("workbench"))
    return [program, "serve", f"--port={port}", f"--processes={processes}"]


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path, processes: int) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            if processes == 1:
                socket.create_connection((LOOPBACK, port), 0.5).close()
                return
            if all(_is_there(port, number) for number in range(1, processes + 1)):
                return
        except OSError:
            pass
        time.sleep(0.02)
    said = log.read_text(errors="replace").strip().splitlines()[-1:]
    raise BenchFailed(f"The app that was to be measured did not start: {''.join(said) or 'it said nothing'}")


def _is_there(port: int, number: int) -> bool:
    """Whether that one of several processes answers for itself; another one tells its own number."""
    address = f"http://{LOOPBACK}:{port}/health?{COOKIE}={number}"
    with urllib.request.urlopen(address, timeout=START_SECONDS) as answer:
        return f"{COOKIE}={number};" in answer.headers.get("Set-Cookie", "")
