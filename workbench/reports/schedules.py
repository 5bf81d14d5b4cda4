"""Reports by schedule: a file for each in the data directory, and running those that are due.

Any number of processes look; a lock lets one of them run a schedule, once for all moments that have passed.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from workbench.config import Settings
from workbench.config.addresses import checked_addresses
from workbench.config.clock import utc_now
from workbench.errors import ReportError, ScheduleRefused, WorkbenchError
from workbench.files.chromium import find_chromium
from workbench.locale import _, english
from workbench.reports.history import FAILED, Entry, Form, History, Mail
from workbench.reports.library import Kind, find_report, parse_all
from workbench.reports.mail import can_send, made, send_one
from workbench.reports.texts import read_every
from workbench.servers.disk import full_in_words, unfinished, write_new, write_whole

log = logging.getLogger(__name__)

FOLDER, OWN_FOLDER = "report-schedules", "report-files"
NAME = re.compile(r"[a-z][a-z0-9_]*-[1-9][0-9]{0,5}")
OF_SCHEDULE = re.compile(rf"\.{NAME.pattern}\.json\.")  # how files begin that are being written
OF_REPORT = re.compile(r"\.[a-z][a-z0-9_]*-[0-9]{4}-[0-9]{2}-[0-9]{2}(-[0-9]+)?\.(html|ipynb|pdf)\.")
LOCK_SECONDS = 10.0
HAND_OUT_SECONDS = 180.0  # for somebody else to have looked at the run, or tried to send its mail
MOST_TRIES = 3  # of one moment: a report whose process dies with it would do so again for ever
MOST_RECIPIENTS = 50


@dataclass(frozen=True)
class Schedule:
    """A report, when it is run, with which parameters (as text), and where what it makes goes.

    ``done_until`` is the last moment that was seen to; ``tries`` counts how often the one after it was begun.
    ``is_failing`` is true from a run that failed on until one does not; one that ``is_paused`` is never due.
    ``seconds`` is the limit of a run, if not the settings'; ``kinds`` say how parameters are shown.
    """

    name: str
    report: str
    given: Mapping[str, str]
    every: str
    by: str
    done_until: datetime
    form: Form = "html"
    folder: Path | None = None
    to: tuple[str, ...] = ()
    tries: int = 0
    is_failing: bool = False
    is_paused: bool = False
    seconds: int | None = None
    kinds: Mapping[str, Kind] = field(default_factory=dict)


SCHEDULE, LIST = TypeAdapter(Schedule), TypeAdapter(list[Schedule])


class Schedules:
    """The schedules of one data directory."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.folder = settings.workbench_data_dir.expanduser() / FOLDER
        self.own_folder = (
            settings.workbench_data_dir.expanduser() / OWN_FOLDER
        )  # for who chooses none: made when needed

    def add(
        self,
        report: str,
        given: Mapping[str, str],
        every: str,
        *,
        by: str,
        form: Form = "html",
        folder: Path | None = None,
        to: tuple[str, ...] = (),
        seconds: int | None = None,
    ) -> Schedule:
        """Makes a schedule, due for the first time after now. Raises ScheduleRefused and ParameterRefused."""
        chosen = find_report(report, self._settings.workbench_reports_dir)
        parse_all(chosen.parameters, given, self._settings.clock.today())
        plain = {each.name: each.plain(given[each.name]) for each in chosen.parameters if each.name in given}
        moments = read_every(every)
        self._refuse_unusable(form, folder, to)
        place = folder.resolve() if folder else None
        with self._files():
            taken = [int(name.rpartition("-")[2]) for name in self._names() if name.rpartition("-")[0] == report]
            name = f"{report}-{max(taken, default=0) + 1}"
            made = Schedule(
                name, report, plain, moments.text, by, utc_now(), form, place, to, seconds=seconds, kinds=chosen.kinds
            )
            self._write(made)
        return made

    def _refuse_unusable(self, form: Form, folder: Path | None, to: tuple[str, ...]) -> None:
        if form == "pdf":
            find_chromium("A PDF")
        if folder == self.own_folder:
            self._make_own_folder()
        elif folder is not None and not folder.is_dir():
            raise ScheduleRefused(_("There is no folder {folder} to write reports to.", folder=folder))
        if to and not can_send(self._settings):
            raise ScheduleRefused(_("To send mail, WORKBENCH_SMTP_HOST and WORKBENCH_SMTP_FROM have to be set."))
        if len(to) > MOST_RECIPIENTS:
            raise ScheduleRefused(
                _("{n} addresses are too many: give at most {most}, or a list's.", n=len(to), most=MOST_RECIPIENTS)
            )

    def _make_own_folder(self) -> None:
        try:
            self.own_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ScheduleRefused(
                _("The folder {folder} cannot be made: {why}.", folder=self.own_folder, why=error.strerror)
            ) from None

    def pause(self, name: str, *, is_paused: bool) -> None:
        """Pauses one, or has it go on, with its next moment: what was missed is not run. Raises ScheduleRefused."""
        with self._files():
            self._refuse_unknown(name)
            if (schedule := self._read(name)) is not None:
                done_until = schedule.done_until if is_paused else utc_now()
                self._write(replace(schedule, is_paused=is_paused, done_until=done_until, tries=0))

    def _refuse_unknown(self, name: str) -> None:
        if not NAME.fullmatch(name) or not self._path(name).is_file():
            names = ", ".join(self._names()) or _("none")
            raise ScheduleRefused(
                _("There is no schedule {name}. There are {names}.", name=repr(name[:60]), names=names)
            )

    def remove(self, name: str) -> None:
        """Removes one; a run of it that goes on ends by itself. Raises ScheduleRefused when it is not there."""
        with self._files():
            self._refuse_unknown(name)
            self._path(name).unlink()
            with suppress(Timeout, OSError), self._lock(name):
                self._lock_path(name).unlink(missing_ok=True)

    def all(self) -> list[Schedule]:
        """All that there are, by name."""
        return [schedule for name in self._names() if (schedule := self._read(name)) is not None]

    def next_of(self, schedule: Schedule) -> datetime | None:
        """When it is due next; None while it is paused."""
        return None if schedule.is_paused else read_every(schedule.every).next(utc_now(), self._settings.clock)

    def due(self, schedule: Schedule, now: datetime) -> datetime | None:
        """The newest moment that has passed and was not seen to; None when there is none, or it is paused."""
        if schedule.is_paused:
            return None
        last = read_every(schedule.every).last(now, self._settings.clock)
        return last if last is not None and last > schedule.done_until else None

    @contextmanager
    def claimed(self, name: str) -> Iterator[tuple[Schedule, datetime] | None]:
        """The schedule and the moment that it is due for, which nobody else runs in the block; None when it is not.

        The moment is done with at the end of the block, but not when the block fails or the process dies in it.
        """
        try:
            with self._lock(name):
                schedule = self._read(name)
                moment = self.due(schedule, utc_now()) if schedule else None
                if schedule is None or moment is None:
                    yield None
                    return
                tried = replace(schedule, tries=schedule.tries + 1)
                self.update(tried, tries=tried.tries)
                yield (tried, moment)
                self.update(tried, done_until=moment, tries=0)
        except Timeout:
            yield None

    def update(self, schedule: Schedule, **moving: Any) -> None:
        """Writes how far it is, unless it was removed meanwhile, or another one has its name now.

        What was seen to stays so: whoever resumed it meanwhile does not want what it missed.
        """
        with self._files():
            now = self._read(schedule.name)
            if now is not None and _made(now) == _made(schedule):
                moved = replace(now, **moving)
                self._write(replace(moved, done_until=max(now.done_until, moved.done_until)))

    @contextmanager
    def _files(self) -> Iterator[None]:
        """Nobody else makes, changes or removes schedules in the block."""
        try:
            with full_in_words(self.folder):
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                with FileLock(self.folder / "schedules.lock", timeout=LOCK_SECONDS, mode=0o600, thread_local=False):
                    yield
        except Timeout:
            raise ScheduleRefused(_("The schedules are being changed by somebody else. Try again.")) from None
        except OSError as error:
            raise ScheduleRefused(
                _("Schedules cannot be kept in {folder}: {why}.", folder=self.folder, why=error.strerror)
            ) from None

    def tidy(self) -> None:
        """Removes what processes that died left of files that they wrote: those alone whose names are of ours."""
        for folder, name in ((self.folder, OF_SCHEDULE), (self.own_folder, OF_REPORT)):
            for path in unfinished(folder):
                if name.match(path.name):
                    with suppress(OSError):
                        path.unlink(missing_ok=True)

    def _write(self, schedule: Schedule) -> None:
        write_whole(self._path(schedule.name), SCHEDULE.dump_json(schedule, indent=1))

    def _lock(self, name: str) -> FileLock:
        return FileLock(self._lock_path(name), timeout=0, mode=0o600, thread_local=False)

    def _lock_path(self, name: str) -> Path:
        return self.folder / f"{name}.lock"

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def _names(self) -> list[str]:
        return sorted(path.stem for path in self.folder.glob("*.json") if NAME.fullmatch(path.stem))

    def _read(self, name: str) -> Schedule | None:
        try:
            schedule = SCHEDULE.validate_json(self._path(name).read_bytes())
            read_every(schedule.every)
        except (OSError, ValidationError, ScheduleRefused) as error:
            log.debug("%s is no schedule: %s", self._path(name), type(error).__name__)
            return None
        return schedule


