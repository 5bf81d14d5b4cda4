"""The store's clock: one zone, whatever the machine's is, also in the nights when the clock is changed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from workbench.config import Settings, child_environment, clock, load_settings
from workbench.config.clock import StoreClock, find_zone, machine_zone
from workbench.errors import SettingsError
from workbench.reports.run import environment

BERLIN, KOLKATA, APIA = (StoreClock(find_zone(name)) for name in ("Europe/Berlin", "Asia/Kolkata", "Pacific/Apia"))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def at(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """It is this time in UTC."""
    monkeypatch.setattr(clock, "utc_now", lambda: utc(text))


def test_one_moment_is_another_day_in_another_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, "2026-03-18 22:30:15.5")
    assert BERLIN.now() == datetime(2026, 3, 18, 23, 30, 15)
    assert (KOLKATA.now(), KOLKATA.today()) == (datetime(2026, 3, 19, 4, 0, 15), date(2026, 3, 19))


def test_the_clock_goes_forward_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []
    for text in ("2026-03-29 00:59:59", "2026-03-29 01:00:00", "2026-10-25 00:30:00", "2026-10-25 01:30:00"):
        at(monkeypatch, text)
        shown.append(BERLIN.text(clock.utc_now()))
        assert str(BERLIN.now()) in shown[-1]
    assert shown == [
        "2026-03-29 01:59:59 CET",
        "2026-03-29 03:00:00 CEST",
        "2026-10-25 02:30:00 CEST",
        "2026-10-25 02:30:00 CET",
    ]


@pytest.mark.parametrize(
    ("store", "wall", "is_skipped"),
    [
        (BERLIN, "2026-03-29 01:59:59", False),
        (BERLIN, "2026-03-29 02:00:00", True),
        (BERLIN, "2026-03-29 02:59:59.5", True),
        (BERLIN, "2026-03-29 03:00:00", False),
        (BERLIN, "2026-10-25 02:30:00", False),
        (APIA, "2011-12-30 12:00:00", True),  # a whole day that Samoa never had
        (KOLKATA, "2026-03-29 02:30:00", False),
    ],
)
def test_a_time_that_the_clock_never_showed_is_known(store: StoreClock, wall: str, is_skipped: bool) -> None:
    assert store.is_skipped(datetime.fromisoformat(wall)) is is_skipped


def test_a_time_is_ahead_only_when_it_is_so_on_the_stores_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, "2026-03-18 10:00:00")
    wall = datetime(2026, 3, 18, 12)
    assert BERLIN.is_ahead(wall) and not KOLKATA.is_ahead(wall)


def test_in_the_hour_that_comes_twice_nothing_that_was_stamped_is_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, "2026-10-25 00:59:00")
    stamped = BERLIN.now()
    at(monkeypatch, "2026-10-25 01:01:00")  # 02:01 for the second time
    assert stamped > BERLIN.now() and not BERLIN.is_ahead(stamped)


def test_a_zone_without_letters_reads_as_an_offset() -> None:
    assert StoreClock(find_zone("America/Sao_Paulo")).time_text(utc("2026-03-18 14:00")) == "11:00:00 UTC-03"
    assert KOLKATA.offset(utc("2026-03-18 14:00")) == (19800.0, "IST")


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "Europe", "../etc/passwd", "CET-1CEST", "Asia/Kolkata\0"])
def test_a_zone_that_is_none_is_refused_by_the_settings_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with pytest.raises(ValueError, match="such as Europe/Berlin"):
        Settings(_env_file=None, workbench_timezone=name)
    if name and "\0" not in name:
        monkeypatch.setenv("WORKBENCH_TIMEZONE", name)
        with pytest.raises(SettingsError, match=r"^WORKBENCH_TIMEZONE: it must be the name .* Change it in"):
            load_settings()


def test_without_the_setting_it_is_the_machines_zone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TZ", ":Asia/Kolkata")
    assert load_settings().clock == KOLKATA
    monkeypatch.setenv("TZ", "CET-1CEST")  # no name: the link of the machine tells it
    (tmp_path / "zoneinfo" / "Europe").mkdir(parents=True)
    (tmp_path / "zoneinfo" / "Europe" / "Berlin").touch()
    link = tmp_path / "localtime"
    link.symlink_to(tmp_path / "zoneinfo" / "Europe" / "Berlin")
    monkeypatch.setattr(clock, "ZONE_FILE", link)
    assert machine_zone() == "Europe/Berlin"
    link.unlink()
    monkeypatch.setattr(clock, "ZONE_NAME_FILE", tmp_path / "timezone")
    (tmp_path / "timezone").write_text("Pacific/Apia\n")
    assert machine_zone() == "Pacific/Apia"
    (tmp_path / "timezone").unlink()
    assert machine_zone() == "UTC"


def test_a_child_gets_the_zone_also_when_nothing_was_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    assert child_environment(load_settings())["WORKBENCH_TIMEZONE"] == "Asia/Kolkata"
    assert environment(load_settings(), tmp_path)["WORKBENCH_TIMEZONE"] == "Asia/Kolkata"  # a report's process
