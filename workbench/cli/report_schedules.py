"""What `workbench report` does with schedules: make one, list them, remove one, run those that are due."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from workbench.accounts.actor import current_actor
from workbench.cli.shared import configured, errors
from workbench.config import Settings, load_settings
from workbench.errors import ReportError, ScheduleRefused
from workbench.locale import speak_english

if TYPE_CHECKING:
    from workbench.reports.history import Form


def add_schedule(
    name: str,
    given: dict[str, str],
    every: str,
    form: str,
    folder: Path | None,
    mail: list[str],
    seconds: int | None = None,
) -> None:
    """Makes a schedule, and says when it is due first."""
    from workbench.reports.schedules import Schedules, addresses

    if name.endswith(".ipynb"):
        raise ScheduleRefused(
            f"{name} is run by hand alone: put it into the folder of WORKBENCH_REPORTS_DIR, and give its name."
        )
    settings = load_settings()
    schedules = Schedules(settings)
    to = addresses(mail) if mail else ()
    by = current_actor().name
    made = schedules.add(name, given, every, by=by, form=cast("Form", form), folder=folder, to=to, seconds=seconds)
    typer.echo(f"Made {made.name}, due first on {_when(schedules.next_of(made), settings)}.")


def list_schedules(settings: Settings, as_json: bool) -> None:
    """All schedules, and when they are due next."""
    from workbench.reports.schedules import LIST, Schedules
    from workbench.reports.texts import values_text

    schedules = Schedules(settings)
    found = schedules.all()
    if as_json:
        typer.echo(LIST.dump_json(found, indent=2).decode())
        return
    table = Table("schedule", "every", "next", "parameters", "as", "to", "limit", "by", box=None, padding=(0, 2, 0, 0))
    for each in found:
        to = ", ".join(filter(None, [str(each.folder or ""), *each.to]))
        due = "paused" if each.is_paused else _when(schedules.next_of(each), settings)
        limit = "" if each.seconds is None else f"{each.seconds} s"
        shown = each.name, each.every, due, values_text(each.given), each.form, to, limit, each.by
        table.add_row(*map(escape, shown))
    Console(width=160, highlight=False).print(table if found else "There is no schedule.")


def pause_schedule(name: str, *, is_paused: bool) -> None:
    """Pauses one, or has it go on."""
    from workbench.reports.schedules import Schedules

    Schedules(load_settings()).pause(name, is_paused=is_paused)
    typer.echo(f"Paused {name}." if is_paused else f"{name} goes on.")


def remove_schedule(name: str) -> None:
    """Removes one; what it made stays."""
    from workbench.reports.schedules import Schedules

    Schedules(load_settings()).remove(name)
    typer.echo(f"Removed {name}.")


def run_schedules() -> None:
    """Runs what is due and sends mail that waits. Raises ReportError when one of them did not become a report."""
    from workbench.reports.mail import send_waiting
    from workbench.reports.schedules import Schedules, run_due
    from workbench.reports.texts import ended_text, sent_text

    settings = load_settings()
    schedules = Schedules(settings)
    speak_english(False)  # reports and mail are for people
    try:
        with errors.status("Running what is due ..."):
            ended = run_due(configured, schedules)
            send_waiting(settings)
            schedules.tidy()
    finally:
        speak_english()
    for entry in ended:
        texts = ended_text(entry, settings.clock), entry.handed_out, sent_text(entry, settings.clock)
        typer.echo(f"{entry.schedule}: {'. '.join(filter(None, texts))}")
    if failed := [entry.schedule for entry in ended if entry.state != "done"]:
        raise ReportError(f"{', '.join(failed)} did not become a report.")
    if not ended:
        typer.echo("Nothing is due.")


def _when(moment: datetime | None, settings: Settings) -> str:
    return "" if moment is None else settings.clock.text(moment)
