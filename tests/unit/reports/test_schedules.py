"""When a schedule is due, and what relative days and addresses mean."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from workbench import locale
from workbench.components.browser.files import KeptUploads
from workbench.config import Settings
from workbench.config.addresses import checked_addresses
from workbench.config.clock import StoreClock
from workbench.errors import ParameterRefused, ScheduleRefused
from workbench.filters.periods import CUSTOM, PERIODS
from workbench.reports import background
from workbench.reports.library import Parameter, find_report, parse_all, shown_period
from workbench.reports.schedules import Schedule, Schedules
from workbench.reports.texts import read_every

BERLIN = StoreClock(ZoneInfo("Europe/Berlin"))
TODAY = date(2026, 11, 25)  # a Wednesday


def moments(every: str, first: datetime, hours: int) -> list[str]:
    """What somebody who looks each ten minutes finds due, on the wall clock and in UTC."""
    found: list[datetime] = []
    for step in range(hours * 6):
        moment = read_every(every).last(first + timedelta(minutes=10 * step), BERLIN)
        if moment is not None and moment > first and moment not in found:
            found.append(moment)
    return [f"{BERLIN.wall(moment):%a %d %H:%M} = {moment:%H:%M}" for moment in found]


def test_days_weekdays_and_days_of_the_month() -> None:
    week = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert moments("day-07:00", week, 72) == [f"{day} 07:00 = 06:00" for day in ("Mon 23", "Tue 24", "Wed 25")]
    assert moments("Monday-07:00", week, 24 * 10) == ["Mon 23 07:00 = 06:00", "Mon 30 07:00 = 06:00"]
    january = datetime(2026, 1, 15, tzinfo=UTC)
    assert moments("month-31-00:00", january, 24 * 80) == [
        "Sat 31 00:00 = 23:00", "Sat 28 00:00 = 23:00", "Tue 31 00:00 = 22:00"
    ]  # fmt: skip


def test_a_time_that_is_skipped_or_comes_twice_is_due_once() -> None:
    assert moments("day-02:30", datetime(2026, 3, 28, 12, tzinfo=UTC), 48) == [
        "Sun 29 03:30 = 01:30", "Mon 30 02:30 = 00:30"
    ]  # fmt: skip
    assert moments("day-02:30", datetime(2026, 10, 24, 12, tzinfo=UTC), 48) == [
        "Sun 25 02:30 = 00:30", "Mon 26 02:30 = 01:30"
    ]  # fmt: skip


def test_the_next_moment_follows_the_last() -> None:
    for every in ("day-02:30", "sunday-00:00", "month-31-23:59", "month-29-12:00"):
        now = datetime(2026, 1, 1, tzinfo=UTC)
        for _ in range(400):
            following = read_every(every).next(now, BERLIN)
            assert following is not None and following > now
            assert read_every(every).last(following, BERLIN) == following
            earlier = read_every(every).last(following - timedelta(seconds=1), BERLIN)
            assert earlier is not None and earlier <= now
            now = following


@pytest.mark.parametrize(
    "text",
    [
        "",
        "monday",
        "monday-7:00",
        "day-24:00",
        "day-07:60",
        "month-0-07:00",
        "month-32-07:00",
        "someday-07:00",
        "07:00",
    ],
)
def test_what_says_no_time_is_refused_with_what_may_be(text: str) -> None:
    with pytest.raises(ScheduleRefused, match=r"cannot be used: give day-07:00, monday-07:00 .* month-1-07:00"):
        read_every(text)


def test_of_all_moments_that_were_missed_the_newest_is_due(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, workbench_data_dir=tmp_path, workbench_timezone="Europe/Berlin")
    schedules, made_at = Schedules(settings), datetime(2026, 11, 2, 12, tzinfo=UTC)
    made = Schedule("daily_sales-1", "daily_sales", {}, "monday-07:00", "ann", made_at)
    assert schedules.due(made, made_at + timedelta(days=6)) is None  # not that Monday before it was made
    assert schedules.due(made, made_at + timedelta(days=23)) == datetime(2026, 11, 23, 6, tzinfo=UTC)


DAY, MONTH = Parameter("first", "date", "2026-10-01"), Parameter("month", "month", "2026-10")


@pytest.mark.parametrize(
    ("parameter", "text", "meant"),
    [
        (DAY, "yesterday", "2026-11-24"),
        (DAY, "Today", "2026-11-25"),
        (DAY, "first of last week", "2026-11-16"),
        (DAY, "last day of last week", "2026-11-22"),
        (DAY, "first of last_month", "2026-10-01"),
        (DAY, "2026-02-03", "2026-02-03"),
        (MONTH, "last month", "2026-10"),
        (MONTH, "this_month", "2026-11"),
        (MONTH, "first of last year", "2025-01"),
    ],
)
def test_days_and_months_are_said_relative_to_today(parameter: Parameter, text: str, meant: str) -> None:
    assert parse_all((parameter,), {parameter.name: text}, TODAY) == {parameter.name: meant}


@pytest.mark.parametrize(
    ("parameter", "text", "said"),
    [
        (DAY, "last week", "is more than one day: write first of last week, or last of last week"),
        (MONTH, "last year", "is more than one month: write first of last year"),
        (DAY, "all", "give a day from 2000"),
        (DAY, "middle of last week", "give a day from 2000"),
        (MONTH, "yesteryear", "give a month from 2000"),
    ],
)
def test_a_period_that_is_no_one_day_or_month_is_refused(parameter: Parameter, text: str, said: str) -> None:
    with pytest.raises(ParameterRefused, match=said):
        parse_all((parameter,), {parameter.name: text}, TODAY)


@pytest.mark.parametrize("name", ["", "de_DE", "id_ID"])
def test_days_in_words_are_kept_in_english_whichever_the_language(name: str) -> None:
    edges = ("first of {period}", "last of {period}", "{period}")
    kept = [edge.format(period=name.replace("_", " ")) for name in PERIODS if name != CUSTOM for edge in edges]
    locale.use_locale(name)
    try:
        shown = [shown_period(text) for text in kept]
        assert [DAY.plain(text) for text in shown] == [MONTH.plain(text) for text in shown] == kept
        assert [DAY.plain(text) for text in kept] == kept
    finally:
        locale.use_locale("")


def test_a_schedule_that_was_made_in_german_runs_where_no_locale_is_set(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, workbench_data_dir=tmp_path)
    locale.use_locale("de_DE")
    try:
        made = Schedules(settings).add("month_in_review", {"month": "erster tag: letztes Jahr"}, "day-07:00", by="ann")
    finally:
        locale.use_locale("")
    (kept,) = Schedules(settings).all()
    assert kept == made and kept.kinds["month"] == "month" and kept.given == {"month": "first of last year"}
    assert parse_all(find_report("month_in_review").parameters, kept.given, TODAY)["month"] == "2025-01"


NO_ADDRESSES = ["", "ann", "ann@", "@example.com", "ann@example.com\nBcc: eve@example.com", "ann@example.com\r\n"]
NO_ADDRESSES += ["a b@example.com", "Ann <ann@example.com>", "ann@-example.com", "ann@example..com"]
NO_ADDRESSES += ["änn@example.com", f"{'a' * 250}@example.com"]


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_what_is_no_bare_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no address such as"):
        checked_addresses([text])


def test_addresses_are_taken_with_commas_and_each_once() -> None:
    assert checked_addresses(["a.b+c@example.com, ann@localhost", "ann@localhost"]) == (
        "a.b+c@example.com", "ann@localhost"
    )  # fmt: skip


def test_a_password_is_not_sent_in_clear_and_never_shown() -> None:
    with pytest.raises(ValidationError, match="would be sent in clear text") as refused:
        Settings(_env_file=None, workbench_smtp_password="s3cret", workbench_smtp_tls="none")
    assert "s3cret" not in str(refused.value)
    assert "s3cret" not in repr(Settings(_env_file=None, workbench_smtp_password="s3cret"))


def test_what_was_uploaded_before_a_restart_goes_after_its_hour_though_nobody_opens_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(_env_file=None, workbench_data_dir=tmp_path)
    (tmp_path / "till.csv").touch()
    kept = KeptUploads.of(settings)
    kept.keep(tmp_path / "till.csv", "ann")
    os.utime(tmp_path / "till.csv", (0, 0))
    monkeypatch.setattr(background, "load_settings", lambda: settings)
    background.Scheduler()._look()
    assert not list(kept.folder.iterdir())
