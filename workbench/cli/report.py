"""The command report: runs a report notebook and writes it as a file, lists what was run, and has schedules."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from workbench.accounts.actor import current_actor
from workbench.cli.shared import AsJson, configured, errors, say
from workbench.config import Settings, load_settings
from workbench.errors import ParameterRefused, ReportError, ScheduleRefused, WorkbenchError
from workbench.locale import english, speak_english
from workbench.servers.disk import full_in_words, write_whole

if TYPE_CHECKING:
    from workbench.reports.history import Entry, Form, Recording
    from workbench.reports.library import Report, Value
    from workbench.reports.run import Finished


class Format(StrEnum):
    """What a report is written as."""

    html = "html"
    ipynb = "ipynb"
    pdf = "pdf"


def report(
    name: Annotated[
        str | None, typer.Argument(help="The report to run, or the path of a notebook; without it, all are listed.")
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("-p", metavar="NAME=VALUE", help="A parameter of the report; can be repeated.")
    ] = None,
    kind: Annotated[
        Format | None, typer.Option("--format", help="What is written [default: as the file's name ends, else html].")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="The file to write [default: NAME.FORMAT here]; with --every a folder [default: none]."),
    ] = None,
    seconds: Annotated[
        int | None, typer.Option("--timeout", help="Time limit in seconds [default: WORKBENCH_REPORT_SECONDS].", min=1)
    ] = None,
    is_list: Annotated[bool, typer.Option("--list", help="List the reports and their parameters.")] = False,
    is_history: Annotated[bool, typer.Option("--history", help="List the newest runs, of NAME if given.")] = False,
    every: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="Have it run then: day-07:00, monday-07:00, month-1-07:00."),
    ] = None,
    mail: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help="With --every: send it there; can be repeated.")
    ] = None,
    is_schedules: Annotated[bool, typer.Option("--schedules", help="List the schedules.")] = False,
    paused: Annotated[str | None, typer.Option("--pause", metavar="SCHEDULE", help="Pause a schedule.")] = None,
    resumed: Annotated[
        str | None, typer.Option("--resume", metavar="SCHEDULE", help="Have a paused schedule go on.")
    ] = None,
    removed: Annotated[str | None, typer.Option("--unschedule", metavar="SCHEDULE", help="Remove a schedule.")] = None,
    is_due: Annotated[
        bool, typer.Option("--due", help="Run the schedules that are due, as the served app does by itself.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a report in a process that can only read, and write it as one file that opens offline."""
    if (every is None and mail) or (every is not None and name is None):
        raise ReportError("--every needs the name of a report, and --mail needs --every.")
    if is_history:
        list_history(load_settings(), name, as_json)
    elif is_schedules:
        list_schedules(load_settings(), as_json)
    elif (name_of := paused or resumed) is not None:
        pause_schedule(name_of, is_paused=paused is not None)
    elif removed is not None:
        remove_schedule(removed)
    elif is_due:
        run_schedules()
    elif name is None or is_list:
        _list(name, as_json)
    elif every is not None:
        form = (kind or Format.html).value
        add_schedule(name, _given(parameter or []), every, form, output, mail or [], seconds)
    else:
        _write(name, _given(parameter or []), kind, output, seconds, as_json)


def _write(
    name: str, given: dict[str, str], kind: Format | None, output: Path | None, seconds: int | None, as_json: bool
) -> None:
    """Runs a report and writes it."""
    form = _format(kind, output)
    chosen = _chosen(name)
    target = output or Path(f"{chosen.name}.{form}")
    if target.resolve() == chosen.path.resolve():
        raise ReportError(f"{target} is the report itself: give another file by --output.")
    finished = _run(chosen, given, target, form, seconds)
    if as_json:
        shown = {"file": str(target), "engine": finished.engine, "as_of": finished.as_of, "seconds": finished.seconds}
        typer.echo(json.dumps(shown | {"parameters": finished.values}, default=str))
    else:
        typer.echo(f"Wrote {target} ({target.stat().st_size / 1e6:.1f} MB) in {finished.seconds:.1f} s.")


def _chosen(name: str) -> Report:
    """The report of that name, or that is the notebook at that path. Raises ReportError."""
    from workbench.reports.library import find_report, read_report

    if name.endswith(".ipynb"):
        return read_report(Path(name))
    return find_report(name, load_settings().workbench_reports_dir)


def _format(kind: Format | None, output: Path | None) -> Format:
    """The format that is asked for, by its name or by the file's."""
    ending = "" if output is None else output.suffix.removeprefix(".").lower()
    by_name = next((form for form in Format if form == ending), None)
    if kind is not None and by_name is not None and kind is not by_name:
        raise ReportError(f"--format {kind} and --output {output} do not fit: leave out one, or name it .{kind}.")
    return kind or by_name or Format.html


def _given(texts: list[str]) -> dict[str, str]:
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise ParameterRefused(f"-p {text[:60]!r} cannot be used: give NAME=VALUE.")
        found[name] = value
    return found


def _run(chosen: Report, given: dict[str, str], target: Path, kind: Format, seconds: int | None) -> Finished:
    from workbench.files.chromium import find_chromium
    from workbench.reports.library import parse_all
    from workbench.reports.run import export, run_recorded

    values = parse_all(chosen.parameters, given, load_settings().clock.today())
    if kind is Format.pdf:
        find_chromium("A PDF")
    if not target.parent.is_dir():
        raise ReportError(f"There is no folder {target.parent} to write {target.name} to.")
    speak_english(False)  # a report is for people, whoever has it made
    with errors.status(f"Running {chosen.name} ...") as status:
        settings = configured()
        finished = run_recorded(
            _recording(chosen, values, settings),
            chosen,
            values,
            settings,
            seconds=seconds,
            progress=lambda cell, cells, title: status.update(f"Cell {cell} of {cells}: {escape(title)}"),
        )
        content = export(finished, kind.value)
    try:
        with full_in_words(target.parent):
            write_whole(target, content)
    except OSError as error:
        raise ReportError(f"The report could not be written to {target}: {error.strerror}.") from None
    return finished


def _recording(chosen: Report, values: dict[str, Value], settings: Settings) -> Recording | None:
    """Where the history of runs has this one; None, which is said, where nothing can be written."""
    from workbench.reports.history import History

    try:
        return History.of(settings).begin(chosen.name, chosen.title, values, current_actor().name, kinds=chosen.kinds)
    except WorkbenchError as error:
        say(english(error))
        return None


def _list(name: str | None, as_json: bool) -> None:
    """All reports, or one, with their parameters."""
    from workbench.reports.library import library  # only this command pays for its imports

    there = library(load_settings().workbench_reports_dir)
    _show(list(there.reports) if name is None else [_chosen(name)], as_json)
    for problem in there.problems.values() if name is None else ():
        typer.echo(problem, err=True)


def _show(found: list[Report], as_json: bool) -> None:
    today = load_settings().clock.today()
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(report) for report in found], default=str, indent=2))
        return
    for report in found:
        typer.echo(f"{report.name}: {report.title}")
        table = Table("parameter", "default", "what it is", "allowed", box=None, padding=(0, 2, 0, 2))
        for parameter in report.parameters:
            default = parameter.proposed(today)
            shown = "" if default is None else str(default)
            table.add_row(parameter.name, shown, escape(parameter.about), escape(parameter.allowed))
        Console(width=130, highlight=False).print(table)


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
