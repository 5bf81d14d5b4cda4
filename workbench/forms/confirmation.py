"""Confirmation: what is doubtful about a sale is asked before it is saved; a yes holds for exactly that sale."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import panel as pn
import panel_material_ui as pmui

from workbench.forms.messages import Message
from workbench.locale import _
from workbench.sales.doubts import doubts
from workbench.sales.models import Sale, SaleInput
from workbench.sales.service import Sales


class Confirmation(pn.viewable.Viewer):
    """A question with a button. ``save`` is called after a yes: it reads the form again, which may have changed."""

    def __init__(self, sales: Sales, save: Callable[[], Coroutine[Any, Any, None]]) -> None:
        super().__init__()
        self._sales, self._save = sales, save
        self._asked: SaleInput | None = None
        self._confirmed: SaleInput | None = None
        yes = pmui.Button(label=_("Yes, save it"), variant="outlined", margin=(6, 8), on_click=self.confirm)
        self.question = Message(yes, closeable=False)

    async def is_open(self, sale: SaleInput, stored: Sale | None = None) -> bool:
        """Whether something has to be asked about the sale first; it then is. Raises ServerUnavailable."""
        self.question.clear()
        if sale == self._confirmed:
            return False
        sales = self._sales
        found = await asyncio.to_thread(doubts, sales.reader, sales.session, sales.clock, sale, stored)
        self._asked, self._confirmed = (sale if found else None), None
        if found:
            self.question.say("warning", " ".join([*found, _("Is that right?")]), _("Not saved yet."))
        return bool(found)

    async def confirm(self, *_events: Any) -> None:
        """The yes, for the sale that was asked about and no other."""
        self._confirmed = self._asked
        self.question.clear()
        await self._save()

    def forget(self) -> None:
        """Takes back the question and the yes."""
        self._asked = self._confirmed = None
        self.question.clear()

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(self.question, sizing_mode="stretch_width", margin=0)
