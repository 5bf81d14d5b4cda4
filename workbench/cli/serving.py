"""Commands that serve the app: serve, demo."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.servers import sample_if_empty, started
from workbench.cli.shared import Seed, configured, refuse_taken
from workbench.config import Settings

DEMO_SALES = 50_000
LOOPBACK = "127.0.0.1"
APPS = Path(__file__).parents[1] / "apps"


def serve(
    port: Annotated[int | None, typer.Option(help="Port to listen on [default: WORKBENCH_PORT]", min=1)] = None,
    address: Annotated[
        str, typer.Option(help="Address to listen on. There is no login: another than this is for containers.")
    ] = LOOPBACK,
) -> None:
    """Serve the app on 127.0.0.1 until Ctrl-C."""
    settings = configured()
    _serve(port or settings.workbench_port, settings, address)


def demo(seed: Seed = 42) -> None:
    """Start everything: servers, migrations, sample sales if there are none, and the app."""
    settings = started()
    sample_if_empty(settings, DEMO_SALES, seed)
    _serve(settings.workbench_port, settings)


def _serve(port: int, settings: Settings, address: str = LOOPBACK) -> None:
    """Becomes Panel's own server, with our choices: loopback, our hosts and origins only.

    Browsers may also know it by WORKBENCH_PORT, where a container publishes it on their machine's loopback.
    One thread: with --num-threads a click can be handled before the typing that came first (docs/decisions/006).
    """
    refuse_taken(port, "set WORKBENCH_PORT to a free port", address)
    apps = sorted(str(path) for path in APPS.glob("[a-z]*.py"))
    typer.echo(f"Serving on http://{address}:{port}  (Ctrl-C stops the app; `workbench down` stops the servers)")
    hosts = [f"{host}:{p}" for host in (LOOPBACK, "localhost") for p in sorted({port, settings.workbench_port})]
    hosts += filter(None, map(str.strip, settings.workbench_allowed_hosts.split(",")))
    origins = [f"--allow-websocket-origin={host}" for host in hosts]
    arguments = [f"--address={address}", f"--port={port}", "--index=sales", "--log-level=warning"]
    arguments.append("--plugins=workbench.exporter")  # GET /metrics, and no unknown hosts
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "panel", "serve", *apps, *arguments, *origins])
