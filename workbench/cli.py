"""The `workbench` command. Results go to standard output, progress and errors to standard error."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import socket
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from workbench import cluster, health, migrations
from workbench.config import Settings, load_settings
from workbench.engines import Engines, connect
from workbench.errors import ClusterError, PortTaken, WorkbenchError

DEMO_SALES = 50_000
SERVERS = ("master", "replica", "risingwave")

app = typer.Typer(
    help="Sales workbench: forms that write to a PostgreSQL master, pages that read its replica.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same rows.", min=0)]

_errors = Console(stderr=True, highlight=False, soft_wrap=True)


def main() -> None:
    """Runs the command: exit code 0, or one line on standard error and 1."""
    try:
        app()
    except WorkbenchError as error:
        _errors.print(f"workbench: {error}", style="red", markup=False)
        raise SystemExit(1) from None


@app.command()
def up(
    sample_sales: Annotated[int, typer.Option("--sample", help="Load this many sample sales if there are none.")] = 0,
    seed: Seed = 42,
) -> None:
    """Start the embedded master and replica (unless servers are configured) and run pending migrations."""
    settings = _up()
    if sample_sales:
        _sample_if_empty(settings, sample_sales, seed)
    typer.echo(f"master {settings.master.host}:{settings.master.port}")
    if settings.replica:
        typer.echo(f"replica {settings.replica.host}:{settings.replica.port}")


@app.command()
def down() -> None:
    """Stop the embedded replica and master; their data stays."""
    settings = _settings()
    if not settings.is_embedded:
        raise ClusterError("The servers are configured by MASTER_DB_HOST; stop them where they run.")
    stopped = cluster.down(settings)
    typer.echo(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show state, lag and freshness of master, replica and RisingWave."""
    found = _status(_settings())
    if as_json:
        shown = {name: dataclasses.asdict(getattr(found, name)) for name in SERVERS}
        typer.echo(json.dumps(shown | {"slots": found.slots}, indent=2, default=str))
    else:
        Console(width=110).print(_status_table(found))
        for name in SERVERS:
            if note := getattr(found, name).note:
                typer.echo(f"{name}: {note}")


@app.command()
def migrate(as_json: AsJson = False) -> None:
    """Run the pending migrations on the master."""
    done = _with_engines(_configured(), lambda engines: migrations.migrate(engines, _say))
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(revision) for revision in done]))
    elif not done:
        typer.echo("The schema is up to date.")


@app.command()
def sample(
    count: Annotated[int, typer.Argument(metavar="COUNT", help="How many sales to load.", min=1)],
    seed: Seed = 42,
    as_json: AsJson = False,
) -> None:
    """Load COUNT sample sales of the last 400 days, all or none."""
    loaded = _with_engines(_configured(), lambda engines: _load(engines, count, seed))
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(loaded), default=str))
    else:
        typer.echo(f"Loaded {loaded.sales:,} sales with {loaded.lines:,} lines in {loaded.seconds:.1f} s.")


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="Port on 127.0.0.1 [default: WORKBENCH_PORT]", min=1)] = None,
) -> None:
    """Serve the app on 127.0.0.1 until Ctrl-C."""
    _serve(port or _configured().workbench_port)


@app.command()
def demo(seed: Seed = 42) -> None:
    """Start everything: servers, migrations, sample sales if there are none, and the app."""
    settings = _up()
    _sample_if_empty(settings, DEMO_SALES, seed)
    _serve(settings.workbench_port)


def _settings() -> Settings:
    settings = load_settings()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)  # `migrate` itself says what it runs
    return settings


def _configured() -> Settings:
    settings = _settings()
    return cluster.configured(settings) if settings.is_embedded else settings


def _up() -> Settings:
    settings = _settings()
    if settings.is_embedded:
        settings = cluster.up(settings, _say)
    _with_engines(settings, lambda engines: migrations.migrate(engines, _say))
    return settings


def _with_engines(settings: Settings, action: Any) -> Any:
    engines = connect(settings)
    try:
        return action(engines)
    finally:
        engines.dispose()


def _say(line: str) -> None:
    _errors.print(line, markup=False)


def _status(settings: Settings) -> health.Status:
    try:
        settings = cluster.configured(settings) if settings.is_embedded else settings
    except ClusterError as error:
        absent = health.Health("down", note=str(error))
        return health.Status(absent, absent, health.NO_RISINGWAVE, [])
    return _with_engines(settings, health.status)


def _status_table(found: health.Status) -> Table:
    table = Table("server", "state", "address", "version", "lag", "last heartbeat", box=None, pad_edge=False)
    for name in SERVERS:
        server: health.Health = getattr(found, name)
        lag = "" if server.lag_bytes is None else f"{server.lag_bytes:,} bytes, {server.lag_seconds or 0:.1f} s"
        as_of = f"{server.beat_at:%Y-%m-%d %H:%M:%S} UTC" if server.beat_at else ""
        table.add_row(name, server.state, server.address, server.version, lag, as_of)
    return table


def _sample_if_empty(settings: Settings, count: int, seed: int) -> None:
    from workbench.sample import is_empty

    _with_engines(settings, lambda engines: _load(engines, count, seed) if is_empty(engines) else None)


def _load(engines: Engines, count: int, seed: int) -> Any:
    from workbench.sample import load  # NumPy and Faker: only commands that need them pay for their import

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=_errors) as progress:
        task = progress.add_task("Loading sample sales", total=count)
        return load(engines, count, seed=seed, progress=lambda done, total: progress.update(task, completed=done))


def _serve(port: int) -> None:
    """Becomes Panel's own server, with our choices: loopback, our origins only.

    One thread: with --num-threads a click can be handled before the typing that came first (docs/decisions/006).
    """
    _refuse_taken(port)
    apps = sorted(str(path) for path in (Path(__file__).parent / "apps").glob("[a-z]*.py"))
    typer.echo(f"Serving on http://127.0.0.1:{port}  (Ctrl-C stops the app; `workbench down` stops the servers)")
    origins = [f"--allow-websocket-origin={host}:{port}" for host in ("127.0.0.1", "localhost")]
    arguments = ["--address=127.0.0.1", f"--port={port}", "--index=sales", "--log-level=warning"]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "panel", "serve", *apps, *arguments, *origins])


def _refuse_taken(port: int) -> None:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        raise PortTaken(
            f"Port {port} is taken by another program, perhaps a workbench that already runs."
            " Stop it, or set WORKBENCH_PORT to a free port."
        ) from None


if __name__ == "__main__":
    main()
