"""When a schedule is due, as it is written and in words; and a run in words, as the page and the command show it."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from workbench import locale
from workbench.config.clock import StoreClock
from workbench.database.failures import called
from workbench.errors import ScheduleRefused
from workbench.locale import N_, _, ngettext
from workbench.metrics import METRICS
from workbench.reports.history import Entry
from workbench.reports.library import Kind, Value, shown_period
from workbench.words import heading

WEEKDAYS = tuple(name.lower() for name in calendar.day_name)
ALLOWED = "give day-07:00, monday-07:00 (any weekday) or month-1-07:00 (the day of the month, 1 to 31)"
EVERY = {
    "day": N_("Every day"),
    "monday": N_("Every Monday"),
    "tuesday": N_("Every Tuesday"),
    "wednesday": N_("Every Wednesday"),
    "thursday": N_("Every Thursday"),
    "friday": N_("Every Friday"),
    "saturday": N_("Every Saturday"),
    "sunday": N_("Every Sunday"),
}
DAYS = 62  # two months: the most between two moments


@dataclass(frozen=True)
class Every:
    """A time of the days that ``is_on`` says.

    Each such day has one moment: a time that the clock skips is as long after midnight as it would have been, and of
    one that it shows twice the first counts. In a shorter month the 31st is the last day.
    """

    text: str
    at: time
    is_on: Callable[[date], bool]

    def last(self, now: datetime, clock: StoreClock) -> datetime | None:
        """The newest moment not after ``now``, in UTC."""
        today = clock.wall(now).date()
        moments = (self._moment(today - timedelta(days=n), clock) for n in range(DAYS + 1))
        return next((moment for moment in moments if moment is not None and moment <= now), None)

    def next(self, now: datetime, clock: StoreClock) -> datetime | None:
        """The first moment after ``now``, in UTC."""
        today = clock.wall(now).date()
        moments = (self._moment(today + timedelta(days=n), clock) for n in range(DAYS + 1))
        return next((moment for moment in moments if moment is not None and moment > now), None)

    def _moment(self, day: date, clock: StoreClock) -> datetime | None:
        if not self.is_on(day):
            return None
        return datetime.combine(day, self.at, tzinfo=clock.zone).astimezone(UTC)


def read_every(text: str) -> Every:
    """What ``text`` says. Raises ScheduleRefused."""
    found = re.fullmatch(
        r"(?:(day)|([a-z]+day)|month-([0-9]{1,2}))-([0-9]{2}):([0-9]{2})", text.strip().lower(), re.ASCII
    )
    number = int(found[3] or 1) if found else 0
    is_known = found is not None and (found[2] is None or found[2] in WEEKDAYS)
    if found is None or not is_known or not 1 <= number <= 31 or int(found[4]) > 23 or int(found[5]) > 59:
        raise ScheduleRefused(f"--every {text[:60]!r} cannot be used: {ALLOWED}.")
    return Every(found[0], time(int(found[4]), int(found[5])), _days(found[2], number if found[3] else 0))


def _days(weekday: str | None, number: int) -> Callable[[date], bool]:
    if weekday is not None:
        return lambda day: day.weekday() == WEEKDAYS.index(weekday)
    if number:
        return lambda day: day.day == min(number, calendar.monthrange(day.year, day.month)[1])
    return lambda day: True


NO_KINDS: Mapping[str, Kind] = {}
ENDS = {
    "running": N_("Running"),
    "done": N_("Done"),
    "failed": N_("Failed"),
    "stopped": N_("Stopped"),
    "interrupted": N_("Interrupted"),
}


def values_text(values: Mapping[str, Value], kinds: Mapping[str, Kind] = NO_KINDS) -> str:
    """``Month 2026-10, Store 3``; what is left open is left out.

    Without ``kinds`` each value is as the command takes it.
    """
    given = {name: value for name, value in values.items() if value is not None}
    return ", ".join(f"{heading(name)} {shown(value, kinds.get(name))}" for name, value in given.items())


def shown(value: Value, kind: Kind | None) -> str:
    """A parameter's value as people read it: a day or a month as it is written here, a chosen metric by its label."""
    if value is None:
        return _("all")
    text = str(value)
    if kind == "choice" and text in METRICS:
        return METRICS[text].label
    if kind == "month":
        return shown_month(text)
    return shown_day(text) if kind == "date" else text


def shown_day(text: str) -> str:
    """An ISO day as it is written here, a period's name in the language; any other text as it is."""
    try:
        return locale.day(date.fromisoformat(text)) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else shown_period(text)
    except ValueError:
        return text


def shown_month(text: str) -> str:
    """The same of a month, by its name where a locale is set."""
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        return shown_period(text)
    is_plain = locale.conventions().is_neutral
    return text if is_plain else locale.named_month(date.fromisoformat(f"{text}-01"), is_whole=True)


def every_text(text: str) -> str:
    """``Every Monday at 07:00`` for ``monday-07:00``."""
    day, _dash, at = text.rpartition("-")
    when = locale.clock_time(time.fromisoformat(at))
    if (number := day.removeprefix("month-")) != day:
        return _("On day {n} of every month at {time}", n=number, time=when)
    return _("{every} at {time}", every=_(EVERY[day]), time=when)


def ended_text(entry: Entry, clock: StoreClock) -> str:
    """``Done in 3.2 s, data as of …``, ``Failed: …``, and since when what it made is gone."""
    text = _(ENDS[entry.state])
    if entry.state == "done":
        text = _("Done in {n} s", n=locale.number(entry.seconds, 1))
        if entry.as_of:
            source = _("{engine} as of {moment}", engine=engines_text(entry.engine), moment=clock.text(entry.as_of))
            text = f"{text}, {source}"
        if entry.gone_at:
            text = _("{text}; gone since {moment}", text=text, moment=clock.text(entry.gone_at))
    return f"{text}: {_(entry.said)}" if entry.said else text


def engines_text(names: str) -> str:
    """Who answered, of several with *and* between them, as people call them."""
    return _(" and ").join(map(called, names.split(" and ")))


def sent_text(entry: Entry, clock: StoreClock) -> str:
    """``Sent to ann@example.com``, or what became of it instead; nothing without mail, or report."""
    mail = entry.mail
    if mail is None or (entry.is_over and entry.state != "done" and not mail.tells_failure):
        return ""
    to, taken = ", ".join(mail.to), ", ".join(mail.sent_to or mail.to)
    sent = (_("Told {to}") if mail.tells_failure else _("Sent to {to}")).format(to=taken)
    if mail.state == "sent":
        return f"{sent}. {mail.said}" if mail.said else sent
    if mail.state == "failed":
        return ngettext(
            "Not sent to {to}, and given up after {n} try: {why}",
            "Not sent to {to}, and given up after {n} tries: {why}",
            mail.tries,
            n=mail.tries,
            to=to,
            why=mail.said,
        )
    if not mail.tries:
        return _("To be sent to {to}", to=to)
    again = _("Tried again from {moment} on", moment=clock.text(mail.next_at)) if mail.next_at else ""
    not_yet = _("Not sent to {to} yet: {why}", to=", ".join(mail.left), why=mail.said)
    return " ".join(filter(None, (f"{sent}." if mail.sent_to else "", not_yet, again)))
