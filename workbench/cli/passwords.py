"""Command passwords: new passwords for the roles of the servers, while the app runs."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Annotated

import typer
from pydantic import SecretStr

from workbench.cli.shared import logged_settings, say
from workbench.config import Settings, env_file
from workbench.errors import ClusterError, SettingsError, WorkbenchError

APPLY = "RisingWave reads the master as workbench_cdc: `workbench risingwave apply` tells it."
REBUILD = "RisingWave reads as workbench_cdc and keeps no secrets: run `workbench risingwave drop`, then `apply`."

app = typer.Typer(help="The passwords of the servers' roles.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """So that its one command keeps its name."""


@app.command()
def rotate(
    roles: Annotated[list[str] | None, typer.Argument(metavar="[ROLE]...", help="Which roles [default: all].")] = None,
    risingwave: Annotated[
        bool, typer.Option("--risingwave", help="RisingWave's users, all of them, whose passwords are in .env.")
    ] = False,
) -> None:
    """Give roles of the embedded servers new random passwords; what runs goes on, and takes them by itself."""
    settings = logged_settings()
    if risingwave:
        _rotate_risingwave(settings, roles or ())
    else:
        _rotate_embedded(settings, roles or ())


def _rotate_embedded(settings: Settings, roles: Sequence[str]) -> None:
    if not settings.is_embedded:
        raise ClusterError(
            "The servers are configured by MASTER_DB_HOST, and so are their passwords: docs/full-stack.md,"
            ' "New passwords", says how to change them. With --risingwave the command changes those of RisingWave.'
        )
    from workbench.servers import cluster

    typer.echo(f"Changed: {', '.join(cluster.rotate(settings, roles, say))}.")
    if settings.risingwave_host and "workbench_cdc" in (roles or ["workbench_cdc"]):
        _tell_risingwave(cluster.configured(settings))


def _tell_risingwave(settings: Settings) -> None:
    from workbench.servers.risingwave.passwords import tell_cdc

    try:
        if not tell_cdc(settings, say):
            typer.echo(REBUILD)
    except WorkbenchError as error:  # the password of the master is changed either way
        typer.echo(f"{error} {APPLY}")


def _rotate_risingwave(settings: Settings, roles: Sequence[str]) -> None:
    from workbench.servers.risingwave.passwords import rotate as rotate_users

    if roles or not settings.risingwave_host:
        raise SettingsError("--risingwave changes all users of the RisingWave that RISINGWAVE_HOST names, no ROLE.")
    known = {
        "RISINGWAVE_PASSWORD": settings.risingwave_password.get_secret_value(),
        "RISINGWAVE_READER_PASSWORD": settings.risingwave_reader_password.get_secret_value(),
    }
    if not all(known.values()) or not env_file.holds(known):
        raise SettingsError(
            f"The new passwords are written to {env_file.NAME}, but {' and '.join(known)} do not both come from there."
            " Run this in the folder of that file, without them in the environment."
        )
    made = {name: secrets.token_hex(24) for name in known}
    if settings.risingwave_reader_user == settings.risingwave_user:
        made["RISINGWAVE_READER_PASSWORD"] = made["RISINGWAVE_PASSWORD"]
    new = env_file.prepare_change(made)
    users = rotate_users(settings, *map(SecretStr, new.values()))
    env_file.finish_change()
    typer.echo(f"Changed in RisingWave and in {env_file.NAME}: {', '.join(users)}.")
    typer.echo("In Docker Compose `docker compose up -d` gives them to the app; elsewhere restart it.")
