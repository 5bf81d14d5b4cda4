"""Settings: defaults for the embedded cluster, the alias, errors that name the setting, and no secret in a repr."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.config import Settings, load_settings
from workbench.errors import SettingsError

ROOT = Path(__file__).parents[2]


def test_the_defaults_are_those_of_the_embedded_cluster() -> None:
    settings = load_settings()
    assert settings.is_embedded
    assert (settings.master_db_port, settings.replica_db_port, settings.workbench_port) == (5676, 5677, 5006)
    assert settings.replica is None
    assert settings.risingwave is None


def test_the_replica_is_also_known_by_its_old_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLAVE_DB_HOST", "old.example")
    monkeypatch.setenv("SLAVE_DB_PORT", "7777")
    replica = load_settings().replica
    assert replica is not None
    assert (replica.host, replica.port) == ("old.example", 7777)
    monkeypatch.setenv("REPLICA_DB_HOST", "new.example")
    assert load_settings().replica_db_host == "new.example"


def test_settings_come_from_a_dotenv_file_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("MASTER_DB_HOST=from-file\nMASTER_DB_PORT=1111\n")
    monkeypatch.setenv("MASTER_DB_PORT", "2222")
    settings = load_settings()
    assert (settings.master_db_host, settings.master_db_port) == ("from-file", 2222)


@pytest.mark.parametrize(
    ("name", "value"), [("MASTER_DB_PORT", "abc"), ("REPLICA_DB_PORT", "70000"), ("LOG_LEVEL", "LOUD")]
)
def test_a_bad_setting_is_named_with_its_value(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"{name}: .*{value}"):
        load_settings()


def test_passwords_are_in_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASTER_DB_HOST", "db.example")
    monkeypatch.setenv("MASTER_DB_PASSWORD", "canary-7c1")
    settings = load_settings()
    assert "canary-7c1" not in repr(settings) + str(settings) + repr(settings.master) + settings.model_dump_json()
    assert settings.master.password.get_secret_value() == "canary-7c1"


def test_the_example_file_names_every_setting_with_its_default() -> None:
    shown = {}
    for line in (ROOT / ".env.example").read_text().splitlines():
        name, sign, value = line.removeprefix("# ").partition("=")
        if sign and name.isupper():
            shown[name] = value
    assert set(shown) == {name.upper() for name in Settings.model_fields}
    for name, value in shown.items():
        default = Settings.model_fields[name.lower()].default
        if isinstance(default, str | int):
            assert value == str(default), name
