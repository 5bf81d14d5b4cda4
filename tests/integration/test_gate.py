"""Which hosts the served app goes by: raw requests and websockets on every kind of route, for each way of serving."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.accounts import cookie, make
from tests.conftest import free_ports, wait_until
from tests.ui.conftest import APPS, environment, serving
from workbench.config import Settings
from workbench.config.addresses import listed_hosts, read_host
from workbench.database.engines import Engines

PUBLISHED = 45006  # WORKBENCH_PORT, where it is not the port that the app listens on
LOGGED_IN: list[str] = []  # the cookie of who asks here: where others reach the app, nobody else is let in
NAMED = "sales.example.com, localhost:7000,"
ROUTES = (
    "/",
    "/sales",
    "/sales/autoload.js?bokeh-autoload-element=x",
    "/sales/metadata",
    "/metrics",
    "/liveness",
    "/liveness?endpoint=/sales",
    "/static/js/bokeh.min.js",
    "/static/extensions/panel/panel.min.js",
    "/components/sales/x/y/z.js",
    "/favicon.ico",
    "/no/such/path",
)
FOREIGN = (
    "evil.example:{port}",
    "evil.example",
    "EVIL.example.:{port}",
    "localhost.evil.example:{port}",
    "127.0.0.1.evil.example:{port}",
    "127.0.0.1:{other}",
    "127.0.0.1",
    "localhost:80",
    "127.0.0.2:{port}",
    "[::2]:{port}",
    "::1:{port}",
    "sales.example.com:{port}",
    "sales.example.com:8080",
    None,
)
# Tornado finds fault with some of these by itself.
ODD = (
    "127.0.0.1:{port}@evil.example",
    "evil.example#127.0.0.1:{port}",
    "127.0.0.1:{port}, evil.example",
    "127.0.0.1 :{port}",
    "127.0.0.1:{port}\r\nHost: evil.example",
    "",
)
OWN = (
    "127.0.0.1:{port}",
    "localhost:{port}",
    "LocalHost:{port}",
    "localhost.:{port}",
    "[::1]:{port}",
    "[0:0:0:0:0:0:0:1]:{port}",
    "127.0.0.1:{published}",
    "localhost:{published}",
    "localhost:7000",
    "sales.example.com",
    "SALES.example.com.",
    "sales.example.com:443",
)


def status(port: int, path: str, host: str | None, *headers: str) -> int:
    """The status that a request is answered with; ``host`` is its Host header, None for none at all."""
    lines = [f"GET {path} HTTP/1.{0 if host is None else 1}", *([] if host is None else [f"Host: {host}"]), *headers]
    lines += [f"Cookie: {cookie}" for cookie in LOGGED_IN]
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        with connection.makefile("rb") as answer:
            return int(answer.readline().split()[1])


def websocket(port: int, host: str | None, cookie: str = "") -> int:
    """The same for the websocket of a page of that host: 101 when it opens."""
    handshake = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
    handshake += ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: bokeh, token")
    own = [f"Cookie: {cookie}"] if cookie else []
    return status(port, "/sales/ws", host, f"Origin: http://{host}", *handshake, *own)


def filled(host: str | None, port: int) -> str | None:
    """A host of the lists above, with the port of the app."""
    return None if host is None else host.format(port=port, other=port + 1, published=PUBLISHED)


def own(settings: Settings) -> Settings:
    """The settings of an app that browsers also reach otherwise."""
    return settings.model_copy(update={"workbench_port": PUBLISHED, "workbench_allowed_hosts": NAMED})


@pytest.fixture(scope="module")
def logged_in(shared_engines: Engines) -> Iterator[None]:
    """Whoever asks has logged in as an admin."""
    with shared_engines.owner.begin() as connection:
        connection.exec_driver_sql("truncate account, login")
    make(shared_engines, "ana", "admin")
    LOGGED_IN[:] = [cookie(shared_engines, "ana")]
    yield
    LOGGED_IN.clear()


@pytest.fixture(scope="module")
def port(settings: Settings, logged_in: None) -> Iterator[int]:
    """The port of the app, served by `panel serve` with the plugin."""
    with serving(own(settings), "--plugins=workbench.exporter", "--index=sales", "--liveness") as served:
        yield int(served.url.rpartition(":")[2])


@pytest.mark.parametrize("path", ROUTES)
def test_a_foreign_host_is_refused_on_every_route(port: int, path: str) -> None:
    assert {status(port, path, filled(host, port)) for host in FOREIGN} == {403}
    assert {status(port, path, filled(host, port)) for host in ODD} <= {400, 403}
    expected = {"/components/sales/x/y/z.js": 404, "/no/such/path": 404}.get(path, 200)
    assert status(port, path, f"127.0.0.1:{port}") == expected


def test_a_page_of_a_foreign_host_opens_no_websocket(port: int) -> None:
    assert {websocket(port, filled(host, port)) for host in FOREIGN} == {403}
    assert {websocket(port, filled(host, port)) for host in ODD} <= {400, 403}


@pytest.mark.parametrize("host", OWN)
def test_its_own_hosts_are_let_in_and_their_websockets_open(port: int, host: str) -> None:
    assert status(port, "/sales", filled(host, port)) == 200
    assert websocket(port, f"localhost:{port}") == 101


def test_a_refusal_says_what_to_do_and_repeats_nothing(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall(f"GET /sales HTTP/1.1\r\nHost: evil.example:{port}\r\nConnection: close\r\n\r\n".encode())
        with connection.makefile("rb") as answer:
            text = answer.read().decode()
    assert "WORKBENCH_ALLOWED_HOSTS" in text
    assert "text/plain" in text
    assert "evil" not in text


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS", "BREW"])
def test_whatever_the_method(port: int, method: str) -> None:
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall(f"{method} /sales HTTP/1.1\r\nHost: evil.example:{port}\r\n\r\n".encode())
        with connection.makefile("rb") as answer:
            assert int(answer.readline().split()[1]) in (403, 405)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def test_the_command_in_a_container_knows_what_is_published_and_its_own_name(
    settings: Settings, logged_in: None
) -> None:
    port = free_ports(1)[0]
    names = {"workbench_port": PUBLISHED, "workbench_allowed_hosts": f"workbench:{port},sales.example.com,"}
    program = [Path(sys.executable).with_name("workbench"), "serve", "--address=0.0.0.0", f"--port={port}"]
    with subprocess.Popen(program, env=environment(settings.model_copy(update=names))) as process:
        try:
            wait_until(lambda: _listens(port), "the app", 90)
            for host in (f"workbench:{port}", f"127.0.0.1:{PUBLISHED}", f"localhost:{PUBLISHED}", f"127.0.0.1:{port}"):
                assert status(port, "/metrics", host) == 200, host
            for host in (f"localhost:{PUBLISHED}", f"127.0.0.1:{port}", "sales.example.com"):
                assert websocket(port, host) == 101, host
            for host in (f"evil.example:{port}", f"evil.example:{PUBLISHED}", f"workbench:{PUBLISHED}"):
                assert (status(port, "/metrics", host), websocket(port, host)) == (403, 403), host
        finally:
            process.terminate()


def test_without_the_plugin_panel_lets_everybody_in_until_a_page_of_ours_is_asked_for(
    settings: Settings, tmp_path: Path
) -> None:
    """Once the first half fails, Panel has a check of its own: is `workbench.components.gate` still needed?."""
    plain = tmp_path / "plain.py"
    plain.write_text("import panel as pn\npn.panel('Hello').servable()\n")
    with serving(settings, pages=[APPS / "sales.py", plain]) as served:
        port = int(served.url.rpartition(":")[2])
        evil = f"evil.example:{port}"
        assert (status(port, "/plain", evil), websocket(port, evil)) == (200, 101)
        status(port, "/sales", evil)  # nothing of the sales is in it: they come by the websocket
        assert (status(port, "/plain", evil), websocket(port, evil)) == (403, 403)


@pytest.mark.parametrize("text", ["*", "*.example.com", "http://sales.example.com", "sales.example.com/desk", "a b"])
def test_what_is_no_host_is_not_taken_for_one(text: str) -> None:
    assert read_host(text) is None
    with pytest.raises(ValueError, match="is no host such as"):
        listed_hosts(f"localhost:7000,{text}")
