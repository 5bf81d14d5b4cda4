"""Writes the outputs of notebooks/reports anew: `make reports`. On servers of its own, with the reports' sales."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import nbformat

from tests.conftest import free_ports
from tests.notebooks.report_fixture import load_fixture
from workbench import cluster
from workbench.config import Settings
from workbench.engines import connect
from workbench.migrations import migrate
from workbench.reports.library import reports
from workbench.reports.run import run


def main() -> None:
    """Runs each report as it stands and keeps its outputs; run it when a number is meant to change."""
    folder = Path(tempfile.mkdtemp(prefix="workbench-reports-"))
    folder.chmod(0o755)
    master, replica = free_ports(2)
    base = Settings(_env_file=None, workbench_data_dir=folder / "data", master_db_port=master, replica_db_port=replica)
    try:
        settings = cluster.up(base)
        engines = connect(settings)
        migrate(engines)
        load_fixture(engines)
        engines.dispose()
        for report in reports():
            finished = run(report, {}, settings)
            nbformat.write(_bare(finished.notebook), report.path)
            print(f"{report.path.name}: {finished.seconds:.1f} s")
    finally:
        cluster.down(base)
        shutil.rmtree(folder)


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
