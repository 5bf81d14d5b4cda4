"""The notebooks for analysts: how they are written, and that every cell of them runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.ui.conftest import environment
from workbench.cli.lab import notebooks_folder
from workbench.config import Settings

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((notebooks_folder() / "explore").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_reads_well_and_holds_no_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    cells = notebook.cells
    assert cells[0].cell_type == "markdown"
    assert cells[0].source.startswith("# ")
    assert cells[-1].cell_type == "markdown"
    assert cells[-1].source.startswith("## What to try next")
    for cell in cells:
        if cell.cell_type == "code":
            assert not cell.outputs, f"{path.name} holds outputs: clear them"
            assert cell.execution_count is None
    kinds = [cell.cell_type for cell in cells]
    runs = "".join("c" if kind == "code" else "m" for kind in kinds)
    assert "ccc" not in runs, "three cells without a word between them"


def test_there_are_five() -> None:
    assert [path.stem[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05"]


def test_every_cell_runs(report_settings: Settings, tmp_path: Path) -> None:
    """Under nbval, in two processes at once. Without sanitizing: of these, no output is compared."""
    env = environment(report_settings) | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:]])}
    options = ["--nbval-lax", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(tmp_path), "-q"]
    halves = (NOTEBOOKS[:2], NOTEBOOKS[2:])  # about equally long
    commands = [[sys.executable, "-m", "pytest", *options, *map(str, half)] for half in halves]
    running = [
        subprocess.Popen(command, env=env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for command in commands
    ]
    printed = [process.communicate(timeout=250)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], "\n".join(printed)[-6000:]
