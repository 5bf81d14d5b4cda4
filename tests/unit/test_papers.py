"""The papers stay in step with the code."""

from __future__ import annotations

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from typer.main import get_command

from workbench import cli
from workbench.config import Settings
from workbench.database.sql_files import sql_folder

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
COMMANDS = get_command(cli.app).commands


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_is_in_the_readme(name: str) -> None:
    assert COMMANDS[name].help
    assert f"`workbench {name}" in README


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_has_a_description_and_is_in_the_readme(name: str) -> None:
    assert Settings.model_fields[name].description
    assert f"`{name.upper()}`" in README


def test_conda_users_get_the_same_environment() -> None:
    text = (ROOT / "environment.yml").read_text()
    extras = re.search(r"--editable \.\[(.*)\]", text)
    assert extras is not None
    assert set(extras[1].split(",")) == set(PROJECT["optional-dependencies"])
    assert f"- python{PROJECT['requires-python']}" in text
    assert "\n  - pip\n" in text


def test_every_dependency_is_pinned_in_the_lock_file() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pinned = dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", lock, re.MULTILINE))
    for requirement in chain(PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()):
        name = re.match(r"[a-z0-9-]+", requirement)
        assert name is not None
        assert name[0] in pinned, f"{name[0]} is not in requirements.lock: run `make lock`"
    assert "://" not in re.sub(r"#.*", "", lock), "the lock file names an index"
    assert "--index-url" not in lock


def test_every_sql_file_begins_with_what_it_is() -> None:
    files = sorted(sql_folder().rglob("*.sql"))
    assert files
    for path in files:
        first = path.read_text().splitlines()[0]
        is_one_object = path.parent.name in ("queries", "metrics", "indexes", "sample")
        assert first.startswith(f"-- {path.stem}: " if is_one_object else "-- "), f"{path} does not say what it is"


def test_every_picture_of_the_readme_is_there() -> None:
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", README)
    assert pictures
    for picture in pictures:
        assert (ROOT / picture).is_file(), picture
