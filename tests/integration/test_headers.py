"""The headers of the served app: on every kind of route, for each kind of answer, and whoever may frame it."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesParser
from typing import Any

import pytest
from tornado.httputil import HTTPHeaders

from tests.integration.test_gate import ROUTES
from tests.ui.conftest import serving
from workbench.components.gate import Guarded
from workbench.config import Settings

FRAMED = "https://intranet.example.com, http://localhost:8888/"
HANDSHAKE = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol: bokeh, token",
)
SCRIPT = re.compile(r"<script\b([^>]*)>.*?</script>", re.DOTALL)
REFUSED = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def port(settings: Settings) -> Iterator[int]:
    """The port of the app, served by `panel serve` with the plugin, which a page elsewhere may frame."""
    framed = settings.model_copy(update={"workbench_frame_ancestors": FRAMED})
    with serving(framed, "--plugins=workbench.exporter", "--index=sales", "--liveness") as served:
        yield int(served.url.rpartition(":")[2])


def answer(port: int, path: str, *headers: str, host: str = "127.0.0.1", method: str = "GET") -> tuple[Message, bytes]:
    """Headers and body of an answer, its status as header ``Status``."""
    close = () if "Connection: Upgrade" in headers else ("Connection: close",)
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}:{port}", *headers, *close]
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        with connection.makefile("rb") as coming:
            status = coming.readline().split()[1]
            head = b"".join(iter(coming.readline, b"\r\n"))
            body = b"" if close == () else coming.read()
    found = BytesParser().parsebytes(b"Status: " + status + b"\r\n" + head + b"\r\n")
    return found, body


def policy(found: Message) -> dict[str, str]:
    """The sources that it allows, by directive."""
    parts = (part.strip().partition(" ") for part in found["Content-Security-Policy"].split(";"))
    return {name: sources for name, _, sources in parts}


def is_guarded(found: Message) -> None:
    assert found["X-Content-Type-Options"] == "nosniff"
    assert found["Referrer-Policy"] == "same-origin"
    allowed = policy(found)
    assert allowed["default-src"] == "'none'"
    assert allowed["frame-ancestors"] == "'self' https://intranet.example.com http://localhost:8888"
    assert "unsafe" not in allowed.get("script-src", "")
    assert "*" not in found["Content-Security-Policy"]


@pytest.mark.parametrize("path", ROUTES)
def test_every_route_has_them(port: int, path: str) -> None:
    found, body = answer(port, path)
    is_guarded(found)
    if "Content-Length" in found:
        assert int(found["Content-Length"]) == len(body)
    assert ("script-src" in policy(found)) == found["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS"])
def test_whatever_the_method(port: int, method: str) -> None:
    is_guarded(answer(port, "/sales", method=method)[0])


def test_refusals_websockets_and_what_has_not_changed(port: int) -> None:
    refused, _ = answer(port, "/sales", host="evil.example")
    opened, _ = answer(port, "/sales/ws", f"Origin: http://127.0.0.1:{port}", *HANDSHAKE)
    foreign, _ = answer(port, "/sales/ws", "Origin: http://evil.example", *HANDSHAKE[:-1])
    assert [found["Status"] for found in (refused, opened, foreign)] == ["403", "101", "403"]
    for found in (refused, opened, foreign):
        is_guarded(found)
    path = "/static/extensions/panel/panel.min.js"
    kept, _ = answer(port, path, f"If-None-Match: {answer(port, path)[0]['Etag']}")
    assert kept["Status"] == "304"
    assert "Content-Security-Policy" not in kept  # a browser would put it in the place of the one that it has kept
    assert kept["X-Content-Type-Options"] == "nosniff"


def test_each_answer_has_a_nonce_of_its_own_and_its_scripts_have_it(port: int) -> None:
    nonces = []
    for _ in range(2):
        found, body = answer(port, "/sales")
        (nonce,) = re.findall(r"'nonce-([\w-]{20,})'", policy(found)["script-src"])
        scripts = SCRIPT.findall(body.decode())
        assert len(scripts) > 5
        assert all(f'nonce="{nonce}"' in script for script in scripts)
        nonces.append(nonce)
    assert nonces[0] != nonces[1]


@pytest.mark.parametrize("path", [f"/sales?x={REFUSED}", f"/{REFUSED}", f"/sales?bokeh-session-id={REFUSED}"])
def test_a_document_repeats_nothing_of_the_request(port: int, path: str) -> None:
    """What it repeated would get the nonce too."""
    assert b"alert(1)" not in answer(port, path.replace("<", "%3C").replace(">", "%3E"))[1]


def transformed(body: bytes, **headers: Any) -> bytes:
    """A document as it is sent, whose length is right."""
    given = HTTPHeaders({"Content-Type": "text/html", "Content-Length": str(len(body)), **headers})
    _, sent, changed = Guarded(None).transform_first_chunk(200, given, body, True)  # type: ignore[arg-type]
    assert sent["Content-Length"] == str(len(changed))
    return changed


def test_only_tags_of_scripts_are_touched() -> None:
    inside = b'<script>const tag = "<script src=x>"; </script><SCRIPT src="/a.js"></SCRIPT><p>script</p>'
    changed = re.sub(rb' nonce="[^"]+"', b"", transformed(inside))
    assert changed.lower() == inside.lower()
    assert transformed(inside).count(b"nonce=") == 2


def test_what_is_no_origin_is_refused_in_words() -> None:
    for text in ("*", "https://*", "intranet.example.com", "https://a.example; script-src *", "https://a.example/x"):
        with pytest.raises(ValueError, match=r"is no origin such as https://intranet\.example\.com"):
            Settings(_env_file=None, workbench_frame_ancestors=text)
