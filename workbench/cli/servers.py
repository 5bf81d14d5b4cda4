"""Commands for the servers: up, down, status, migrate; their data: sample; the passwords of their roles."""

from __future__ import annotations

import dataclasses
import json
import secrets
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from workbench import locale
from workbench.cli.shared import AsJson, Seed, configured, errors, logged_settings, say, with_engines
from workbench.config import Settings, env_file
from workbench.config.clock import StoreClock
from workbench.errors import ClusterError, RealSales, SampleChanged, SettingsError, WorkbenchError
from workbench.words import counted

if TYPE_CHECKING:
    from workbench.database.engines import Engines
    from workbench.servers.health import Health, Status

SERVERS = ("master", "replica", "risingwave")
LOADING = "Loading sample sales"
SAY_AGAIN_SECONDS = 30.0  # what a load waits for


def up(
    sample_sales: Annotated[int, typer.Option("--sample", help="Load this many sample sales if there are none.")] = 0,
    seed: Seed = 42,
) -> None:
    """Start the embedded master and replica (unless servers are configured) and run pending migrations."""
    settings = started()
    if sample_sales:
        sample_if_empty(settings, sample_sales, seed)
    typer.echo(f"master {settings.master.address}")
    if settings.replica:
        typer.echo(f"replica {settings.replica.address}")


def down() -> None:
    """Stop the embedded replica and master; their data stays."""
    settings = logged_settings()
    if not settings.is_embedded:
        raise ClusterError("The servers are configured by MASTER_DB_HOST; stop them where they run.")
    from workbench.servers import cluster

    stopped = cluster.down(settings)
    typer.echo(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")


def status(as_json: AsJson = False) -> None:
    """Show state, lag and freshness of master, replica and RisingWave, and the embedded servers' data directory."""
    from workbench.servers import cluster

    settings = logged_settings()
    found = _status(settings)
    data_dir = cluster.data_dir(settings) if settings.is_embedded else None
    if as_json:
        shown = {name: dataclasses.asdict(getattr(found, name)) for name in SERVERS}
        typer.echo(json.dumps(shown | {"slots": found.slots, "data_dir": data_dir}, indent=2, default=str))
    else:
        Console(width=110).print(_status_table(found, settings.clock))
        for name in SERVERS:
            if note := getattr(found, name).note:
                typer.echo(f"{name}: {note}")
        if data_dir:
            typer.echo(f"data directory: {data_dir}")


def migrate(as_json: AsJson = False) -> None:
    """Run the pending migrations on the master, and make views and indexes that changed or are missing."""
    from workbench import migrations

    done = with_engines(configured(), lambda engines: migrations.migrate(engines, say))
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(done)))
    else:
        typer.echo(done.text() if done else "The schema is up to date.")


def sample(
    count: Annotated[int, typer.Argument(metavar="COUNT", help="How many sales to load.", min=1)],
    seed: Seed = 42,
    among_real: Annotated[bool, typer.Option("--yes", help="Also where there are sales that are not made up.")] = False,
    as_json: AsJson = False,
) -> None:
    """Load COUNT sample sales of the last 400 days, all or none; real ones stay among themselves unless --yes."""
    loaded = with_engines(configured(), lambda engines: _load_where_allowed(engines, count, seed, among_real))
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(loaded), default=str))
    else:
        typer.echo(f"Loaded {loaded.text} in {loaded.seconds:.1f} s.")


def undo_sample(
    load_id: Annotated[int | None, typer.Option("--load", help="Which load; see --list [default: the newest]")] = None,
    also_changed: Annotated[bool, typer.Option(help="Remove also those that were changed since.")] = False,
    only_list: Annotated[bool, typer.Option("--list", help="Only list the loads of which sales are left.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take back exactly the sales of one load of sample data, all or none."""
    from workbench.sample import Load, loads

    if not only_list:
        _undo(load_id, also_changed, as_json)
        return
    found: list[Load] = with_engines(configured(), loads)
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(load) for load in found], default=str))
        return
    for load in found:
        when = f"{load.loaded_at:%Y-%m-%d %H:%M} UTC by {load.actor}"
        note = f"; {load.note}" if load.note else ""
        typer.echo(f"{load.load_id}: {load.text} of {when}, {locale.number(load.changed)} changed since{note}")


