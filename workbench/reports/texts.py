"""A run in words, as the page and the command show it."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.config.clock import StoreClock
from workbench.reports.history import Entry
from workbench.reports.library import Value
from workbench.words import label

ENDS = {"running": "Running", "done": "Done", "failed": "Failed", "stopped": "Stopped", "interrupted": "Interrupted"}


def values_text(values: Mapping[str, Value]) -> str:
    """``Month 2026-10, Store 3``; what is left open is left out."""
    return ", ".join(f"{label(name)} {value}" for name, value in values.items() if value is not None)


def ended_text(entry: Entry, clock: StoreClock) -> str:
    """``Done in 3.2 s, data as of …``, ``Failed: …``, and since when what it made is gone."""
    text = ENDS[entry.state]
    if entry.state == "done":
        text += f" in {entry.seconds:.1f} s"
        text += f", {entry.engine} as of {clock.text(entry.as_of)}" if entry.as_of else ""
        text += f"; gone since {clock.text(entry.gone_at)}" if entry.gone_at else ""
    return f"{text}: {entry.said}" if entry.said else text


def sent_text(entry: Entry, clock: StoreClock) -> str:
    """``Sent to ann@example.com``, or what became of it instead; nothing without mail, or report."""
    mail = entry.mail
    if mail is None or (entry.is_over and entry.state != "done" and not mail.tells_failure):
        return ""
    to, taken = ", ".join(mail.to), ", ".join(mail.sent_to or mail.to)
    sent = "Told" if mail.tells_failure else "Sent to"
    if mail.state == "sent":
        return f"{sent} {taken}" + (f". {mail.said}" if mail.said else "")
    if mail.state == "failed":
        return f"Not sent to {to}, and given up after {_tries(mail.tries)}: {mail.said}"
    if not mail.tries:
        return f"To be sent to {to}"
    again = f" Tried again from {clock.text(mail.next_at)} on" if mail.next_at else ""
    sent_to = f"{sent} {taken}. " if mail.sent_to else ""
    return f"{sent_to}Not sent to {', '.join(mail.left)} yet: {mail.said}{again}"


def _tries(number: int) -> str:
    return f"{number} {'try' if number == 1 else 'tries'}"
