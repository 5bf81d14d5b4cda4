"""The whole dashboard as one Excel file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workbench.dashboards.feed import Moment
from workbench.dashboards.tile import Tile
from workbench.database.failures import called
from workbench.errors import WorkbenchError
from workbench.files import write_workbook
from workbench.reports.freeze import in_words


def write_dashboard(path: Path, moment: Moment, tiles: Sequence[Tile]) -> None:
    """A sheet for each tile that is looked at, all rows of it, behind a cover: filters, engine, as-of, currency.

    Raises WorkbenchError when one of them cannot be answered.
    """
    found = {}
    for tile, (_, answer) in zip(tiles, moment.fetch(tiles), strict=True):
        if isinstance(answer, WorkbenchError):
            raise answer
        found[tile.title] = answer.map(tile.for_file)
    workbench = moment.live.workbench
    who = {
        title: f"{called(answer.engine)}, as of {workbench.clock.text(answer.as_of)}" for title, answer in found.items()
    }
    cover = {"Written": workbench.clock.text(workbench.monitor.now())} | in_words(moment.where)
    cover |= {"Currency": workbench.engines.settings.workbench_currency} | who
    write_workbook(path, cover, {title: answer.value for title, answer in found.items()})
