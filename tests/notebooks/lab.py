"""A real JupyterLab, as `workbench lab` starts it, on a notebook made here."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import nbformat
from playwright.sync_api import Page, expect

from tests.conftest import free_ports
from tests.ui.conftest import environment
from workbench.config import Settings

ROOT = Path(__file__).parents[2]
TOKEN = "for-this-test"


def notebook(folder: Path, *cells: str) -> Path:
    """A notebook of code cells."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = folder / "sales.ipynb"
    nbformat.write(made, path)
    return path


@contextmanager
def lab(settings: Settings, folder: Path, changes: Mapping[str, str] | None = None) -> Iterator[str]:
    """`workbench lab` on a folder, with Jupyter's own files in it too; the address of the server.

    ``changes`` are made to its environment; Panel goes by ``VSCODE_PID`` to tell VS Code.
    """
    port = free_ports(1)[0]
    own = {f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    own |= {f"JUPYTERLAB_{name}_DIR": str(folder / name.lower()) for name in ("SETTINGS", "WORKSPACES")}
    path = os.pathsep.join([str(ROOT), *sys.path[1:]])
    env = environment(settings) | own | {"JUPYTER_TOKEN": TOKEN, "PYTHONPATH": path} | dict(changes or {})
    program = "from workbench.cli import main; main()"
    command = [sys.executable, "-c", program, "lab", str(folder), f"--port={port}", "--no-browser"]
    log = folder / "log"
    with log.open("wb") as written:
        process = subprocess.Popen(command, env=env, cwd=folder, stdout=written, stderr=written)
    address = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 180
        while not _answers(f"{address}/api"):
            assert time.monotonic() < end and process.poll() is None, log.read_text()[-4000:]
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=60)


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url).close()
    except (urllib.error.URLError, ConnectionError):
        return False
    return True


def open_notebook(page: Page, address: str) -> None:
    """Opens the notebook anew; what was not saved of the page is lost, the kernel goes on."""
    page.goto("about:blank")
    page.goto(f"{address}/lab/tree/sales.ipynb?token={TOKEN}")
    page.locator(".jp-Cell").first.wait_for()
    expect(page.get_by_role("button", name="Python 3 (ipykernel) | Idle")).to_be_visible(timeout=60_000)


def run_all(page: Page, address: str) -> None:
    """Opens the notebook and runs its cells."""
    open_notebook(page, address)
    page.get_by_text("Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()


def run_cell(page: Page, number: int, execution: int) -> None:
    """Runs one code cell, counted from 0, and waits until it is done: it is the kernel's ``execution``-th."""
    cell = page.locator(".jp-CodeCell").nth(number)
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    expect(cell.locator(".jp-InputPrompt")).to_have_text(f"[{execution}]:", timeout=60_000)
