"""What may stand before a save: doubts, which are asked about, and somebody else's change of the same sale."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from workbench import locale
from workbench.components.html import table_html
from workbench.components.messages import Message
from workbench.components.theme import NOTHING, esc
from workbench.errors import field_label
from workbench.forms.sale_form import HEADER
from workbench.forms.sale_html import line_text
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
        found = await asyncio.to_thread(doubts, sales.reader, sales.read_position, sales.clock, sale, stored)
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


Content = Mapping[str, Any]
MARK = "background: #ffe39a; color: #17212b; padding: 1px 6px; border-radius: 4px; font-weight: 600"


def merge(base: Content, mine: Content, theirs: Content) -> dict[str, Any]:
    """Theirs with my changes on top: a value or line that I changed is mine, any other is theirs.

    A line that they removed and I changed comes back as a new one: its item_id is gone.
    """
    header = {name: mine[name] if mine[name] != base[name] else theirs[name] for name in HEADER}
    old, my = _by_id(base), _by_id(mine)
    lines = []
    for item_id, line in _by_id(theirs).items():
        if item_id not in old:
            lines.append(line)
        elif item_id in my:
            lines.append(my[item_id] if my[item_id] != old[item_id] else line)
    left = set(_by_id(theirs))
    for line in mine["lines"]:
        is_new = line["item_id"] is None
        if is_new or (line["item_id"] not in left and line != old.get(line["item_id"])):
            lines.append({**line, "item_id": None})
    return header | {"lines": lines}


def conflict_table(base: Content, mine: Content, theirs: Content) -> str:
    """Mine, theirs and what it was as an HTML table; what differs from what it was is marked."""
    rows = [_row(field_label(name), *(_value(c[name]) for c in (mine, theirs, base))) for name in HEADER]
    lines = [_by_id(mine), _by_id(theirs), _by_id(base)]
    for number, item_id in enumerate(dict.fromkeys([*lines[2], *lines[1]]), 1):
        rows.append(_row(_("Item {n}", n=number), *(line_text(found.get(item_id)) for found in lines)))
    for line in (line for line in mine["lines"] if line["item_id"] is None):
        rows.append(_row(_("New item"), line_text(line), NOTHING, NOTHING))
    heads = ("", _("Mine"), _("Theirs"), _("What it was"))
    return table_html([(head, False) for head in heads], rows, kind="wraps", leads=True)


def _row(label: str, mine: str, theirs: str, base: str) -> tuple[str, ...]:
    return label, *(_marked(value) if value != base else value for value in (mine, theirs)), base


def _marked(value: str) -> Markup:
    return Markup(f'<mark style="{MARK}">{esc(value)}</mark>')


def _value(value: object) -> str:
    return NOTHING if value is None else locale.field_text(value)


def _by_id(sale: Content) -> dict[int, dict[str, Any]]:
    return {line["item_id"]: line for line in sale["lines"] if line["item_id"] is not None}
