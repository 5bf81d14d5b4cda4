"""The button that hands out a notebook with what the page shows now."""

from __future__ import annotations

import io

import panel_material_ui as pmui
from panel.viewable import Viewable, Viewer

from workbench.components.inline import read_aside
from workbench.dashboards.feed import Feed, Moment
from workbench.reports.freeze import FrozenView


class FreezeButton(Viewer):
    """Asks for the figures of the feed's filter when it is clicked, off the event loop."""

    def __init__(self, feed: Feed) -> None:
        super().__init__()
        self._feed = feed
        self._button = pmui.FileDownload(
            callback=self._frozen,
            filename="frozen-view.ipynb",
            label="Freeze this view",
            icon="ac_unit",
            variant="outlined",
            size="small",
            margin=0,
        )

    async def _frozen(self) -> io.StringIO:
        moment = self._feed.moment()
        self._button.filename = f"frozen-view-{moment.now:%Y-%m-%d-%H%M%S}.ipynb"
        return io.StringIO(await read_aside(frozen_notebook, moment))

    def __panel__(self) -> Viewable:
        return self._button


def frozen_notebook(moment: Moment) -> str:
    """The notebook of what is looked at. Raises ServerUnavailable."""
    clock = moment.live.workbench.clock
    return FrozenView.of(moment.ask, moment.where, clock.name).notebook()
