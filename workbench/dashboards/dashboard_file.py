"""The whole dashboard as one file: Excel, HTML, PDF, or a notebook that asks again; and the button for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import panel_material_ui as pmui
from panel.viewable import Viewable, Viewer

from workbench.components.html import flow
from workbench.components.theme import esc
from workbench.dashboards.feed import Feed, Moment
from workbench.dashboards.tile import Tile, html
from workbench.dashboards.tile_card import content
from workbench.errors import WorkbenchError
from workbench.files import file_name, format_of, write_workbook
from workbench.locale import N_, _
from workbench.reports.freeze import FrozenView, in_words
from workbench.servers.disk import write_whole

FILES = {"xlsx": "Excel", "html": "HTML", "pdf": "PDF"}


def write_dashboard(path: Path, moment: Moment, tiles: Sequence[Tile]) -> None:
    """All that the tiles say, by the end of the file's name: all rows of each in a sheet, or what it shows in a card.

    Before that stand filters, engine, as-of and currency. The tiles are drawn here: they must be on no page.
    Raises WorkbenchError, when one of them cannot be answered too.
    """
    kind = format_of(path, FILES)
    found = {}
    for tile, (_tile, answer) in zip(tiles, moment.fetch(tiles), strict=True):
        if isinstance(answer, WorkbenchError):
            raise answer
        found[tile] = answer
    workbench = moment.live.workbench
    cover = {N_("Written"): workbench.clock.text(workbench.monitor.now())}
    cover |= in_words(moment.where, moment.names)
    cover |= {N_("Currency"): workbench.engines.settings.workbench_currency}
    if kind == "xlsx":
        who = {tile.title: tile.source(answer) for tile, answer in found.items()}
        write_workbook(path, cover | who, {tile.title: tile.for_file(answer.value) for tile, answer in found.items()})
    else:
        stills = [tile.still(moment, answer) for tile, answer in found.items()]
        said = {_(name): text for name, text in cover.items()}
        write_whole(path, content(kind, _("Sales"), said, _("Each figure says who answered it."), stills))


class DownloadButton(Viewer):
    """Calls ``write``, off the event loop, with the file and with what the feed looks at when it is clicked.

    ``title`` and ``ending`` name the file.
    """

    def __init__(
        self, feed: Feed, write: Callable[[Path, Moment], object], title: str, ending: str, *, label: str, icon: str
    ) -> None:
        super().__init__()
        self._feed, self._write, self._title, self._ending = feed, write, title, ending
        self._button = pmui.Button(
            label=label, icon=icon, variant="outlined", size="small", margin=0, on_click=self._hand_out
        )
        self._row = flow(self._button, styles={"width": "auto"})

    async def _hand_out(self, _event: object) -> None:
        moment = self._feed.moment()
        name = file_name(self._title, moment.now, self._ending)
        self._button.loading = True
        try:
            await self._feed.downloads.write(name, lambda path: self._write(path, moment))
        except WorkbenchError as error:
            self._row.objects = [self._button, html(f'<p role="status">{esc(error)}</p>')]
        else:
            self._row.objects = [self._button]
        finally:
            self._button.loading = False

    def __panel__(self) -> Viewable:
        return self._row


def freeze_button(feed: Feed) -> DownloadButton:
    """Hands out a notebook with the figures of what the page shows."""

    def write(path: Path, moment: Moment) -> None:
        path.write_text(frozen_notebook(moment), encoding="utf-8")

    return DownloadButton(feed, write, "frozen view", "ipynb", label=_("Freeze this view"), icon="ac_unit")


def frozen_notebook(moment: Moment) -> str:
    """The notebook of what is looked at. Raises ServerUnavailable."""
    clock = moment.live.workbench.clock
    return FrozenView.of(moment.ask, moment.where, clock.name).notebook()
