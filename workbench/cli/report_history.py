"""What `workbench report --history` lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from workbench.accounts.actor import current_actor
from workbench.config import Settings

if TYPE_CHECKING:
    from workbench.reports.history import Entry

MOST = 50


def list_history(settings: Settings, name: str | None, as_json: bool) -> None:
    """The newest runs, of one report if it is named, newest first."""
    from workbench.reports.history import RUNS, History
    from workbench.reports.texts import values_text

    found = [entry for entry in History.of(settings).entries(current_actor()) if name in (None, entry.report)][:MOST]
    if as_json:
        typer.echo(RUNS.dump_json(found, indent=2).decode())
        return
    table = Table("began", "by", "report", "parameters", "", box=None, padding=(0, 2, 0, 0))
    for entry in found:
        began = settings.clock.text(entry.began_at)
        shown = began, entry.by, entry.report, values_text(entry.values), _ended(entry, settings)
        table.add_row(*map(escape, shown))
    Console(width=160, highlight=False).print(table if found else "No report has run yet.")


def _ended(entry: Entry, settings: Settings) -> str:
    from workbench.reports.texts import ended_text, sent_text

    texts = ended_text(entry, settings.clock), entry.handed_out, sent_text(entry, settings.clock)
    return "\n".join(filter(None, texts))
