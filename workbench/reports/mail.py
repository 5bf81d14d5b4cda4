"""Reports by mail: what a message holds, sending it, and trying again."""

from __future__ import annotations

import logging
import smtplib
import ssl
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP

from filelock import Timeout

from workbench.config import Settings
from workbench.config.clock import StoreClock, utc_now
from workbench.errors import MailRefused, WorkbenchError
from workbench.files.chromium import printed
from workbench.reports.history import Entry, Form, History, Mail
from workbench.reports.texts import ended_text, values_text
from workbench.words import hidden

log = logging.getLogger(__name__)

SECONDS = 30.0  # that a server may take for an answer
AGAIN_MINUTES = (5, 30, 120, 360)  # after the first failure, the second ...; after the last one it is given up
TYPES: dict[Form, tuple[str, str]] = {
    "html": ("text", "html"),
    "ipynb": ("application", "x-ipynb+json"),
    "pdf": ("application", "pdf"),
}


def can_send(settings: Settings) -> bool:
    """Whether the settings say by whom mail is taken, and from whom it is."""
    return bool(settings.workbench_smtp_host and settings.workbench_smtp_from)


def made(history: History, entry: Entry, form: Form) -> bytes:
    """What a run made, as a file. Raises ReportGone, and FileRefused where a PDF needs Chromium."""
    if form == "pdf":
        return printed(history.content(entry, "html").decode())
    return history.content(entry, form)


def send_waiting(settings: Settings) -> None:
    """Sends each mail whose time has come; one that cannot be sent waits for its next time, and then is given up."""
    history = History.of(settings)
    for entry in history.with_mail_to_send():
        with suppress(Timeout, OSError, WorkbenchError), history.changing(entry.id) as current:
            if current.has_mail_to_send(utc_now()):
                send_one(history, current, settings)


def send_one(history: History, entry: Entry, settings: Settings) -> None:
    """Tries to send a run's mail, which nobody else does meanwhile, and takes down what became of it."""
    mail = entry.mail
    assert mail is not None
    mail = replace(mail, tries=mail.tries + 1, next_at=utc_now() + timedelta(minutes=AGAIN_MINUTES[0]))
    history.write(replace(entry, mail=mail))  # first: a process that dies while it sends has tried
    try:
        refused = _sent(message(entry, made(history, entry, mail.form), settings), mail.to, settings)
        ended = replace(mail, state="sent", said=f"Not to {refused}" if refused else "", next_at=None)
    except WorkbenchError as error:
        ended = _failed(mail.tries, str(error), mail)
        log.warning("The mail with %s of %s was not sent: %s", entry.report, entry.id, error)
    history.write(replace(entry, mail=ended))


def _failed(tries: int, said: str, mail: Mail) -> Mail:
    if tries > len(AGAIN_MINUTES):
        return replace(mail, state="failed", said=said, next_at=None)
    return replace(mail, said=said, next_at=utc_now() + timedelta(minutes=AGAIN_MINUTES[tries - 1]))


def message(entry: Entry, content: bytes, settings: Settings) -> EmailMessage:
    """The mail of a run, what it made attached. Its titles come from notebooks: what is no plain text is left out."""
    assert entry.mail is not None
    sender, clock = settings.workbench_smtp_from, settings.clock
    made = EmailMessage(policy=SMTP)
    made["Subject"] = " ".join("".join(" " if hidden(letter) else letter for letter in entry.title).split())[:150]
    made["From"], made["To"] = sender, ", ".join(entry.mail.to)
    made["Date"] = utc_now()
    made["Message-ID"] = f"<{entry.id}@{sender.rpartition('@')[2]}>"  # of each try the same
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(_text(entry, clock))
    kind, subkind = TYPES[entry.mail.form]
    name = f"{entry.report}-{clock.wall(entry.began_at):%Y-%m-%d}.{entry.mail.form}"
    made.add_attachment(content, maintype=kind, subtype=subkind, filename=name)
    return made


def _text(entry: Entry, clock: StoreClock) -> str:
    lines = [
        entry.title,
        values_text(entry.values),
        f"Run {clock.text(entry.began_at)} by {entry.by}. {ended_text(entry, clock)}.",
    ]
    lines.append(f"Sent by the schedule {entry.schedule} of the sales workbench.")
    return "\n".join(line for line in lines if line) + "\n"


def _sent(message: EmailMessage, to: tuple[str, ...], settings: Settings) -> str:
    """Hands the mail over; returns whom the server does not send it to. Raises MailRefused."""
    if not can_send(settings):
        raise MailRefused("WORKBENCH_SMTP_HOST and WORKBENCH_SMTP_FROM are not set.")
    place = f"{settings.workbench_smtp_host}:{settings.workbench_smtp_port}"
    try:
        with _server(settings) as server:
            refused = server.send_message(message, settings.workbench_smtp_from, to)
    except (OSError, ValueError) as error:
        raise MailRefused(f"{place} {_cause(error)}") from None
    return _refused(refused)


def _server(settings: Settings) -> smtplib.SMTP:
    """A connection, over TLS and logged in as the settings say. A server must show who it is before a login."""
    host, port, context = settings.workbench_smtp_host, settings.workbench_smtp_port, ssl.create_default_context()
    if settings.workbench_smtp_tls == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=SECONDS)
    try:
        if settings.workbench_smtp_tls == "starttls":
            server.starttls(context=context)
        if settings.workbench_smtp_user:
            server.login(settings.workbench_smtp_user, settings.workbench_smtp_password.get_secret_value())
    except BaseException:
        server.close()
        raise
    return server


def _cause(error: OSError | ValueError) -> str:
    """In words why a mail was not sent, without what was sent to log in."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"refuses the login of WORKBENCH_SMTP_USER ({error.smtp_code})."
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return f"refuses {_refused(error.recipients)}."
    if isinstance(error, smtplib.SMTPResponseException):
        return f"answers {_answer((error.smtp_code, error.smtp_error))}."
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "does not offer what WORKBENCH_SMTP_TLS or WORKBENCH_SMTP_USER needs."
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"does not show who it is: {error.verify_message}."
    if isinstance(error, TimeoutError):
        return f"did not answer within {SECONDS:g} s."
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be reached: {error.strerror}."
    return f"did not take the mail: {type(error).__name__}."


def _refused(answers: dict[str, tuple[int, bytes]]) -> str:
    return ", ".join(f"{address} ({_answer(answer)})" for address, answer in answers.items())


def _answer(answer: tuple[int, bytes | str]) -> str:
    code, text = answer
    words = text.decode(errors="replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(words.split())[:200]}"
