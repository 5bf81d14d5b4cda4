"""The history of a sale below its form, from which a change is undone and an earlier version taken up again."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import panel as pn
import panel_material_ui as pmui

from workbench.catalogue.names import Names
from workbench.components.html import html_pane
from workbench.config.clock import StoreClock
from workbench.forms.actions import Action
from workbench.forms.fields import LAYOUT, MARGIN
from workbench.forms.history import KINDS, history_html
from workbench.forms.messages import Message
from workbench.forms.named_ids import no_names
from workbench.locale import N_, _
from workbench.sales.history import Change
from workbench.sales.returns import Returned

OnChange = Callable[[Change], Coroutine[Any, Any, None]]
UNDO, BRING_BACK = N_("Undo this change"), N_("Restore this sale")


class SaleHistory(pn.viewable.Viewer):
    """``on_undo`` and ``on_version`` get the change that is chosen; ``message`` says what fails.

    Without ``can_undo`` nothing is offered that takes a change back.
    """

    def __init__(
        self,
        clock: StoreClock,
        message: Message,
        on_undo: OnChange,
        on_version: OnChange,
        names: Callable[[], Names] = no_names,
        *,
        can_undo: bool = True,
    ) -> None:
        super().__init__()
        self._clock, self._names, self._can_undo = clock, names, can_undo
        self._changes: dict[str, Change] = {}
        self.text = html_pane(margin=MARGIN)
        self._which = pmui.Select(label=_("Change"), options=[], **LAYOUT)
        self._undo = pmui.Button(label=_(UNDO), variant="outlined", margin=MARGIN)
        self._version = pmui.Button(label=_("Take up this version"), variant="text", margin=MARGIN)
        buttons = [self._undo, self._version] if can_undo else [self._version]
        self._choice = pn.Row(self._which, *buttons, sizing_mode="stretch_width", visible=False)
        for button, act in ((self._undo, on_undo), (self._version, on_version)):
            button.on_click(Action(self._acting(act), message, button).run)
        self._which.param.watch(self._chosen, "value")

    def tell(self, changes: Sequence[Change], returned: Sequence[Returned] = (), *, is_there: bool) -> None:
        """Shows the changes, newest first; unfolded when the sale is not there any more."""
        self.text.object = history_html(changes, self._clock, returned, self._names(), is_open=not is_there)
        known = [
            change
            for change in changes
            if (self._can_undo and change.can_be_undone) or (is_there and change.after is not None)
        ]
        self._changes = {self._label(change, number): change for number, change in enumerate(known)}
        self._which.param.update(options=list(self._changes), value=next(iter(self._changes), None))
        self._choice.visible = bool(self._changes)
        self._chosen()

    def say(self, text: str) -> None:
        """Shows HTML in its place; empty for nothing."""
        self.text.object, self._choice.visible = text, False

    def _label(self, change: Change, number: int) -> str:
        newest = "" if number else _(" (the newest)")
        return (
            _(
                "{what} by {who}, {moment}",
                what=_(KINDS[change.kind]),
                who=change.actor,
                moment=self._clock.text(change.at),
            )
            + newest
        )

    def _chosen(self, *_events: Any) -> None:
        change = self._changes.get(self._which.value)
        if change is not None:
            self._undo.param.update(
                label=_(BRING_BACK if change.kind == "deleted" else UNDO), disabled=not change.can_be_undone
            )
            self._version.disabled = change.after is None

    def _acting(self, act: OnChange) -> Callable[[], Coroutine[Any, Any, None]]:
        async def work() -> None:
            change = self._changes.get(self._which.value)
            if change is not None:
                await act(change)

        return work

    def __panel__(self) -> pn.Column:
        return pn.Column(self.text, self._choice, sizing_mode="stretch_width", margin=0)
