"""Command passwords: new passwords for the roles of the servers, while the app runs."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.cli.shared import logged_settings, say
from workbench.errors import ClusterError

app = typer.Typer(help="The passwords of the servers' roles.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """So that its one command keeps its name."""


@app.command()
def rotate(
    roles: Annotated[list[str] | None, typer.Argument(metavar="[ROLE]...", help="Which roles [default: all].")] = None,
) -> None:
    """Give roles of the embedded servers new random passwords; what runs goes on, and takes them by itself."""
    settings = logged_settings()
    if not settings.is_embedded:
        raise ClusterError(
            "The servers are configured by MASTER_DB_HOST, and so are their passwords: docs/full-stack.md,"
            ' "New passwords", says how to change them.'
        )
    from workbench.servers import cluster

    typer.echo(f"Changed: {', '.join(cluster.rotate(settings, roles or (), say))}.")
    if settings.risingwave_host and "workbench_cdc" in (roles or ["workbench_cdc"]):
        typer.echo("RisingWave reads the master as workbench_cdc: `workbench risingwave drop`, then `apply`, tell it.")
