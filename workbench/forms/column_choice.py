"""Which columns of the table of sales are shown, kept by the browser for each account."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param
from panel.custom import JSComponent

from workbench.forms.sale_columns import NOTE, titles
from workbench.locale import _
from workbench.sales.fields import FIELDS

CHOSEN = [name for name in (*FIELDS, NOTE) if name != "transaction_id"]  # the id tells a row


class KeptColumns(JSComponent):
    """What the browser has of it."""

    key = param.String()
    hidden = param.List(default=[])

    _bundle = Path(__file__).with_name("column_choice.js")


class ColumnChoice(pn.viewable.Viewer):
    """A button and its dialog; ``on_change`` gets the names of the columns that are not shown."""

    def __init__(self, key: str, on_change: Callable[[list[str]], Any]) -> None:
        super().__init__()
        self._on_change = on_change
        self._kept = KeptColumns(key=key, width=0, height=0, margin=0)
        self._boxes = pmui.CheckBoxGroup(options={titles()[name]: name for name in CHOSEN}, value=CHOSEN, margin=(0, 8))
        self._boxes.param.watch(self._ticked, "value")
        self._kept.param.watch(self._read, "hidden")
        close = pmui.Button(label=_("Done"), variant="contained", margin=(6, 8))
        reset = pmui.Button(label=_("Reset columns and widths"), variant="text", margin=(6, 8))
        reset.on_click(lambda _: self._kept._send_msg("reset"))
        self._inside = [self._boxes, pn.Row(reset, close, margin=0)]
        self._dialog = pmui.Dialog(title=_("Columns"), title_variant="h6", width_option="xs", close_on_click=True)
        close.on_click(self._close)
        self.button = pmui.Button(label=_("Columns"), icon="view_column", variant="text", size="small", margin=(2, 0))
        self.button.on_click(self._open)

    def _open(self, _event: Any) -> None:
        if not self._dialog.objects:  # what is in it is drawn the first time
            self._dialog.objects = self._inside
        self._dialog.open = True

    def _close(self, _event: Any) -> None:
        self._dialog.open = False

    def _ticked(self, event: Any) -> None:
        self._kept.hidden = [name for name in CHOSEN if name not in event.new]

    def _read(self, event: Any) -> None:
        """A browser says whatever somebody has put there."""
        hidden = [name for name in CHOSEN if name in event.new]
        self._boxes.value = [name for name in CHOSEN if name not in hidden]
        self._on_change(hidden)

    def __panel__(self) -> pn.Row:
        return pn.Row(self.button, self._dialog, self._kept, margin=0)
