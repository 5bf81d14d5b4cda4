"""The command that serves the app: Panel's own server, with our choices."""

from __future__ import annotations

import sys
from pathlib import Path

from workbench.config import Settings

LOOPBACK = "127.0.0.1"
APPS = Path(__file__).parents[1] / "apps"


def command(port: int, settings: Settings, address: str = LOOPBACK, *more: Path, listens: bool = True) -> list[str]:
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
    return [sys.executable, "-m", "panel", "serve", *pages, *arguments, *origins]
