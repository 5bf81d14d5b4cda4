"""The field "Transaction ID" with its button, as Edit and Delete share it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import panel as pn
import panel_material_ui as pmui

from workbench.components.inline import read_aside
from workbench.errors import FieldError
from workbench.forms.actions import failures_said
from workbench.forms.fields import Fields, text_field
from workbench.forms.messages import Message
from workbench.locale import N_, _
from workbench.sales.models import Sale
from workbench.sales.service import Sales


class SaleLoader:
    """Reads one sale at a time from the master; only the newest question counts.

    One that is about to be changed, as all are unless ``is_changed`` says otherwise, is opened to who may change it.
    """

    def __init__(self, sales: Sales, message: Message, *, is_changed: bool = True) -> None:
        self._sales, self._message, self._is_changed = sales, message, is_changed
        self._asked = 0

    async def load(self, transaction_id: int) -> Sale | None:
        """The sale; None when the message says why not, or when something else is wanted by now."""
        self.forget()
        asked = self._asked
        with failures_said(self._message, lambda: asked == self._asked):
            answer = await read_aside(partial(self._sales.get, for_edit=True), transaction_id)
            if self._is_changed:
                self._sales.refuse(answer.value)
            return answer.value if asked == self._asked else None
        return None

    def forget(self) -> None:
        """An answer that is still on its way is wanted no more."""
        self._asked += 1


LARGEST_ID = 2**63 - 1
WHAT_IT_IS = N_("it must be a whole number from 1 to {most}, such as 1234")


class SalePicker(pn.viewable.Viewer):
    """Which sale to load: ``on_pick`` gets its id. ``on_typing`` is called while another id is typed.

    ``message`` is what the form said last: an id that is none takes it away, as it is about another.
    """

    def __init__(
        self,
        on_pick: Callable[[int], Awaitable[None]],
        message: Message,
        on_typing: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self._on_pick, self._message = on_pick, message
        self._field = text_field("transaction_id")
        self._field.param.update(width=190, sizing_mode="fixed")
        self.fields = Fields({"transaction_id": self._field}, lambda _: on_typing() if on_typing else None)
        self._load = pmui.Button(label=_("Load"), variant="outlined", on_click=self._pick, margin=(6, 8))
        self._field.param.watch(self._pick, "enter_pressed")

    @property
    def transaction_id(self) -> int | None:
        """The id that the field holds; None when it is none."""
        text = self.fields.text("transaction_id").strip()
        is_id = text.isascii() and text.isdigit() and len(text) < 20 and 0 < int(text) <= LARGEST_ID
        return int(text) if is_id else None

    def put(self, transaction_id: int) -> None:
        """Puts the id into the field."""
        self.fields.fill({"transaction_id": str(transaction_id)})

    async def _pick(self, *_events: Any) -> None:
        picked = self.transaction_id
        if picked is None:
            self._message.clear()
            self.fields.show(
                [FieldError("transaction_id", self.fields.text("transaction_id"), _(WHAT_IT_IS, most=LARGEST_ID))]
            )
            return
        await self._on_pick(picked)

    def __panel__(self) -> pn.Row:
        return pn.Row(self._field, self._load, margin=0)
