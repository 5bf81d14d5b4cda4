"""Writes the outputs of notebooks/reports anew: `make reports`. On servers of its own, with the reports' sales."""

from __future__ import annotations

import nbformat

from tests.conftest import running_pair
from tests.notebooks.report_fixture import load_fixture
from workbench.database.engines import connect
from workbench.reports.library import library
from workbench.reports.run import run


def main() -> None:
    """Runs each report as it stands and keeps its outputs; run it when a number is meant to change."""
    with running_pair("reports") as settings:
        engines = connect(settings)
        load_fixture(engines)
        engines.dispose()
        for report in library().reports:
            finished = run(report, {}, settings)
            nbformat.write(_bare(finished.notebook), report.path)
            print(f"{report.path.name}: {finished.seconds:.1f} s")


def _bare(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Without what tells when and by what it was run: only outputs may differ from one time to the next."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata = nbformat.from_dict({"kernelspec": kernel, "language_info": {"name": "python"}})
    for cell in notebook.cells:
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
    return notebook


if __name__ == "__main__":
    main()
