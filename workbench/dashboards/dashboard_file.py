"""The whole dashboard as one file: Excel, HTML or PDF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workbench.dashboards.feed import Moment
from workbench.dashboards.still import content
from workbench.dashboards.tile import Tile
from workbench.errors import WorkbenchError
from workbench.files import format_of, write_workbook
from workbench.reports.freeze import in_words
from workbench.servers.disk import write_whole

FILES = {"xlsx": "Excel", "html": "HTML", "pdf": "PDF"}


def write_dashboard(path: Path, moment: Moment, tiles: Sequence[Tile]) -> None:
    """All that the tiles say, by the end of the file's name: all rows of each in a sheet, or what it shows in a card.

    Before that stand filters, engine, as-of and currency. The tiles are drawn here: they must be on no page.
    Raises WorkbenchError, when one of them cannot be answered too.
    """
    kind = format_of(path, FILES)
    found = {}
    for tile, (_, answer) in zip(tiles, moment.fetch(tiles), strict=True):
        if isinstance(answer, WorkbenchError):
            raise answer
        found[tile] = answer
    workbench = moment.live.workbench
    cover = {"Written": workbench.clock.text(workbench.monitor.now())} | in_words(moment.where)
    cover |= {"Currency": workbench.engines.settings.workbench_currency}
    if kind == "xlsx":
        who = {tile.title: tile.source(answer) for tile, answer in found.items()}
        write_workbook(path, cover | who, {tile.title: tile.for_file(answer.value) for tile, answer in found.items()})
    else:
        stills = [tile.still(moment, answer) for tile, answer in found.items()]
        write_whole(path, content(kind, "Sales", cover, "Each figure says who answered it.", stills))
