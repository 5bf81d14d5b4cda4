"""What only its owner may read appears nowhere else: it goes through every command, log, page, report and /metrics."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from bokeh.util.token import get_token_payload
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from tests.conftest import free_ports, running_pair, wait_until
from tests.examples import sale
from tests.integration.test_cli import COMMAND
from workbench.cli.bench.pages import READY
from workbench.config import Settings
from workbench.connection import connect

PASSWORD, WRONG, TOKEN = "canary-of-an-account", "canary-that-is-wrong", "canary-for-prometheus"
CUSTOMER = 1_987_654_321
GIVEN = {
    "RISINGWAVE_PASSWORD": "canary-of-risingwave",
    "RISINGWAVE_READER_PASSWORD": "canary-of-its-reader",
    "WORKBENCH_METRICS_TOKEN": TOKEN,
    "WORKBENCH_LOGIN": "accounts",
    "LOG_LEVEL": "DEBUG",
}
OTHER = {"MASTER_DB_HOST": "127.0.0.1", "MASTER_DB_PASSWORD": WRONG, "MASTER_DB_OWNER_PASSWORD": WRONG}
PAGES = {
    "sales": "View",
    "analytics": "figure number",
    "reports": "Daily sales",
    "changes": "Log",
    "pipeline": "replica",
}
WORKS = (
    ["status"],
    ["status", "--json"],
    ["migrate"],
    ["migrate", "--json"],
    ["sample", "20", "--yes"],
    ["undo-sample", "--list"],
    ["verify"],
    ["verify", "--json"],
    ["user", "list"],
    ["user", "list", "--json"],
    ["user", "disable", "gone"],
    ["user", "enable", "gone"],
    ["user", "reset", "gone", "--password-file", "password"],
    ["report", "daily_sales", "--output", "report.html"],
    ["export", "figures.csv", "--metric", "customers", "--by", "customer_type"],
)
FAILS = (
    ["user", "add", "ann", "--role", "admin", "--password-file", "password"],
    ["user", "add", "new", "--role", "nobody"],
    ["report", "no_such_report"],
    ["export", "sales.doc"],
    ["import", "nothing.csv"],
    ["risingwave", "apply"],
    ["risingwave", "drop"],
    ["risingwave", "status"],
    ["undo-sample", "--load", "99"],
    ["serve", "--address", "192.0.2.1"],
    ["no-such-command"],
)
FAILS_ELSEWHERE = (
    ["status", "--json"],
    ["migrate"],
    ["verify"],
    ["sample", "5"],
    ["user", "list"],
    ["export", "a.csv"],
)


class Installation:
    """A pair of servers, accounts, and everything that was said on it so far."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.folder, self.settings = folder, settings
        closed = free_ports(1)[0]
        self.environment = (
            os.environ
            | GIVEN
            | {
                "WORKBENCH_DATA_DIR": str(settings.workbench_data_dir),
                "MASTER_DB_PORT": str(settings.master_db_port),
                "REPLICA_DB_PORT": str(settings.replica_db_port),
                "RISINGWAVE_HOST": "127.0.0.1",
                "RISINGWAVE_PORT": str(closed),
            }
        )
        lines = (settings.workbench_data_dir / "passwords.env").read_text().splitlines()
        of_roles = {value for name, _, value in (line.partition("=") for line in lines) if "PASSWORD" in name}
        self.secrets = {*of_roles, PASSWORD, WRONG, *(GIVEN[name] for name in GIVEN if "canary" in GIVEN[name])}
        self.said: dict[str, str] = {}

    def run(self, arguments: list[str], **changes: str) -> int:
        """A command; what it says is kept."""
        done = subprocess.run(
            [COMMAND, *arguments],
            env=self.environment | changes,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=280,
        )
        self.said[" ".join([*changes, *arguments])] = done.stdout + done.stderr
        return done.returncode

    @contextmanager
    def serving(self) -> Iterator[str]:
        """The address of the app; what its log says is kept."""
        port, log = free_ports(1)[0], self.folder / "app.log"
        with log.open("wb") as file:
            run = [COMMAND, "serve", f"--port={port}"]
            process = subprocess.Popen(run, env=self.environment, cwd=self.folder, stdout=file, stderr=file)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: process.poll() is not None or _is_alive(url), "the app", 120)
            yield url
        finally:
            process.terminate()
            process.wait(30)
            self.said["log of the app"] = log.read_text()

    def leaks(self, *more: str) -> list[str]:
        """Where a secret, or one of ``more``, stands in what was said."""
        wanted = (*self.secrets, *more)
        return [where for where, text in self.said.items() if any(secret in text for secret in wanted)]


