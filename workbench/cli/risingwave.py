"""Commands for RisingWave: apply, drop, status."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from workbench import locale
from workbench.cli.shared import AsJson, configured, say, with_engines
from workbench.config.clock import StoreClock
from workbench.words import counted

if TYPE_CHECKING:
    from workbench.servers.risingwave.build import Built
    from workbench.servers.risingwave.state import RisingWaveState

app = typer.Typer(
    help="Build, remove and look at what RisingWave keeps: source, tables, materialized views.", no_args_is_help=True
)
WORDS = {"made": "Made", "changed": "Changed", "kept": "Left as it was", "removed": "Removed"}


@app.command()
def apply(as_json: AsJson = False) -> None:
    """Build what is missing and change what has changed; safe to repeat."""
    from workbench.metrics.views import materialized_views
    from workbench.servers.risingwave.build import apply as build

    built = with_engines(configured(), lambda engines: build(engines, materialized_views(), say))
    typer.echo(json.dumps(dataclasses.asdict(built)) if as_json else _built_text(built))


@app.command()
def drop(
    slot_only: Annotated[
        bool, typer.Option("--slot-only", help="Only drop the slot on the master: RisingWave itself is gone.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Remove everything from RisingWave, and the replication slot from the master."""
    from workbench.metrics.views import materialized_views
    from workbench.servers.risingwave.build import drop as remove
    from workbench.servers.risingwave.cdc import drop_slot
    from workbench.servers.risingwave.console import SLOT

    settings = configured()
    if slot_only:
        dropped = [SLOT] if with_engines(settings, drop_slot) else []
    else:
        dropped = with_engines(settings, lambda engines: remove(engines, materialized_views(), say))
    if as_json:
        typer.echo(json.dumps(dropped))
    else:
        typer.echo(f"Dropped: {', '.join(dropped)}." if dropped else "There was nothing to drop.")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show tables and views with rows, last change and backfill, and the slot; exit code 1 when something is wrong."""
    from workbench.metrics.views import materialized_views
    from workbench.servers.risingwave.state import state

    settings = configured()
    found = with_engines(settings, lambda engines: state(engines, materialized_views()))
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(found), indent=2, default=str))
    else:
        _show(found, settings.clock)
    raise typer.Exit(1 if found.problems else 0)


def _built_text(built: Built) -> str:
    lines = [f"{WORDS[name]}: {', '.join(names)}." for name, names in dataclasses.asdict(built).items() if names]
    return "\n".join(lines)


def _show(found: RisingWaveState, clock: StoreClock) -> None:
    age = "no heartbeat" if found.age_seconds is None else f"{found.age_seconds:.1f} s old"
    typer.echo(f"RisingWave {found.version}, {age}")
    table = Table("name", "kind", "state", "rows", "last change", "backfill", box=None, pad_edge=False)
    for relation in found.relations:
        changed = clock.text(relation.changed_at) if relation.changed_at else ""
        rows = "" if relation.rows is None else locale.number(relation.rows)
        table.add_row(relation.name, relation.kind, relation.state, rows, changed, relation.backfill)
    Console(width=120, highlight=False, markup=False).print(table)
    if found.slot:
        activity = "in use" if found.slot["is_active"] else "not in use"
        wal = found.slot["retained_bytes"]
        kept = "" if wal is None else f", keeps {counted(wal, 'byte')} of WAL"
        typer.echo(f"Slot {found.slot['slot_name']}: {activity}, {found.slot['wal_status']}{kept}")
    for problem in found.problems:
        typer.echo(problem)
