"""Commands that serve the app: serve, demo."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from workbench.cli.served import LOOPBACK, command
from workbench.cli.servers import sample_if_empty, started
from workbench.cli.shared import Seed, configured, refuse_taken
from workbench.config import MOST_PROCESSES, Settings

DEMO_SALES = 50_000


def serve(
    port: Annotated[int | None, typer.Option(help="Port to listen on [default: WORKBENCH_PORT]", min=1)] = None,
    address: Annotated[
        str, typer.Option(help="Address to listen on. On another than this people have to log in: `workbench user`.")
    ] = LOOPBACK,
    processes: Annotated[
        int,
        typer.Option(help="How many processes share the port, and the pages among them.", min=1, max=MOST_PROCESSES),
    ] = 1,
) -> None:
    """Serve the app on 127.0.0.1 until Ctrl-C."""
    settings = configured()
    _serve(port or settings.workbench_port, settings, address, processes)


def demo(seed: Seed = 42) -> None:
    """Start everything: servers, migrations, sample sales if there are none, and the app."""
    settings = started()
    sample_if_empty(settings, DEMO_SALES, seed)
    _serve(settings.workbench_port, settings)


def _serve(port: int, settings: Settings, address: str = LOOPBACK, processes: int = 1) -> None:
    """Becomes Panel's own server, or starts several that share a port."""
    refuse_taken(port, "set WORKBENCH_PORT to a free port", address)
    if processes > 1:
        from workbench.cli import shared_port

        shared_port.serve(settings, port, address, processes)
        return
    typer.echo(f"Starting on http://{address}:{port}  (Ctrl-C stops the app; `workbench down` stops the servers)")
    sys.stdout.flush()
    os.execv(sys.executable, command(port, settings, address))