def _made(schedule: Schedule) -> Schedule:
    """As it was made, without what changes as it goes."""
    return replace(schedule, done_until=datetime.max, tries=0, is_failing=False, is_paused=False)


def addresses(texts: list[str]) -> tuple[str, ...]:
    """The addresses of lists with commas. Raises ScheduleRefused."""
    try:
        return checked_addresses(texts)
    except ValueError as error:
        raise ScheduleRefused(f"--mail: {error}.") from None


def run_due(
    settings: Callable[[], Settings],
    schedules: Schedules,
    in_turn: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> list[Entry]:
    """Runs each schedule that is due, and returns how that ended; ``in_turn`` lets few at once.

    ``settings`` is asked for when something is due: the servers have to be found for it.
    """
    ended = []
    for schedule in schedules.all():
        if schedules.due(schedule, utc_now()) is None:
            continue
        found = settings()
        try:
            with in_turn(), schedules.claimed(schedule.name) as claimed:
                if claimed is not None:
                    ended.append(_run(schedules, *claimed, found))
        except WorkbenchError as error:  # the others are run all the same, and this one at the next look
            log.warning("The schedule %s could not be run: %s", schedule.name, english(error))
    return ended


def _run(schedules: Schedules, schedule: Schedule, moment: datetime, settings: Settings) -> Entry:
    """Runs a schedule for its moment; whatever comes of it is in the history, and so is what became of its mail."""
    history = History.of(settings)
    entry = _ran(schedule, moment, settings)
    if entry.state == "done":
        schedules.update(schedule, is_failing=False)
    elif entry.state == "failed" and not schedule.is_failing:
        schedules.update(schedule, is_failing=_told(history, entry, settings))
    if entry.state == "done":
        _handed_out(history, entry, schedule, moment, settings)
    return history.find_any(entry.id) or entry


def _ran(schedule: Schedule, moment: datetime, settings: Settings) -> Entry:
    from workbench.reports.run import run_recorded

    history, by = History.of(settings), schedule.by
    mail = Mail(schedule.to, schedule.form) if schedule.to else None
    try:
        report = find_report(schedule.report, settings.workbench_reports_dir)
        values = parse_all(report.parameters, schedule.given, settings.clock.wall(moment).date())
    except WorkbenchError as error:
        recording = history.begin(
            schedule.report, schedule.report, schedule.given, by, schedule.name, mail, schedule.kinds
        )
        recording.end("failed", str(error))
        return recording.entry
    recording = history.begin(report.name, report.title, values, by, schedule.name, mail, report.kinds)
    if schedule.tries > MOST_TRIES:
        recording.end("failed", _("It was begun {n} times, and the program ended each time.", n=MOST_TRIES))
        return recording.entry
    try:
        run_recorded(recording, report, values, settings, by=by, seconds=schedule.seconds)
    except WorkbenchError:
        log.debug("The schedule %s: the history says why there is no report", schedule.name)
    except Exception:
        log.exception("The schedule %s: %s", schedule.name, FAILED)
    return recording.entry


def _told(history: History, entry: Entry, settings: Settings) -> bool:
    """Sends whoever was to get the report why there is none; False where that could not even be taken down.

    What is taken down is sent later if it cannot be now; else the next run that fails is the one that is told of.
    """
    if entry.mail is None:
        return True
    is_taken_down = False
    with _logged(entry), history.changing(entry.id, HAND_OUT_SECONDS) as current:
        telling = replace(current, mail=replace(entry.mail, tells_failure=True))
        history.write(telling)
        is_taken_down = True
        send_one(history, telling, settings)
    return is_taken_down


@contextmanager
def _logged(entry: Entry) -> Iterator[None]:
    """What does not work in the block is in the log: the others are run all the same."""
    try:
        yield
    except (Timeout, OSError, WorkbenchError) as error:
        log.warning("The schedule %s: the run %s could not be handed out: %s", entry.schedule, entry.id, english(error))


def _handed_out(history: History, entry: Entry, schedule: Schedule, moment: datetime, settings: Settings) -> None:
    """Puts what was made into the folder, and sends it; what does not work is taken down, and the report stays done."""
    with _logged(entry), history.changing(entry.id, HAND_OUT_SECONDS) as current:
        if schedule.folder is not None:
            day = f"{settings.clock.wall(moment):%Y-%m-%d}"
            current = replace(current, handed_out=_placed(history, current, schedule.folder, schedule.form, day))
            history.write(current)
        if current.mail is not None:
            send_one(history, current, settings)


def _placed(history: History, entry: Entry, folder: Path, form: Form, day: str) -> str:
    """Writes the file under a name that is free: what is there already stays. Returns what became of it."""
    try:
        content = made(history, entry, form)
        for number in range(1, 100):
            path = folder / f"{entry.report}-{day}{f'-{number}' if number > 1 else ''}.{form}"
            if write_new(path, content):
                return _("Written to {file}", file=path)
        raise ReportError(_("{folder} has a hundred reports of this day", folder=folder))
    except (OSError, WorkbenchError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        return _("Could not be written to {folder}: {why}", folder=folder, why=said)