def started() -> Settings:
    """The servers, running and migrated."""
    from workbench import migrations
    from workbench.servers import cluster

    settings = logged_settings()
    if settings.is_embedded:
        settings = cluster.up(settings, say)
    with_engines(settings, lambda engines: migrations.migrate(engines, say))
    return settings


def _status(settings: Settings) -> Status:
    from workbench.servers import cluster, health

    try:
        settings = cluster.configured(settings) if settings.is_embedded else settings
    except ClusterError as error:
        absent = health.Health("down", note=str(error))
        return health.Status(absent, absent, health.NO_RISINGWAVE, [])
    return with_engines(settings, health.status)


def _status_table(found: Status, clock: StoreClock) -> Table:
    table = Table("server", "state", "address", "version", "lag", "last heartbeat", box=None, pad_edge=False)
    for name in SERVERS:
        server: Health = getattr(found, name)
        lag = [] if server.lag_bytes is None else [counted(server.lag_bytes, "byte")]
        lag += [] if server.lag_seconds is None else [f"{server.lag_seconds:.1f} s"]
        as_of = clock.text(server.beat_at) if server.beat_at else ""
        table.add_row(name, server.state, server.address, server.version, ", ".join(lag), as_of)
    return table


def sample_if_empty(settings: Settings, count: int, seed: int) -> None:
    """Loads sample sales unless there are sales."""
    from workbench.sample import is_empty

    def work(engines: Engines) -> None:
        if is_empty(engines):
            _load(engines, count, seed)
            _fill_catalogue(engines)

    with_engines(settings, work)


def _load_where_allowed(engines: Engines, count: int, seed: int, among_real: bool) -> Any:
    from workbench.sample import refuse_real

    if not among_real:
        try:
            refuse_real(engines)
        except RealSales as error:
            raise RealSales(f"{error} Give --yes if made-up sales are wanted there.") from None
    loaded = _load(engines, count, seed)
    if not among_real:
        _fill_catalogue(engines)
    return loaded


def _fill_catalogue(engines: Engines) -> None:
    from workbench.sample.entries import fill

    if added := fill(engines):
        say(f"The catalogue has {locale.number(added)} entries more: names and list prices of what the sample sells.")


def _undo_with_catalogue(engines: Engines, load_id: int | None, also_changed: bool) -> Any:
    from workbench.sample import undo
    from workbench.sample.entries import take_back

    undone = undo(engines, load_id, also_changed=also_changed)
    take_back(engines)
    return undone


def _undo(load_id: int | None, also_changed: bool, as_json: bool) -> None:
    try:
        undone = with_engines(configured(), lambda engines: _undo_with_catalogue(engines, load_id, also_changed))
    except SampleChanged as error:
        raise SampleChanged(f"{error} Give --also-changed to remove these as well.") from None
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(undone)))
    else:
        typer.echo(f"Removed {undone.text} in {undone.seconds:.1f} s.")


def _load(engines: Engines, count: int, seed: int) -> Any:
    from workbench.sample import load

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=errors) as progress:
        task = progress.add_task(LOADING, total=count)
        said_at = -SAY_AGAIN_SECONDS

        def waiting(text: str) -> None:
            nonlocal said_at
            progress.update(task, description="Waiting" if text else LOADING)
            if text and time.monotonic() - said_at >= SAY_AGAIN_SECONDS:
                said_at = time.monotonic()
                progress.console.print(text)

        return load(
            engines,
            count,
            seed=seed,
            progress=lambda done, total: progress.update(task, completed=done),
            waiting=waiting,
        )


APPLY = "RisingWave reads the master as workbench_cdc: `workbench risingwave apply` tells it."
REBUILD = "RisingWave reads as workbench_cdc and keeps no secrets: run `workbench risingwave drop`, then `apply`."

passwords = typer.Typer(help="The passwords of the servers' roles.", no_args_is_help=True)


@passwords.callback()
def _group() -> None:
    """So that its one command keeps its name."""


@passwords.command()
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
    from workbench.servers.risingwave.build import tell_cdc

    try:
        if not tell_cdc(settings, say):
            typer.echo(REBUILD)
    except WorkbenchError as error:  # the password of the master is changed either way
        typer.echo(f"{error} {APPLY}")


def _rotate_risingwave(settings: Settings, roles: Sequence[str]) -> None:
    from workbench.servers.risingwave.build import rotate as rotate_users

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
    typer.echo("In Docker Compose `docker compose up -d` gives them to the passwords; elsewhere restart it.")
