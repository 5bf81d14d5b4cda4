"""A .env that cannot be used, a user without a name or a home: one line that says what to do."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.cli.serving import refuse_unwritable_home
from workbench.config import Settings, env_file, load_settings
from workbench.errors import SettingsError, WorkbenchError
from workbench.servers.cluster.layout import layout_of

IS_ROOT = os.geteuid() == 0
NAMELESS = 54_321  # a user id that no system gives a name
needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root becomes another user, or gives files to one")
TEXT = "MASTER_DB_HOST=db.example\nWORKBENCH_CURRENCY=€\n"


def said_as(uid: int, do: Callable[[], object]) -> str:
    """What ``do`` says is wrong when that user does it, in a process of its own; empty when nothing is."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            do()
            said = ""
        except WorkbenchError as error:
            said = str(error)
        except BaseException as error:  # noqa: BLE001 - told to the test, which fails
            said = f"raw {type(error).__name__}: {error}"
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (TEXT.encode("utf-16"), "UTF-16"),
        (TEXT.encode("utf-16-le"), "UTF-16"),
        (TEXT.replace("€", "£").encode("latin-1"), r"line 2; it looks like ISO-8859-1"),
    ],
    ids=["UTF-16", "UTF-16 without mark", "Latin-1"],
)
def test_a_file_in_another_encoding_is_refused_with_the_way_out(content: bytes, words: str) -> None:
    Path(".env").write_bytes(content)
    with pytest.raises(SettingsError, match=rf"\.env in .*{words}.*iconv") as refused:
        load_settings()
    assert "\n" not in str(refused.value)


def test_the_mark_that_editors_of_windows_put_first_is_no_part_of_a_name() -> None:
    Path(".env").write_bytes(TEXT.encode("utf-8-sig"))
    settings = load_settings()
    assert (settings.master_db_host, settings.workbench_currency) == ("db.example", "€")


@pytest.mark.parametrize("name", [".env", "passwords.env"])
@pytest.mark.parametrize("mode", [0o604, 0o640, 0o666])
def test_a_file_of_secrets_that_others_may_read_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, mode: int
) -> None:
    monkeypatch.setenv("WORKBENCH_PASSWORDS_FILE", "passwords.env")
    for file in (".env", "passwords.env"):
        Path(file).write_text(f"{TEXT}MASTER_DB_PASSWORD=canary-5\n")
        Path(file).chmod(0o600)
    assert load_settings().master_db_password.get_secret_value() == "canary-5"
    Path(name).chmod(mode)
    with pytest.raises(SettingsError, match=rf"{name} holds MASTER_DB_PASSWORD.*0{mode:o}.*chmod 600") as refused:
        load_settings()
    assert "canary-5" not in str(refused.value)
    Path(name).write_text(f"{TEXT}MASTER_DB_PASSWORD=\n# RISINGWAVE_PASSWORD=x\n")
    assert load_settings().master_db_host == "db.example"  # there is nothing in it to read


@needs_root
def test_a_file_that_may_not_be_read_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    Path(".env").write_text(TEXT)
    Path(".env").chmod(0o600)
    assert ".env in " in (said := said_as(NAMELESS, load_settings)) and "chmod u+r .env" in said
    assert "\n" not in said


@needs_root
def test_a_file_of_a_stranger_is_not_trusted() -> None:
    Path(".env").write_text(TEXT)
    os.chown(".env", NAMELESS, NAMELESS)
    with pytest.raises(SettingsError, match=rf"belongs to another user \(uid {NAMELESS}\).*chown 0 \.env"):
        load_settings()
    os.chown(".", NAMELESS, NAMELESS)  # in a folder of theirs, such as a checkout that a container mounts, it is
    assert load_settings().master_db_host == "db.example"


@pytest.mark.parametrize("level", ["info", "Info", " INFO "])
def test_the_level_of_the_log_is_understood_in_any_case(monkeypatch: pytest.MonkeyPatch, level: str) -> None:
    monkeypatch.setenv("LOG_LEVEL", level)
    assert load_settings().log_level == "INFO"


@pytest.mark.parametrize("level", ["warn", "WARN", "warning"])
def test_the_short_name_of_warning_is_understood(monkeypatch: pytest.MonkeyPatch, level: str) -> None:
    monkeypatch.setenv("LOG_LEVEL", level)
    assert load_settings().log_level == "WARNING"


@needs_root
def test_a_user_without_a_name_is_told_what_postgresql_needs(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        pwd.getpwuid(NAMELESS)
    settings = Settings(_env_file=None, workbench_data_dir=tmp_path)
    said = said_as(NAMELESS, lambda: layout_of(settings))
    assert f"uid {NAMELESS} has no name" in said and "/etc/passwd" in said and "MASTER_DB_HOST" in said


@needs_root
def test_a_user_without_a_home_is_told_which_setting_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    said = said_as(NAMELESS, lambda: layout_of(Settings(_env_file=None)))
    assert said.startswith("WORKBENCH_DATA_DIR: there is no home folder") and "HOME" in said


@needs_root
def test_servers_elsewhere_need_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    assert said_as(NAMELESS, lambda: Settings(_env_file=None, master_db_host="db.example")) == ""


@needs_root
@pytest.mark.parametrize("home", ["closed", None])
def test_lab_says_that_it_cannot_write_to_the_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: str | None
) -> None:
    from jupyter_core import paths  # noqa: F401 - before the user changes, who may not enter our environment

    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "HOME"):
        monkeypatch.delenv(name, raising=False)
    if home:
        (tmp_path / home).mkdir(mode=0o555)
        monkeypatch.setenv("HOME", str(tmp_path / home))
    said = said_as(NAMELESS, refuse_unwritable_home)
    assert said.startswith("JupyterLab cannot keep its files in your home folder"), said
    assert "JUPYTER_CONFIG_DIR" in said and "\n" not in said


def test_lab_says_that_the_home_is_no_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with pytest.raises(SettingsError, match="cannot keep its files.*Set HOME"):
        refuse_unwritable_home()


def test_values_change_all_at_once_and_an_interrupted_change_goes_on() -> None:
    path = Path(".env")
    path.write_text("# mine\nA_PASSWORD=old\nexport B_PASSWORD='old'\nOTHER=1 # A_PASSWORD=old\n")
    path.chmod(0o600)
    assert env_file.holds({"A_PASSWORD": "old", "B_PASSWORD": "old"})
    assert not env_file.holds({"A_PASSWORD": "old", "C_PASSWORD": ""})
    assert env_file.prepare_change({"A_PASSWORD": "new", "B_PASSWORD": "newer"})["A_PASSWORD"] == "new"
    assert env_file.holds({"A_PASSWORD": "old"}), "it counts once it is complete"
    begun = env_file.prepare_change({"A_PASSWORD": "other", "B_PASSWORD": "other"})
    assert begun == {"A_PASSWORD": "new", "B_PASSWORD": "newer"}
    env_file.finish_change()
    assert path.read_text() == "# mine\nA_PASSWORD=new\nexport B_PASSWORD=newer\nOTHER=1 # A_PASSWORD=old\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir() == [".env"]