def _is_alive(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=20) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with running_pair("secrets") as settings:
        made = Installation(settings, tmp_path_factory.mktemp("secrets"))
        (made.folder / "password").write_text(PASSWORD + "\n")
        (made.folder / "password").chmod(0o600)
        for name, role in (("ann", "admin"), ("gone", "viewer")):
            assert made.run(["user", "add", name, "--role", role, "--password-file", "password"]) == 0
        workbench = connect(settings)
        workbench.sales().create(sale(customer_id=CUSTOMER), uuid4())
        workbench.close()
        yield made


def test_no_command_tells_any_whether_it_works_or_fails(installation: Installation) -> None:
    with ThreadPoolExecutor(2) as threads:
        worked = list(threads.map(partial(installation.run, RISINGWAVE_HOST=""), WORKS))
        failed = list(threads.map(installation.run, FAILS))
        elsewhere = [installation.run(command, **OTHER, MASTER_DB_PORT="1") for command in FAILS_ELSEWHERE]
    installation.run(["status"], MASTER_DB_PORT="soon", MASTER_DB_PASSWORD=WRONG)
    installation.said["report.html"] = (installation.folder / "report.html").read_text()
    assert dict(zip(map(" ".join, WORKS), worked, strict=True)) == {" ".join(command): 0 for command in WORKS}
    assert 0 not in failed, failed
    assert elsewhere[0] == 0 and 0 not in elsewhere[1:], elsewhere  # `status` tells of what is down
    assert installation.leaks(str(CUSTOMER)) == []


def test_no_page_log_or_metric_tells_any(installation: Installation) -> None:
    with installation.serving() as url:
        for password in (WRONG, PASSWORD):
            form = urllib.parse.urlencode({"username": "ann", "password": password}).encode()
            request = urllib.request.Request(f"{url}/login", form, {"Origin": url})
            status, cookie, text = _asked(request)
            installation.said[f"login by {password[-5:]}"] = text
        assert status == 303 and cookie.startswith("workbench_login=")
        installation.secrets.add(cookie.partition("=")[2])
        for page, shown in PAGES.items():
            frames = asyncio.run(_frames(url, page, cookie, shown))
            installation.said[f"page {page}"] = frames
        request = urllib.request.Request(f"{url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        status, _, metrics = _asked(request)
        assert status == 200 and "workbench_sessions" in metrics
        installation.said["/metrics"] = metrics
        _, _, installation.said["/metrics for nobody"] = _asked(urllib.request.Request(f"{url}/metrics"))
    assert "A login as ann was refused" in installation.said["log of the app"], "the log tells nothing at all"
    assert installation.leaks() == []
    with_customer = [where for where, text in installation.said.items() if str(CUSTOMER) in text]
    assert set(with_customer) <= {"page sales"}, "the table of sales has a column for it"


class _Kept(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Follows nothing: the answer that leads elsewhere brings the cookie."""


def _asked(request: urllib.request.Request) -> tuple[int, str, str]:
    """Status, the cookie that is set, and everything else of the answer."""
    try:
        answer = urllib.request.build_opener(_Kept).open(request, timeout=60)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        text, set_cookie = answer.read().decode(), answer.headers.get("Set-Cookie", "")
        return answer.status, set_cookie.partition(";")[0], f"{answer.headers}".replace(set_cookie, "") + text


async def _frames(url: str, page: str, cookie: str, shown: str) -> str:
    """All that a page brings: its document, and what is sent until it shows this text and what follows at once."""
    request = urllib.request.Request(f"{url}/{page}", headers={"Cookie": cookie, "Accept": "text/html"})
    status, _, text = await asyncio.to_thread(_asked, request)
    assert status == 200
    token = re.search(r'"token":\s*"([^"]+)"', text)
    assert token is not None
    address = HTTPRequest(f"{url.replace('http', 'ws')}/{page}/ws", headers={"Cookie": cookie, "Origin": url})
    socket = await websocket_connect(address, subprotocols=["bokeh", token[1]], max_message_size=1 << 28)
    ready = {"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": READY}
    found = [text, str(get_token_payload(token[1])), str(await socket.read_message())]
    for kind, content in (("PULL-DOC-REQ", {}), ("PATCH-DOC", {"events": [ready]})):
        for part in ({"msgid": uuid4().hex, "msgtype": kind}, {}, content):
            await socket.write_message(json.dumps(part))
    async with asyncio.timeout(120):
        while shown not in found[-1] or len(found) < 8:
            found.append(str(await socket.read_message()))
    socket.close()
    while await socket.read_message() is not None:
        pass  # until the server has closed it too
    return "\n".join(found)
