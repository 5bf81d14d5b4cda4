"""Reports by mail: what a message holds, sending it, and trying again."""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP

from filelock import Timeout

from workbench.config import Settings
from workbench.config.clock import StoreClock, utc_now
from workbench.errors import MailRefused, WorkbenchError
from workbench.files.chromium import printed
from workbench.locale import N_, _, english
from workbench.reports.history import MAIL_DAYS, Entry, Form, History, Mail
from workbench.reports.texts import ended_text, values_text
from workbench.words import hidden

FAILURE = N_("""There is no report: {title} failed.
{values}

{ended}
Run {moment} by {who}, for the schedule {schedule} of the sales workbench.

What to do: mend what is said above, then run the report on the page Reports, or by: workbench report {report}
The schedule runs it again at its next time. You are told of the first failure alone, until it works again.
To be told no more, have the schedule removed: workbench report --unschedule {schedule}
""")
Answers = Mapping[str, tuple[int, bytes]]

log = logging.getLogger(__name__)

SECONDS = 30.0  # that a server may take for an answer
AGAIN_MINUTES = (5, 30, 120, 360)  # after the first failure, the second ...; after the last one it is given up
REFUSED_FOR_EVER = 500  # an answer below it means: not now
NOT_ASKED = (450, b"the server ended the connection before")
TOO_LATE = N_("It was to be sent within {n} days, and nothing that sends mail ran, or it did not get there.")
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
    if utc_now() - entry.began_at > timedelta(days=MAIL_DAYS):
        _write(history, entry, _ended(mail, f"{mail.said} {_(TOO_LATE, n=MAIL_DAYS)}".strip()))
        return
    mail = replace(mail, tries=mail.tries + 1, next_at=utc_now() + timedelta(minutes=AGAIN_MINUTES[0]))
    _write(history, entry, mail)  # first: a process that dies while it sends has tried
    try:
        content = made(history, entry, mail.form) if entry.state == "done" else b""
        answers = _sent(message(entry, content, settings), mail.left, settings)
    except WorkbenchError as error:
        said = str(error)
        log.warning("The mail with %s of %s was not sent: %s", entry.report, entry.id, english(error))
    else:
        mail, said = _answered(mail, answers)
    is_over = mail.tries > len(AGAIN_MINUTES) or not mail.left
    _write(history, entry, _ended(mail, said) if is_over else _put_off(mail, said))


def _write(history: History, entry: Entry, mail: Mail) -> None:
    history.write(replace(entry, mail=mail))


def _answered(mail: Mail, answers: Answers) -> tuple[Mail, str]:
    """Whom the server took it for, and whom it never will; what it says of those whom it puts off."""
    said = {address: _answer(answer) for address, answer in answers.items()}
    refused = {address: said[address] for address, (code, _text) in answers.items() if code >= REFUSED_FOR_EVER}
    sent_to = tuple(address for address in mail.left if address not in answers)
    answered = replace(mail, sent_to=mail.sent_to + sent_to, refused={**mail.refused, **refused})
    return answered, _listed({address: said[address] for address in answered.left})


def _ended(mail: Mail, said: str) -> Mail:
    """Sent, if anybody was sent it; else given up."""
    nobody = ". ".join(filter(None, (_listed(mail.refused), said)))
    if not mail.sent_to:
        return replace(mail, state="failed", said=nobody, next_at=None)
    return replace(mail, state="sent", said=_("Not to {names}", names=nobody) if nobody else "", next_at=None)


def _put_off(mail: Mail, said: str) -> Mail:
    return replace(mail, said=said, next_at=utc_now() + timedelta(minutes=AGAIN_MINUTES[mail.tries - 1]))


def message(entry: Entry, content: bytes, settings: Settings) -> EmailMessage:
    """The mail of a run, what it made attached; of one that failed, that it did.

    Its titles come from notebooks: what is no plain text is left out. Raises MailRefused for what mail cannot carry.
    """
    try:
        return _message(entry, content, settings)
    except (ValueError, MessageError) as error:
        raise MailRefused(
            _(
                "It cannot be written for {sender} to {to}: {why}. Mend WORKBENCH_SMTP_FROM, or make the schedule anew"
                " with other addresses.",
                sender=settings.workbench_smtp_from or _("no sender"),
                to=", ".join(entry.mail.to) if entry.mail else _("nobody"),
                why=error,
            )
        ) from None


