"""What a form says: one inline message that stays until the next action, and every text escaped."""

from __future__ import annotations

from typing import Any, Literal

import panel as pn
import panel_material_ui as pmui

from workbench.components.browser.said import Said
from workbench.components.theme import esc
from workbench.forms.visible_after import VisibleAfter
from workbench.sales.service import Saved

Severity = Literal["success", "info", "warning", "error"]


class Message(pn.viewable.Viewer):
    """An alert that is not there until ``say`` is called. Toasts vanish before they are read, this one stays.

    ``objects``, such as buttons, stand below the text; ``timing`` too, after a save.
    """

    def __init__(self, *objects: Any, closeable: bool = True, timing: VisibleAfter | None = None) -> None:
        super().__init__()
        self._timing = timing
        self._said = Said(role="")  # the alert around it is announced
        self._alert = pmui.Alert(
            self._said,
            *objects,
            *([timing] if timing is not None else []),
            closeable=closeable,
            visible=False,
            variant="outlined",
            sizing_mode="stretch_width",
            margin=(6, 8),
        )

    @property
    def text(self) -> str:
        """What is said now, as HTML; empty when nothing is."""
        if not self._alert.visible:
            return ""
        lead = f"<strong>{esc(self._said.lead)}</strong> " if self._said.lead else ""
        return f"{lead}{esc(self._said.text)}"

    @property
    def answers(self) -> int:
        """How often something has been said."""
        return self._said.shown

    def say(
        self, severity: Severity, text: str, lead: str = "", saved: Saved | None = None, *, takes_focus: bool = True
    ) -> None:
        """Shows plain text where the eye is, with ``lead`` in bold before it; and when ``saved`` is visible, as soon
        as it is."""
        if self._timing is not None:
            self._timing.follow(saved)
        self._alert.param.update(severity=severity, closed=False, visible=True)
        self._said.say(text, lead=lead, takes_focus=takes_focus)

    def clear(self) -> None:
        """Takes the message away."""
        self._alert.visible = False

    def __panel__(self) -> pmui.Alert:
        return self._alert
