"""Several processes behind one port: each browser stays at one, what ends comes back, and all end together."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest

from tests.conftest import free_ports, wait_until
from workbench.cli.bench.pages import Watcher
from workbench.config import Settings, child_environment
from workbench.database.engines import Engines
from workbench.shell.shared_port import COOKIE

COUNT = 2
START_SECONDS = 180.0


@contextmanager
def serving(settings: Settings, tmp_path: Path) -> Iterator[tuple[int, psutil.Process]]:
    """The port and the process of `workbench serve --processes 2`, once all of them serve."""
    port = free_ports(1)[0]
    program = [
        str(Path(sys.executable).with_name("workbench")),
        "serve",
        f"--port={port}",
        f"--processes={COUNT}",
    ]
    with (tmp_path / "log").open("wb") as log:
        process = psutil.Popen(program, cwd=tmp_path, env=child_environment(settings), stdout=log, stderr=log)
    try:
        wait_until(lambda: process.poll() is not None or _serve(port), "all processes", START_SECONDS)
        assert process.poll() is None, (tmp_path / "log").read_text()
        yield port, process
    finally:
        if process.poll() is None:
            left = [process, *process.children()]
            process.terminate()
            assert not psutil.wait_procs(left, 30)[1]
            assert process.returncode == 0
    assert "Traceback" not in (tmp_path / "log").read_text()


def _serve(port: int) -> bool:
    try:
        return {_asked(port, number) for number in (1, 2)} == {1, 2}
    except OSError:
        return False


def _asked(port: int, number: int | None = None, path: str = "/health") -> int:
    """The number of the process that answers a browser which has that of ``number``."""
    headers = {} if number is None else {"Cookie": f"theme=dark; {COOKIE}={number}"}
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    told = answer.getheader("Set-Cookie", "")
    assert answer.status == 200
    assert told or number is not None
    return int(told.split(";")[0].partition("=")[2]) if told else int(number or 0)


@pytest.fixture(scope="module")
def shared(
    settings: Settings, shared_engines: Engines, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[int, psutil.Process]]:
    """Two processes, for tests that leave both of them running."""
    with serving(settings, tmp_path_factory.mktemp("shared")) as found:
        yield found


def test_each_browser_stays_at_the_process_that_its_first_answer_named(shared: tuple[int, psutil.Process]) -> None:
    port, _ = shared
    firsts = [_asked(port) for _ in range(4)]
    assert set(firsts) == {1, 2}, "they take new browsers in turn"
    for number in firsts:
        assert [_asked(port, number) for _ in range(6)] == [number] * 6


def test_a_page_and_its_session_are_made_by_one_process(shared: tuple[int, psutil.Process]) -> None:
    port, _ = shared
    watchers = [Watcher(f"http://127.0.0.1:{port}") for _ in range(4)]

    async def sessions() -> list[str]:
        for watcher in watchers:
            await watcher.open()
        try:
            return [await asyncio.to_thread(_sessions, port, number) for number in (1, 2)]
        finally:
            for watcher in watchers:
                await watcher.close()

    assert asyncio.run(sessions()) == ["2", "2"]


def _sessions(port: int, number: int) -> str:
    """How many pages that process has made which are open."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics?{COOKIE}={number}", timeout=20) as answer:
        return str(re.search(r"^workbench_sessions (\d+)", answer.read().decode(), re.MULTILINE)[1])  # type: ignore[index]


def test_a_process_is_asked_by_name_as_prometheus_does(shared: tuple[int, psutil.Process]) -> None:
    port, _ = shared
    assert [_asked(port, path=f"/health?{COOKIE}={number}") for number in (1, 2, 1, 2)] == [1, 2, 1, 2]


def test_a_request_that_comes_in_pieces_reaches_the_process_that_it_names(shared: tuple[int, psutil.Process]) -> None:
    port, _ = shared
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1")
        _asked(port, 1)  # meanwhile others are answered
        connection.sendall(f":{port}\r\nConnection: close\r\nCookie: {COOKIE}=2\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 200"), answer
    assert b"Set-Cookie" not in answer, "another process answered"


def test_silent_and_senseless_connections_hold_nobody_up(shared: tuple[int, psutil.Process]) -> None:
    port, _ = shared
    silent = [socket.create_connection(("127.0.0.1", port), 20) for _ in range(50)]
    silent[0].sendall(b"\x16\x03\x01 no http\r\n\r\n")
    assert _asked(port, 2) == 2
    for connection in silent:
        connection.close()
    assert _asked(port, 99) in (1, 2)  # a number that no process has


def test_an_unknown_host_is_refused_as_by_a_process_that_listens(shared: tuple[int, psutil.Process]) -> None:
    port, _ = shared
    request = urllib.request.Request(f"http://127.0.0.1:{port}/health", headers={"Host": "elsewhere.example"})
    with pytest.raises(urllib.error.HTTPError, match="403"):  # judged by the address that it came to
        urllib.request.urlopen(request)


def test_a_process_that_ends_comes_back_and_its_browsers_go_on_at_the_other(
    shared: tuple[int, psutil.Process],
) -> None:
    port, process = shared
    first = min(process.children(), key=lambda child: child.create_time())
    first.kill()
    first.wait(20)
    wait_until(lambda: _asked(port, 1) == 2, "the other one")
    wait_until(lambda: _asked(port, 1) == 1, "the process again", START_SECONDS)


def test_they_end_with_the_one_that_accepts_even_if_it_is_killed(
    settings: Settings, engines: Engines, tmp_path: Path
) -> None:
    with serving(settings, tmp_path) as (_, process):
        children = process.children()
        process.kill()
        assert len(children) == COUNT
        assert not psutil.wait_procs([process, *children], 30)[1]


def test_what_keeps_them_from_starting_is_said_once(settings: Settings, engines: Engines, tmp_path: Path) -> None:
    program = [str(Path(sys.executable).with_name("workbench")), "serve", f"--port={free_ports(1)[0]}"]
    program += ["--address=0.0.0.0", f"--processes={COUNT}"]  # where people have to log in, and nobody can
    done = subprocess.run(
        program, cwd=tmp_path, env=child_environment(settings), capture_output=True, text=True, timeout=START_SECONDS
    )
    said = (done.stdout + done.stderr).strip().splitlines()
    assert done.returncode == 1
    assert len([line for line in said if "workbench user add" in line]) == 1, said
    assert "Process 1 of the app did not start" in said[-1]
