"""Loads the sale that Edit and Delete are about."""

from __future__ import annotations

from functools import partial

from workbench.components.inline import read_aside
from workbench.forms.actions import failures_said
from workbench.forms.messages import Message
from workbench.sales.models import Sale
from workbench.sales.service import Sales


class SaleLoader:
    """Reads one sale at a time from the master, as what is about to be changed; only the newest question counts."""

    def __init__(self, sales: Sales, message: Message) -> None:
        self._sales, self._message = sales, message
        self._asked = 0

    async def load(self, transaction_id: int) -> Sale | None:
        """The sale; None when the message says why not, or when something else is wanted by now."""
        self.forget()
        asked = self._asked
        with failures_said(self._message, lambda: asked == self._asked):
            answer = await read_aside(partial(self._sales.get, for_edit=True), transaction_id)
            return answer.value if asked == self._asked else None
        return None

    def forget(self) -> None:
        """An answer that is still on its way is wanted no more."""
        self._asked += 1