def _message(entry: Entry, content: bytes, settings: Settings) -> EmailMessage:
    assert entry.mail is not None
    sender, clock = settings.workbench_smtp_from, settings.clock
    made = EmailMessage(policy=SMTP)
    title = " ".join("".join(" " if hidden(letter) else letter for letter in _(entry.title)).split())
    made["Subject"] = (title if entry.state == "done" else _("Failed: {report}", report=title))[:150]
    made["From"], made["To"] = sender, ", ".join(entry.mail.to)
    made["Date"] = utc_now()
    made["Message-ID"] = f"<{entry.id}@{sender.rpartition('@')[2]}>"  # of each try the same
    made["Auto-Submitted"] = "auto-generated"
    if entry.state != "done":
        made.set_content(_failure_text(entry, clock))
        return made
    made.set_content(_text(entry, clock))
    kind, subkind = TYPES[entry.mail.form]
    name = f"{entry.report}-{clock.wall(entry.began_at):%Y-%m-%d}.{entry.mail.form}"
    params = {"charset": "utf-8"} if kind == "text" else {}
    made.add_attachment(content, maintype=kind, subtype=subkind, filename=name, params=params)
    return made


def _text(entry: Entry, clock: StoreClock) -> str:
    ran = {"moment": clock.text(entry.began_at), "who": entry.by, "ended": ended_text(entry, clock)}
    lines = [
        _(entry.title),
        values_text(entry.values, entry.kinds),
        _("Run {moment} by {who}. {ended}.", **ran),
        _("Sent by the schedule {name} of the sales workbench.", name=entry.schedule),
    ]
    return "\n".join(line for line in lines if line) + "\n"


def _failure_text(entry: Entry, clock: StoreClock) -> str:
    """What failed, why, and what to do."""
    return _(
        FAILURE,
        title=_(entry.title),
        values=values_text(entry.values, entry.kinds),
        ended=ended_text(entry, clock),
        moment=clock.text(entry.began_at),
        who=entry.by,
        schedule=entry.schedule,
        report=entry.report,
    )


def _sent(message: EmailMessage, to: tuple[str, ...], settings: Settings) -> Answers:
    """Hands the mail over; returns whom the server does not send it to, and its answers. Raises MailRefused."""
    if not can_send(settings):
        raise MailRefused(_("WORKBENCH_SMTP_HOST and WORKBENCH_SMTP_FROM are not set."))
    place = f"{settings.workbench_smtp_host}:{settings.workbench_smtp_port}"
    try:
        server = _server(settings)
        try:
            return server.send_message(message, settings.workbench_smtp_from, to)
        finally:
            _say_goodbye(server)
    except smtplib.SMTPRecipientsRefused as error:
        return {address: error.recipients.get(address, NOT_ASKED) for address in to}
    except (OSError, ValueError, MessageError) as error:
        raise MailRefused(_cause(error, place)) from None


def _say_goodbye(server: smtplib.SMTP) -> None:
    """Ends the connection: whatever is answered now, a mail that was taken is taken."""
    with suppress(OSError, ValueError):
        server.quit()
    server.close()


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


def _cause(error: OSError | ValueError | MessageError, server: str) -> str:
    """In words why a mail was not sent, without what was sent to log in."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return _("{server} refuses the login of WORKBENCH_SMTP_USER ({code}).", server=server, code=error.smtp_code)
    if isinstance(error, smtplib.SMTPResponseException):
        answer = _answer((error.smtp_code, error.smtp_error))
        return _("{server} answers {answer}.", server=server, answer=answer)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return _("{server} does not offer what WORKBENCH_SMTP_TLS or WORKBENCH_SMTP_USER needs.", server=server)
    if isinstance(error, ssl.SSLCertVerificationError):
        return _("{server} does not show who it is: {why}.", server=server, why=error.verify_message)
    if isinstance(error, TimeoutError):
        return _("{server} did not answer within {n} s.", server=server, n=f"{SECONDS:g}")
    if isinstance(error, OSError) and error.strerror:
        return _("{server} cannot be reached: {why}.", server=server, why=error.strerror)
    return _("{server} did not take the mail: {why}.", server=server, why=type(error).__name__)


def _listed(answers: Mapping[str, str]) -> str:
    return ", ".join(f"{address} ({answer})" for address, answer in answers.items())


def _answer(answer: tuple[int, bytes | str]) -> str:
    code, text = answer
    words = text.decode(errors="replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(words.split())[:200]}"
