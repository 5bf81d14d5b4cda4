"""Settings: defaults for the embedded cluster, the alias, errors that name the setting, and no secret in a repr."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.config import Settings, SslMode, child_environment, load_settings
from workbench.errors import SettingsError

ROOT = Path(__file__).parents[3]


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


def test_files_of_certificates_are_whole_paths_in_a_child_process_too(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("ca.crt").touch()
    monkeypatch.setenv("MASTER_DB_HOST", "db.example")
    monkeypatch.setenv("MASTER_DB_SSLMODE", "verify-full")
    monkeypatch.setenv("MASTER_DB_SSLROOTCERT", "ca.crt")
    monkeypatch.setenv("SLAVE_DB_SSLMODE", "require")
    settings = load_settings()
    assert (settings.master.sslmode, settings.master.sslrootcert) == ("verify-full", str(Path("ca.crt").absolute()))
    assert settings.replica_db_sslmode == "require"
    assert child_environment(settings)["MASTER_DB_SSLROOTCERT"] == settings.master.sslrootcert


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"MASTER_DB_SSLMODE": "verify-full"}, "MASTER_DB_SSLROOTCERT: MASTER_DB_SSLMODE=verify-full needs"),
        ({"SLAVE_DB_SSLMODE": "verify-ca"}, "REPLICA_DB_SSLROOTCERT: REPLICA_DB_SSLMODE=verify-ca needs"),
        ({"RISINGWAVE_SSLROOTCERT": "none.crt"}, "RISINGWAVE_SSLROOTCERT: there is no file .*none.crt"),
        ({"MASTER_DB_SSLMODE": "require", "MASTER_DB_HOST": ""}, "MASTER_DB_SSLMODE: the embedded servers"),
        ({"MASTER_DB_SSLMODE": "yes"}, "MASTER_DB_SSLMODE: .*'verify-full'.*yes"),
    ],
)
def test_tls_that_would_not_be_is_refused(monkeypatch: pytest.MonkeyPatch, given: dict[str, str], words: str) -> None:
    for name, value in ({"MASTER_DB_HOST": "db.example"} | given).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=words):
        load_settings()


@pytest.mark.parametrize(
    ("master", "own", "expected"),
    [("prefer", None, "disable"), ("require", None, "require"), ("require", "disable", "disable")],
)
def test_risingwave_asks_the_master_for_tls_as_the_workbench_does(
    master: SslMode, own: SslMode | None, expected: str
) -> None:
    settings = Settings(_env_file=None, master_db_host="m", master_db_sslmode=master, risingwave_cdc_sslmode=own)
    assert settings.cdc_from_risingwave.sslmode == expected
