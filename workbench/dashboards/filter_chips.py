"""A chip for everything that narrows the figures; a click on it takes that back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import panel_material_ui as pmui
from panel.viewable import Viewable, Viewer

from workbench.dashboards.tile import column
from workbench.filters import Chip, Filters, chips


class FilterChips(Viewer):
    """A row of the chips of ``filters``, and Clear all at its end."""

    def __init__(self, filters: Filters) -> None:
        super().__init__()
        self._filters = filters
        self._shown: list[Chip] = []
        self._row = column(css="flex-flow: row wrap; gap: 8px; align-items: center;")
        self._row.visible = False

    def follow(self, names: Mapping[str, Mapping[Any, str]]) -> None:
        """Shows the chips that there are now, by the ``names`` of each dimension."""
        found = chips(self._filters, names)
        if found == self._shown:
            return  # a button that is taken away while it is being drawn is an error in the browser
        self._shown = found
        buttons = [_chip(f"{chip.text}  ✕", partial(self._filters.param.update, **chip.cleared)) for chip in found]
        if found:
            buttons.append(_chip("Clear all", self._filters.clear, variant="text"))
        self._row.param.update(objects=buttons, visible=bool(found))

    def __panel__(self) -> Viewable:
        return self._row


def _chip(label: str, act: Any, variant: str = "outlined") -> pmui.Button:
    return pmui.Button(label=label, on_click=lambda _: act(), variant=variant, size="small", margin=0)
