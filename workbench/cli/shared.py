"""What the commands share: settings, engines for one action, lines on standard error, and how the app is served.

A command imports what it runs when it runs, so that `workbench --help` waits for nobody's import.
"""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console

from workbench.config import Settings, load_settings
from workbench.errors import PortTaken
from workbench.locale import use_locale

if TYPE_CHECKING:
    from workbench.database.engines import Engines

T = TypeVar("T")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same rows.", min=0)]

errors = Console(stderr=True, highlight=False, soft_wrap=True)


def logged_settings() -> Settings:
    """The settings as they are, with the log's level and the locale set."""
    settings = load_settings()
    use_locale(settings.workbench_locale)
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)  # `migrate` itself says what it runs
    return settings


def configured() -> Settings:
    """The settings with the addresses of the embedded servers, when those are used."""
    settings = logged_settings()
    if not settings.is_embedded:
        return settings
    from workbench.servers import cluster

    return cluster.configured(settings)


def with_engines(settings: Settings, action: Callable[[Engines], T]) -> T:
    """What ``action`` returns, with engines that are closed afterwards."""
    from workbench.database.engines import connect

    engines = connect(settings)
    try:
        return action(engines)
    finally:
        engines.dispose()


def refuse_taken(port: int, remedy: str, address: str = "127.0.0.1") -> None:
    """Raises PortTaken when something listens on ``port`` of this machine's ``address``."""
    try:
        socket.create_server((address, port)).close()
    except OSError:
        raise PortTaken(
            f"Port {port} is taken by another program, perhaps a workbench that already runs. Stop it, or {remedy}."
        ) from None


def say(line: str) -> None:
    """A line of progress on standard error."""
    errors.print(line, markup=False)


LOOPBACK = "127.0.0.1"
APPS = Path(__file__).parents[1] / "apps"


def serve_command(
    port: int, settings: Settings, address: str = LOOPBACK, *more: Path, listens: bool = True
) -> list[str]:
    """Serves all pages of the app, and ``more``, on loopback, for our hosts and origins only.

    Browsers may also know it by WORKBENCH_PORT, where a container publishes it on their machine's loopback. A process
    that is given its connections (`listens` is false) takes no port of its own.
    One thread: with --num-threads a click can be handled before the typing that came first (docs/decisions/006).
    """
    pages = sorted(str(path) for path in APPS.glob("[a-z]*.py")) + [str(path) for path in more]
    hosts = [f"{host}:{p}" for host in (LOOPBACK, "localhost") for p in sorted({port, settings.workbench_port})]
    hosts += filter(None, map(str.strip, settings.workbench_allowed_hosts.split(",")))
    origins = [f"--allow-websocket-origin={host}" for host in hosts]
    arguments = [f"--address={address}", f"--port={port if listens else 0}", "--index=sales", "--log-level=warning"]
    arguments.append("--plugins=workbench.exporter")  # GET /metrics, and no unknown hosts
    return [sys.executable, "-m", "workbench.start", "serve", *pages, *arguments, *origins]
