"""Reports of schedules by mail: sent once, tried again, given up, and told of when they fail."""

from __future__ import annotations

import errno
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.conftest import free_ports
from tests.integration.test_report_schedules import due, missed, own, report
from workbench import locale
from workbench.config import Settings
from workbench.config.clock import utc_now
from workbench.reports.history import Entry, History, Mail
from workbench.reports.mail import AGAIN_MINUTES, message, send_waiting
from workbench.reports.texts import sent_text

__all__ = ["own"]  # a fixture


class Postbox:
    """What a server has taken; it refuses these addresses, puts off those, and all of it while ``is_full``."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.refuses: set[str] = set()
        self.puts_off: set[str] = set()
        self.goodbye = "221 Bye"
        self.is_full = False
        self.logins: list[bytes] = []

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if address in self.refuses:
            return "550 no such <b>person</b>"
        if address in self.puts_off:
            return "450 not now"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.is_full:
            return "452 full"
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append((envelope.rcpt_tos, mail))
        return "250 OK"

    async def handle_QUIT(self, _server: Any, _session: Any, _envelope: Any) -> str:
        return self.goodbye


@contextmanager
def posted(postbox: Postbox, **options: Any) -> Iterator[dict[str, Any]]:
    """The settings of a server of mail."""
    server = Controller(postbox, hostname="127.0.0.1", port=free_ports(1)[0], **options)
    server.start()
    try:
        yield {
            "workbench_smtp_host": "127.0.0.1",
            "workbench_smtp_port": server.port,
            "workbench_smtp_from": "reports@shop.example.com",
            "workbench_smtp_tls": "none",
        }
    finally:
        server.stop()


TO = ("ann@example.com", "bob@example.com")


def test_a_report_is_sent_once_with_what_was_made(own: Settings) -> None:
    postbox = Postbox()
    postbox.refuses = {"bob@example.com"}
    with posted(postbox) as mail:
        settings = own.model_copy(update=mail)
        missed(settings, to=TO)
        (entry,) = due(settings)
        send_waiting(settings)
    assert entry.mail is not None
    assert (entry.state, entry.mail.state) == ("done", "sent")
    assert entry.mail.said == "Not to bob@example.com (550 no such <b>person</b>)"
    ((to, sent),) = postbox.mails
    assert to == ["ann@example.com"]
    assert (sent["Subject"], sent["From"]) == ("Mine and yours", "reports@shop.example.com")
    assert entry.id in sent["Message-ID"]
    (attached,) = sent.iter_attachments()
    day = f"{own.clock.today() - timedelta(days=1)}"
    assert attached.get_filename() == f"mine-{own.clock.today()}.html"
    assert day in attached.get_content() and f"Day {day}" in sent.get_body().get_content()  # type: ignore[union-attr]


TABLE = """import pandas as pd; from decimal import Decimal
from workbench.config import load_settings; from workbench.locale import use_locale
from workbench.reports import table
use_locale(load_settings().workbench_locale)  # as connect() does
table(pd.DataFrame({"store": ["North"], "revenue": [Decimal("1234.50")]}))"""


@pytest.fixture
def in_german(own: Settings) -> Iterator[Settings]:
    """The same in German."""
    locale.use_locale("de_DE")
    yield own.model_copy(update={"workbench_locale": "de_DE"})
    locale.use_locale("")


def test_a_mail_and_what_it_brings_read_as_in_their_place(in_german: Settings, tmp_path: Path) -> None:
    report(tmp_path / "own", TABLE)
    postbox = Postbox()
    with posted(postbox) as mail:
        settings = in_german.model_copy(update=mail)
        missed(settings, to=TO[:1])
        (entry,) = due(settings)
        send_waiting(settings)
    ((_to, sent),) = postbox.mails
    text, (attached,) = sent.get_body().get_content(), sent.iter_attachments()  # type: ignore[union-attr]
    yesterday = in_german.clock.today() - timedelta(days=1)
    assert f"{yesterday:%d.%m.%Y}" in text and f"Ausgeführt am {in_german.clock.text(entry.began_at)} von ann." in text
    assert f"{in_german.clock.today():%d.%m.%Y}" in text and str(yesterday) not in text
    assert attached.get_content_charset() == "utf-8"
    assert "Mine" in attached.get_content() and "1.234,50" in attached.get_content()


def later(history: History, entry: Entry) -> None:
    """Lets the time come to try again."""
    current = history.find_any(entry.id)
    assert current is not None and current.mail is not None
    history.write(replace(current, mail=replace(current.mail, next_at=utc_now())))


def test_mail_that_fails_leaves_the_report_done_is_tried_again_and_given_up(own: Settings) -> None:
    postbox = Postbox()
    postbox.is_full = True
    with posted(postbox) as mail:
        settings = own.model_copy(update=mail)
        history = History.of(settings)
        missed(settings, to=TO)
        (first,) = due(settings)
        assert first.state == "done" and first.mail is not None
        assert (first.mail.state, first.mail.tries) == ("waiting", 1) and "answers 452 full" in first.mail.said
        send_waiting(settings)  # its time has not come
        assert history.find_any(first.id) == first
        postbox.is_full = False
        later(history, first)
        send_waiting(settings)
        assert len(postbox.mails) == 1
        postbox.is_full = True
        missed(settings, to=TO)
        (second,) = due(settings)
        for _ in range(len(AGAIN_MINUTES) + 3):
            later(history, second)
            send_waiting(settings)
    given_up = history.find_any(second.id)
    assert given_up is not None and given_up.mail is not None
    assert (given_up.mail.state, given_up.mail.tries) == ("failed", len(AGAIN_MINUTES) + 1)


def test_of_several_only_who_was_put_off_is_tried_again(own: Settings) -> None:
    postbox = Postbox()
    postbox.puts_off, postbox.refuses = {"bob@example.com"}, {"eve@example.com"}
    with posted(postbox) as mail:
        settings = own.model_copy(update=mail)
        missed(settings, to=(*TO, "eve@example.com"))
        (entry,) = due(settings)
        assert entry.mail is not None
        assert (entry.mail.state, entry.mail.left) == ("waiting", ("bob@example.com",))
        assert sent_text(entry, own.clock).startswith(
            "Sent to ann@example.com. Not sent to bob@example.com yet: bob@example.com (450 not now) Tried again from"
        )
        postbox.puts_off = set()
        later(History.of(settings), entry)
        send_waiting(settings)
    assert [to for to, _ in postbox.mails] == [["ann@example.com"], ["bob@example.com"]]
    ended = History.of(settings).find_any(entry.id)
    assert ended is not None
    assert sent_text(ended, own.clock) == (
        "Sent to ann@example.com, bob@example.com. Not to eve@example.com (550 no such <b>person</b>)"
    )


def test_mail_that_a_server_took_is_sent_whatever_it_answers_then(own: Settings) -> None:
    postbox = Postbox()
    postbox.goodbye = "451 never mind"
    with posted(postbox) as mail:
        settings = own.model_copy(update=mail)
        missed(settings, to=TO)
        (entry,) = due(settings)
    assert entry.mail is not None
    assert (entry.mail.state, entry.mail.said, len(postbox.mails)) == ("sent", "", 1)


def test_mail_that_nothing_sent_for_a_week_is_given_up(own: Settings) -> None:
    settings = own.model_copy(update={"workbench_smtp_host": "127.0.0.1", "workbench_smtp_from": "a@example.com"})
    history = History.of(settings)
    recording = history.begin("mine", "Mine", {}, "ann", "mine-1", Mail(TO, "html"))
    recording.done({"html": b"1"}, 1, "", None)
    history.write(replace(recording.entry, began_at=utc_now() - timedelta(days=7, minutes=1)))
    send_waiting(settings)
    ended = history.find_any(recording.entry.id)
    assert ended is not None
    assert sent_text(ended, own.clock) == (
        "Not sent to ann@example.com, bob@example.com, and given up after 0 tries: It was to be sent within 7 days, and"
        " nothing that sends mail ran, or it did not get there."
    )


def test_what_no_mail_can_carry_is_said_and_does_not_stop_the_others(own: Settings) -> None:
    postbox = Postbox()
    with posted(postbox) as mail:
        settings = own.model_copy(update=mail)
        history = History.of(settings)
        for to in (("ann@example.com",), ("ann@example.com\r\nBcc: eve@example.com",)):  # the newest is sent first
            recording = history.begin("mine", "Mine", {}, "ann", "mine-1", Mail(to, "html"))
            recording.done({"html": b"1"}, 1, "", None)
        send_waiting(settings)
    assert len(postbox.mails) == 1
    ended = history.find_any(recording.entry.id)
    assert ended is not None and ended.mail is not None
    assert "It cannot be written for reports@shop.example.com" in ended.mail.said
    assert "make the schedule anew with other addresses" in ended.mail.said


def test_who_was_to_get_a_report_is_told_once_that_it_fails(own: Settings, tmp_path: Path) -> None:
    postbox = Postbox()
    with posted(postbox) as mail:
        settings = own.model_copy(update=mail)
        report(tmp_path / "own", "1 / 0")
        schedules, made = missed(settings, to=TO)

        def come_due() -> Entry:
            schedules._write(replace(schedules.all()[0], done_until=utc_now() - timedelta(days=3)))
            (entry,) = due(settings)
            return entry

        first, second = come_due(), come_due()
        send_waiting(settings)
        assert sent_text(first, own.clock) == "Told ann@example.com, bob@example.com"
        assert (second.state, sent_text(second, own.clock)) == ("failed", "")
        ((to, told),) = postbox.mails
        assert (to, told["Subject"], list(told.iter_attachments())) == (list(TO), "Failed: Mine and yours", [])
        said = told.get_content()
        assert "ZeroDivisionError" in said and "workbench report mine" in said and made.name in said
        report(tmp_path / "own")
        come_due()
        report(tmp_path / "own", "1 / 0")
        come_due()
    assert [mail["Subject"] for _, mail in postbox.mails[1:]] == ["Mine and yours", "Failed: Mine and yours"]


def test_a_failure_that_could_not_be_told_is_told_of_the_next_time(
    own: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    postbox = Postbox()
    with posted(postbox) as mail:
        settings = own.model_copy(update=mail)
        report(tmp_path / "own", "1 / 0")
        schedules, _ = missed(settings, to=TO)
        real = History.write

        def no_space(history: History, entry: Entry) -> None:
            if entry.mail is not None and entry.mail.tells_failure:
                raise OSError(errno.ENOSPC, "No space left on device")
            real(history, entry)

        with monkeypatch.context() as full:
            full.setattr(History, "write", no_space)
            (first,) = due(settings)
        assert first.state == "failed" and postbox.mails == []
        assert "No space left on device" in caplog.text and first.id in caplog.text
        assert not schedules.all()[0].is_failing
        schedules._write(replace(schedules.all()[0], done_until=utc_now() - timedelta(days=3)))
        due(settings)
    assert [told["Subject"] for _, told in postbox.mails] == ["Failed: Mine and yours"]
    assert schedules.all()[0].is_failing


def test_a_server_that_does_not_show_who_it_is_gets_no_password(own: Settings, tmp_path: Path) -> None:
    key, crt = tmp_path / "key", tmp_path / "crt"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(crt)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(crt, key)
    postbox = Postbox()

    def authenticator(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        postbox.logins.append(data.password)
        return AuthResult(success=data.password == b"s3cret", handled=False)

    with posted(postbox, tls_context=context, authenticator=authenticator, auth_require_tls=True) as mail:
        login = {"workbench_smtp_user": "ann", "workbench_smtp_tls": "starttls", "workbench_smtp_host": "localhost"}
        secret = Settings(_env_file=None, workbench_smtp_password="s3cret").workbench_smtp_password
        settings = own.model_copy(update=mail | login | {"workbench_smtp_password": secret})
        missed(settings, to=TO)
        (entry,) = due(settings)
        assert entry.mail is not None and "does not show who it is: self-signed certificate" in entry.mail.said
        assert postbox.logins == [] and postbox.mails == []
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SSL_CERT_FILE", str(crt))
            later(History.of(settings), entry)
            send_waiting(settings)
            assert len(postbox.mails) == 1
            wrong = Settings(_env_file=None, workbench_smtp_password="wr0ng").workbench_smtp_password
            settings = settings.model_copy(update={"workbench_smtp_password": wrong})
            missed(settings, to=TO)
            (entry,) = due(settings)
    assert entry.mail is not None and "refuses the login of WORKBENCH_SMTP_USER (535)" in entry.mail.said
    assert not any(
        word in path.read_text() for path in History.of(settings).folder.iterdir() for word in ("s3cret", "wr0ng")
    )


def test_a_title_cannot_add_a_header(own: Settings) -> None:
    missed(own)
    (entry,) = due(own)
    made = Entry(**{**vars(entry), "title": "Mine\r\nBcc: eve@example.com", "mail": None})
    mail = own.model_copy(update={"workbench_smtp_from": "a@example.com"})
    sent = message(replace(made, mail=Mail(TO, "html")), b"x", mail)
    assert sent["Bcc"] is None
    assert sent["Subject"] == "Mine Bcc: eve@example.com"
