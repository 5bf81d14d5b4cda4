"""The notebooks for analysts: how they are written, and that every cell of them runs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

import nbformat
import pytest

from tests.conftest import on_a_thread
from tests.notebooks.cells import cells
from workbench.cli.serving import notebooks_folder
from workbench.config import Settings
from workbench.reports.library import reports_folder

NOTEBOOKS = sorted((notebooks_folder() / "explore").glob("*.ipynb"))
REPORTS = sorted(reports_folder().glob("*.ipynb"))


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


async def run_twice(path: Path, settings: Settings) -> tuple[int, int]:
    """How much code each of two runs of a notebook has brought to the page, in characters."""
    code = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    async with cells(settings) as kernel:
        runs = [[output for cell in code for output in await kernel.run(cell.source, cell.id)] for _ in range(2)]
    scripts = [[output["data"].get("application/javascript", "") for output in run if "data" in output] for run in runs]
    return sum(map(len, scripts[0])), sum(map(len, scripts[1]))


async def run_all_twice(paths: Sequence[Path], settings: Settings) -> list[tuple[int, int]]:
    """Each in a kernel of its own, all at once."""
    return await asyncio.gather(*(run_twice(path, settings) for path in paths))


@pytest.mark.parametrize("number", range(3))
def test_every_cell_runs_and_runs_again(report_settings: Settings, number: int) -> None:
    """As JupyterLab sends them. The second run brings again what draws: the first one's outputs are gone by then."""
    paths = (NOTEBOOKS + REPORTS)[number::3]
    brought = on_a_thread(asyncio.run, run_all_twice(paths, report_settings))
    drawing = [n for n, path in enumerate(paths) if re.search("RevenueByStore|SalesDashboard", path.read_text())]
    assert drawing or number == 2
    for n in drawing:
        assert min(brought[n]) > 1_000_000, (paths[n].stem, brought[n])


IMPORTS = """
import panel as pn
from workbench import Filters, SalesDashboard, Where, connect, figures
pn.extension("tabulator")
wb = connect()
"""


async def first_words(settings: Settings) -> tuple[list[str], str, list[str]]:
    """What is shown of the first things that an analyst makes; the help and the completions of a figure."""
    code = "figures.revenue(wb, "
    async with cells(settings) as kernel:
        for _ in range(2):  # an analyst's own pn.extension among them, which has HoloViews load itself again
            await kernel.run(IMPORTS, "imports")
        shown = [await kernel.text(made) for made in ("wb", "Filters(stores=[3])", "Where(stores=[3])")]
        told = await kernel.client.inspect("figures.revenue", reply=True, timeout=60)
        found = await kernel.client.complete(code, len(code), reply=True, timeout=60)
    return shown, told["content"]["data"]["text/plain"], found["content"]["matches"]


def test_the_first_words_help(report_settings: Settings) -> None:
    shown, told, found = on_a_thread(asyncio.run, first_words(report_settings))
    servers = f"master 127.0.0.1:{report_settings.master_db_port}, replica 127.0.0.1:{report_settings.replica_db_port}"
    assert shown[0] == f"Workbench({servers})"
    assert shown[1:] == ["Filters(period='last_30_days', stores=[3])", "Where(stores=(3,))"]
    plain = re.sub(r"\x1b\[[0-9;]*m", "", told)
    for word in ("by: 'str | Sequence[str]' = ()", "where: 'AnyWhere' = None", "exact: 'bool' = False", "any of day"):
        assert word in plain
    assert {"by=", "where=", "exact="} <= set(found)
