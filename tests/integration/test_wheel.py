"""The package as it is installed: built, unpacked, and used from there."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WHERE = "from workbench.cli.serving import working_folder; print(working_folder())"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the package as site-packages would."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder / "packages")
    return folder / "packages"


def run(installed: Path, folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    """Runs Python with the installed package in ``folder``; the checkout is not on its path."""
    path = os.pathsep.join([str(installed), *sys.path[1:]])
    command = [sys.executable, "-P", "-c", program]
    return subprocess.run(command, cwd=folder, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True)


def test_it_says_that_it_is_typed(installed: Path) -> None:
    assert (installed / "workbench" / "py.typed").exists()


def test_notebooks_are_worked_on_in_the_users_own_folder(installed: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in installed.rglob("*.ipynb")}
    names = sorted(path.name for path in before if path.parent.name == "explore")
    assert names
    assert run(installed, tmp_path, WHERE).stdout.strip() == str(tmp_path / "notebooks")
    copies = tmp_path / "notebooks" / "explore"
    assert sorted(path.name for path in copies.iterdir()) == names
    (copies / names[0]).write_text("mine")
    (copies / names[1]).unlink()
    run(installed, tmp_path, WHERE)
    assert (copies / names[0]).read_text() == "mine"
    assert (copies / names[1]).exists()
    assert {path: path.stat().st_mtime_ns for path in installed.rglob("*.ipynb")} == before


def test_a_folder_that_cannot_take_them_is_told(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "notebooks").write_text("a file")
    done = run(installed, tmp_path, WHERE)
    assert "workbench lab FOLDER" in done.stderr
    assert str(tmp_path / "notebooks") in done.stderr
