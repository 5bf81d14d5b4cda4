"""A run in words, as the page and the command show it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, time

from workbench import locale
from workbench.config.clock import StoreClock
from workbench.database.failures import called
from workbench.locale import N_, _, ngettext
from workbench.metrics import METRICS
from workbench.reports.every import EVERY
from workbench.reports.history import Entry
from workbench.reports.library import Kind, Value, shown_period
from workbench.words import heading

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
