"""A button that hands out what the page shows now as one file: a notebook, or an Excel file with all tiles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import panel_material_ui as pmui
from panel.viewable import Viewable, Viewer

from workbench.components.html import flow
from workbench.components.theme import esc
from workbench.dashboards.feed import Feed, Moment
from workbench.dashboards.tile import html
from workbench.errors import WorkbenchError
from workbench.files import file_name
from workbench.reports.freeze import FrozenView


class DownloadButton(Viewer):
    """Calls ``write``, off the event loop, with the file and with what the feed looks at when it is clicked.

    ``title`` and ``ending`` name the file.
    """

    def __init__(
        self, feed: Feed, write: Callable[[Path, Moment], object], title: str, ending: str, *, label: str, icon: str
    ) -> None:
        super().__init__()
        self._feed, self._write, self._title, self._ending = feed, write, title, ending
        self._said = html()
        self._said.visible = False
        self._button = pmui.Button(
            label=label, icon=icon, variant="outlined", size="small", margin=0, on_click=self._hand_out
        )

    async def _hand_out(self, _event: object) -> None:
        moment = self._feed.moment()
        name = file_name(self._title, moment.now, self._ending)
        self._button.loading = True
        try:
            await self._feed.downloads.write(name, lambda path: self._write(path, moment))
        except WorkbenchError as error:
            self._said.param.update(object=f'<p role="status">{esc(error)}</p>', visible=True)
        else:
            self._said.visible = False
        finally:
            self._button.loading = False

    def __panel__(self) -> Viewable:
        return flow(self._button, self._said, styles={"width": "auto"})


def freeze_button(feed: Feed) -> DownloadButton:
    """Hands out a notebook with the figures of what the page shows."""

    def write(path: Path, moment: Moment) -> None:
        path.write_text(frozen_notebook(moment), encoding="utf-8")

    return DownloadButton(feed, write, "frozen view", "ipynb", label="Freeze this view", icon="ac_unit")


def frozen_notebook(moment: Moment) -> str:
    """The notebook of what is looked at. Raises ServerUnavailable."""
    clock = moment.live.workbench.clock
    return FrozenView.of(moment.ask, moment.where, clock.name).notebook()
