"""Notice: an alert that is on the page only while there is something to say."""

from __future__ import annotations

from typing import Any

import panel as pn
import panel_material_ui as pmui
import param
from panel.viewable import Viewable, Viewer


class Notice(Viewer):
    """Says ``title``, as an Alert with this ``look``; nothing is drawn while that is empty."""

    title = param.String(default="")

    def __init__(self, **look: Any) -> None:
        super().__init__()
        self._look = {"severity": "warning", "sizing_mode": "stretch_width", **look}
        self._place = pn.Column(visible=False, margin=0, sizing_mode="stretch_width")

    @property
    def visible(self) -> bool:
        """Whether it says something."""
        return bool(self.title)

    def say(self, title: str) -> None:
        """Says it, also what was said before and closed by whoever has read it."""
        self.title = ""
        self.title = title

    @param.depends("title", watch=True)
    def _draw(self) -> None:
        said = [pmui.Alert(title=self.title, **self._look)] if self.title else []
        self._place.param.update(objects=said, visible=bool(said))

    def __panel__(self) -> Viewable:
        return self._place
