"""The history of runs: a small file for each in the data directory, beside what it made as long as that is kept.

Several processes write it, and no server has to be there for it. Whoever runs a report holds a lock meanwhile, which
the operating system takes back when that process dies: a run that says "running" and holds none was interrupted.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Literal
from uuid import uuid4

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from workbench.accounts.actor import Actor
from workbench.config import Settings
from workbench.config.clock import utc_now
from workbench.errors import DiskFull, ReportError, ReportGone
from workbench.locale import N_, _
from workbench.reports.library import Kind, Value
from workbench.servers.disk import FULL, full_in_words, unfinished, write_whole

log = logging.getLogger(__name__)

State = Literal["running", "done", "failed", "stopped", "interrupted"]
Kept = Literal["html", "ipynb"]
KEPT: tuple[Kept, ...] = ("html", "ipynb")  # a PDF is printed of the HTML when somebody wants it
FOLDER = "report-runs"  # of the data directory; not "reports", where people put notebooks of their own
MAIL_DAYS = 7  # what could not be sent until then is not news any more
ENTRY_DAYS = 400  # a line of the history outlives its files, and covers a year
NAME = re.compile(r"[0-9]{8}T[0-9]{12}-[0-9a-f]{12}")  # sorted by name is sorted by time
FAILED = N_("The report could not be run.")
INTERRUPTED = N_("The program that ran it ended before the report did.")
TIDIED, TIDY_SECONDS = ".tidied", 86_400.0  # the file whose time says when that was done last


Form = Literal["html", "ipynb", "pdf"]


@dataclass(frozen=True)
class Mail:
    """To whom what a run makes is sent, and what became of that; ``next_at`` is when it is tried again.

    ``sent_to`` and ``refused`` (with the server's answers) are done with: the others are tried again. A run that failed
    is told of when ``tells_failure`` says so.
    """

    to: tuple[str, ...]
    form: Form
    state: Literal["waiting", "sent", "failed"] = "waiting"
    tries: int = 0
    said: str = ""
    next_at: datetime | None = None
    sent_to: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    tells_failure: bool = False

    @property
    def left(self) -> tuple[str, ...]:
        """To whom it is still to be sent."""
        return tuple(address for address in self.to if address not in self.sent_to and address not in self.refused)


@dataclass(frozen=True)
class Entry:
    """One run: who began which report when, with what, and how it ended (``said`` is why there is no report).

    ``gone_at`` is when its files were removed. ``schedule`` is the one that ran it, if any, and ``handed_out`` what
    became of the file that its folder was to get. ``kinds`` say how the values of parameters are shown.
    """

    id: str
    report: str
    title: str
    values: Mapping[str, Value]
    by: str
    began_at: datetime
    state: State = "running"
    said: str = ""
    seconds: float = 0.0
    engine: str = ""
    as_of: datetime | None = None
    gone_at: datetime | None = None
    schedule: str = ""
    handed_out: str = ""
    mail: Mail | None = None
    kinds: Mapping[str, Kind] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state != "running"

    def has_mail_to_send(self, now: datetime) -> bool:
        """Whether it is time to send its mail, or to try so again."""
        mail = self.mail
        if mail is None or mail.state != "waiting" or not (self.state == "done" or mail.tells_failure):
            return False
        return mail.next_at is None or mail.next_at <= now

    def is_seen_by(self, actor: Actor) -> bool:
        """Each sees their own runs and those of schedules, an admin all."""
        return actor.may("admin") or bool(self.schedule) or self.by == actor.name


ENTRY, RUNS = TypeAdapter(Entry), TypeAdapter(list[Entry])


class Seen:
    """The entries of a folder as this process has read them: what is there is read again when it was changed.

    A file is replaced, never changed, so that the folder's own time says that something was. The clock of a disk goes
    in steps: what was changed a moment ago may be changed once more in the same step.
    """

    STEP_NS = 100_000_000

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folder_at, self._looked_at_ns = 0, 0
        self._files: dict[str, tuple[tuple[int, int, int], Entry | None]] = {}

    def entries(self, folder: Path) -> list[Entry]:
        """What can be read, newest first."""
        with self._lock:
            try:
                self._look(folder)
            except OSError:  # there is no history yet, or we may not look
                self._files, self._folder_at = {}, 0
            return [entry for _id, (_seen, entry) in sorted(self._files.items(), reverse=True) if entry is not None]

    def _look(self, folder: Path) -> None:
        folder_at, now = folder.stat().st_mtime_ns, time.time_ns()
        if folder_at == self._folder_at and folder_at < self._looked_at_ns - self.STEP_NS:
            return
        found = {}
        with os.scandir(folder) as files:
            for file in files:
                run_id, ending, _ = file.name.partition(".json")
                if ending and file.name == f"{run_id}.json" and NAME.fullmatch(run_id):
                    found[run_id] = self._read(run_id, file)
        self._files, self._folder_at, self._looked_at_ns = found, folder_at, now

    def _read(self, run_id: str, file: os.DirEntry[str]) -> tuple[tuple[int, int, int], Entry | None]:
        try:
            stat = file.stat()
        except OSError:  # gone meanwhile
            return (0, 0, 0), None
        state = stat.st_mtime_ns, stat.st_size, stat.st_ino
        known = self._files.get(run_id)
        is_old = stat.st_mtime_ns < self._looked_at_ns - self.STEP_NS
        return known if known is not None and known[0] == state and is_old else (state, read_entry(Path(file.path)))


@cache
def seen() -> defaultdict[Path, Seen]:
    """What this process has read, by folder."""
    return defaultdict(Seen)


def read_entry(path: Path) -> Entry | None:
    """None for what is gone meanwhile, or what is none of ours."""
    try:
        return ENTRY.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        log.debug("%s is no run: %s", path.stem, type(error).__name__)
        return None


class History:
    """The runs of one data directory, whoever runs them; files are kept for ``keep_days``."""

    def __init__(self, folder: Path, keep_days: int) -> None:
        self.folder, self._keep = folder, timedelta(days=keep_days)
        self._entry_keep = max(self._keep, timedelta(days=ENTRY_DAYS))

    @classmethod
    def of(cls, settings: Settings) -> History:
        """That of the data directory."""
        return cls(settings.workbench_data_dir.expanduser() / FOLDER, settings.workbench_reports_keep_days)

    def begin(
        self,
        report: str,
        title: str,
        values: Mapping[str, Value],
        by: str,
        schedule: str = "",
        mail: Mail | None = None,
        kinds: Mapping[str, Kind] | None = None,
    ) -> Recording:
        """Takes down that a run begins. Raises ReportError where that cannot be written."""
        now = utc_now()
        run_id = f"{now:%Y%m%dT%H%M%S%f}-{uuid4().hex[:12]}"
        entry = Entry(run_id, report, title, values, by, now, schedule=schedule, mail=mail, kinds=kinds or {})
        try:
            with full_in_words(self.folder):
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                lock = self._lock(entry.id)
                lock.acquire()
                self.write(entry)
        except OSError as error:
            raise ReportError(
                _(
                    "The history of runs cannot be kept in {folder}: {why}. WORKBENCH_DATA_DIR says where.",
                    folder=self.folder,
                    why=error.strerror,
                )
            ) from None
        return Recording(self, entry, lock)

    def entries(self, actor: Actor, most: int = 1_000) -> list[Entry]:
        """The newest runs that this one may see, newest first."""
        found: list[Entry] = []
        for entry in self._all():
            if len(found) == most:
                break
            if entry.is_seen_by(actor):
                found.append(self._looked_at(entry))
        return found

    def with_mail_to_send(self) -> list[Entry]:
        """The runs whose mail is to be sent by now, or to be given up."""
        now = utc_now()
        return [entry for entry in self._all() if entry.has_mail_to_send(now)]

    @contextmanager
    def changing(self, run_id: str, seconds: float = 0.0) -> Iterator[Entry]:
        """A run as it is now, which nobody else changes in the block.

        Raises Timeout when somebody does for longer than that.
        """
        with self.held(run_id, seconds):
            entry = self._read(run_id)
            if entry is None:
                raise ReportGone(_("The run is not in the history any more."))
            yield entry

    def find(self, run_id: str, actor: Actor) -> Entry | None:
        """The run of this id; None when there is none, or not for this one."""
        entry = self.find_any(run_id)
        return entry if entry is not None and entry.is_seen_by(actor) else None

    def find_any(self, run_id: str) -> Entry | None:
        """The run of this id, whoever sees it; None when there is none."""
        entry = self._read(run_id) if NAME.fullmatch(run_id) else None
        return None if entry is None else self._looked_at(entry)

    def content(self, entry: Entry, kind: Kept) -> bytes:
        """What the run made. Raises ReportGone when that is not kept any more."""
        try:
            return self.path(entry.id, kind).read_bytes()
        except OSError:
            raise ReportGone(
                _("What {report} made is not kept any more. Run it again.", report=_(entry.title))
            ) from None

    def tidy_once_a_day(self) -> None:
        """Tidies, unless that was done within a day, by whichever process."""
        done = self.folder / TIDIED
        with suppress(OSError):
            if not done.exists() or time.time() - done.stat().st_mtime >= TIDY_SECONDS:
                done.touch(mode=0o600)
                self.tidy()

    def tidy(self) -> None:
        """Removes files and runs whose time is over: those alone that a run of ours has written under its own name."""
        now, entries = utc_now(), self._all()
        for entry in entries:
            if now - entry.began_at < (self._entry_keep if entry.gone_at else self._keep):
                continue
            with suppress(Timeout, OSError), self.held(entry.id):
                self._tidy_one(self._looked_at(entry, is_held=True), now)
        self._tidy_leftovers({entry.id for entry in entries if not entry.is_over})

    def _tidy_leftovers(self, running: set[str]) -> None:
        """Removes what processes that died have left: half a file, and locks that nobody holds."""
        for path in unfinished(self.folder):
            if NAME.fullmatch(path.name[1:].partition(".")[0]):
                path.unlink(missing_ok=True)
        for lock in self.folder.glob("*.lock"):
            if NAME.fullmatch(lock.stem) and lock.stem not in running:
                with suppress(Timeout, OSError), self.held(lock.stem):
                    pass  # which removes it

    def _tidy_one(self, entry: Entry, now: datetime) -> None:
        for kind in KEPT:
            self.path(entry.id, kind).unlink(missing_ok=True)
        if now - entry.began_at >= self._entry_keep:
            self.path(entry.id, "json").unlink()
        elif entry.gone_at is None and entry.state == "done":
            self.write(replace(entry, gone_at=now))

    def write(self, entry: Entry) -> None:
        """Puts an entry in the place of the one that was there, at once. Raises OSError."""
        write_whole(self.path(entry.id, "json"), ENTRY.dump_json(entry, indent=1))

    def path(self, run_id: str, kind: str) -> Path:
        """The file of a run that ends so."""
        return self.folder / f"{run_id}.{kind}"

    def _lock(self, run_id: str) -> FileLock:
        return FileLock(self.path(run_id, "lock"), timeout=0, mode=0o600, thread_local=False)

    @contextmanager
    def held(self, run_id: str, seconds: float = 0.0) -> Iterator[None]:
        """The run is nobody else's in the block. Raises Timeout when it is for longer than that."""
        with self._lock(run_id).acquire(timeout=seconds):
            try:
                yield
            finally:
                self.path(run_id, "lock").unlink(missing_ok=True)

    def _looked_at(self, entry: Entry, *, is_held: bool = False) -> Entry:
        """The same, and whether its process is still there where it says that it runs."""
        if entry.is_over:
            return entry
        if not is_held:
            try:
                with self.held(entry.id):
                    return self._looked_at(entry, is_held=True)
            except (Timeout, OSError):  # it runs, or we may not look
                return entry
        now = self._read(entry.id) or entry  # it may have ended meanwhile
        if now.is_over:
            return now
        ended = replace(now, state="interrupted", said=INTERRUPTED)
        with suppress(OSError):
            self.write(ended)
        return ended

    def _all(self) -> list[Entry]:
        """Newest first, as they are written down."""
        return seen()[self.folder].entries(self.folder)

    def _read(self, run_id: str) -> Entry | None:
        """None for what is gone meanwhile, or what is none of ours."""
        return read_entry(self.path(run_id, "json"))


@dataclass
class Recording:
    """A run that goes on: its entry is written once more when it ends, and its lock let go."""

    history: History
    entry: Entry
    lock: FileLock = field(repr=False)

    def end(self, state: State, said: str = "", seconds: float = 0.0) -> None:
        """Takes down how it ended without a report."""
        self._end(replace(self.entry, state=state, said=said, seconds=seconds))

    def done(self, files: Mapping[Kept, bytes], seconds: float, engine: str, as_of: datetime | None) -> None:
        """Keeps what it made. Raises DiskFull and ReportError when that cannot be; the history says so then."""
        try:
            with full_in_words(self.history.folder):
                for kind, content in files.items():
                    write_whole(self.history.path(self.entry.id, kind), content)
        except (OSError, DiskFull) as error:
            for kind in files:  # half of it is of no use, and how it ended takes room as well
                self.history.path(self.entry.id, kind).unlink(missing_ok=True)
            if isinstance(error, DiskFull):
                raise
            raise ReportError(
                _("The report cannot be kept in {folder}: {why}.", folder=self.history.folder, why=error.strerror)
            ) from None
        self._end(replace(self.entry, state="done", seconds=seconds, engine=engine, as_of=as_of))

    def _end(self, entry: Entry) -> None:
        self.entry = entry
        try:
            self._write_end(entry)
        except OSError as error:
            log.warning("How the run %s ended could not be written: %s", entry.id, error.strerror)
        finally:
            self.history.path(entry.id, "lock").unlink(missing_ok=True)
            self.lock.release()

    def _write_end(self, entry: Entry) -> None:
        """Replaces the file, or, on a full disk, changes it where it is: it has a block of the disk already."""
        try:
            self.history.write(entry)
        except OSError as error:
            if error.errno not in FULL:
                raise
            with self.history.path(entry.id, "json").open("r+b") as file:
                file.write(ENTRY.dump_json(entry))
                file.truncate()
            os.utime(self.history.folder)  # which says to who reads that something changed
