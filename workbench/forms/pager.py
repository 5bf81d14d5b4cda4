"""First, Previous, Next, Last: where a keyset page stands, how many rows it has, and what all pages come to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param

from workbench import locale
from workbench.components.theme import esc, money
from workbench.locale import N_, _
from workbench.metrics.facts import Counted
from workbench.metrics.sale_pages import PAGE_SIZES, Move, SalePage

BUTTONS: dict[Move, str] = {"first": N_("First"), "previous": N_("Previous"), "next": N_("Next"), "last": N_("Last")}


class Pager(pn.viewable.Viewer):
    """The buttons below a table. ``on_move`` gets where to go, and ``first`` when the number of rows is changed;
    money is in ``currency``."""

    size: Any = param.Selector(default=20, objects=list(PAGE_SIZES))  # rows of a page
    number = param.Integer(default=1)  # counted from the first page; 0 or less, from the last one, where nobody knows

    def __init__(self, on_move: Callable[[Move], Any], currency: str = "") -> None:
        super().__init__()
        self._on_move = on_move
        self._buttons = {
            move: pmui.Button(label=_(label), variant="outlined", size="small", margin=(4, 0, 4, 8))
            for move, label in BUTTONS.items()
        }
        for move, button in self._buttons.items():
            button.on_click(partial(_go, on_move, move))
        self._size = pmui.Select.from_param(
            self.param.size, label=_("Rows per page"), size="small", width=120, margin=(4, 8)
        )
        self._text = pn.pane.HTML("", margin=(10, 8))
        self._total, self._currency = pn.pane.HTML("", margin=(10, 8)), currency

    @param.depends("size", watch=True)
    def _start_anew(self) -> None:
        self._on_move("first")

    def go_on(self, number: int, size: int) -> None:
        """The page that comes next is the one of this ``number``, with ``size`` rows; whoever says so loads it."""
        with param.parameterized.discard_events(self):
            self.param.update(number=number, size=size)
        self._size.value = size

    @property
    def text(self) -> str:
        """Which page this is: ``Page 2 of 3``."""
        return self._text.object

    def place(self, page: SalePage, move: Move | None) -> None:
        """Shows where ``page`` is, reached by ``move`` (None: the same page, read again)."""
        self._buttons["first"].disabled = self._buttons["previous"].disabled = not page.has_previous
        self._buttons["next"].disabled = self._buttons["last"].disabled = not page.has_next
        self._count_on(page, move)
        self._text.object = self._where(page)
        self._total.object = total_html(page.counted, self._currency)

    def _count_on(self, page: SalePage, move: Move | None) -> None:
        n_pages = max(-(-page.count // self.size), 1)
        step = {"next": 1, "previous": -1}.get(move or "", 0)
        if not page.has_previous:
            self.number = 1
        elif move == "last":
            self.number = 0 if page.is_estimate else n_pages
        elif self.number > 0:
            self.number = max(self.number + step, 2)
        else:
            self.number = min(self.number + step, 0)

    def _where(self, page: SalePage) -> str:
        n_pages = max(-(-page.count // self.size), 1)
        if self.number <= 0:
            return _("{n} before the last page", n=-self.number) if self.number else _("Last page")
        text = _("Page {n} of about {of}") if page.is_estimate else _("Page {n} of {of}")
        return text.format(n=locale.number(self.number), of=locale.number(max(n_pages, self.number)))

    def __panel__(self) -> pn.Column:
        return pn.Column(
            *self._buttons.values(),
            self._text,
            self._size,
            self._total,
            sizing_mode="stretch_width",
            margin=0,
            styles={"display": "flex", "flex-flow": "row wrap", "align-items": "center"},
        )


def total_html(counted: Counted, currency: str) -> str:
    """``45 in all, USD 1,234.50``; without an amount where the number is an estimate."""
    if counted.amount is None:
        return _("about {n} in all", n=locale.number(counted.count))
    amount = f'<strong title="{_("Net of returns")}">{esc(money(counted.amount, currency))}</strong>'
    return _("{n} in all, {amount}", n=locale.number(counted.count), amount=amount)


def _go(on_move: Callable[[Move], Any], move: Move, _event: Any) -> None:
    on_move(move)
