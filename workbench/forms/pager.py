"""First, Previous, Next, Last: where a keyset page stands, how many rows it has, and what all pages come to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import panel as pn
import panel_material_ui as pmui

from workbench import locale
from workbench.components.theme import esc, money
from workbench.locale import N_, _
from workbench.metrics.facts import Counted
from workbench.metrics.sale_pages import PAGE_SIZES, Move, SalePage

BUTTONS: dict[Move, str] = {"first": N_("First"), "previous": N_("Previous"), "next": N_("Next"), "last": N_("Last")}


class Pager(pn.viewable.Viewer):
    """The buttons below a table. ``on_move`` gets where to go, and ``first`` when the number of rows is changed;
    money is in ``currency``."""

    def __init__(self, on_move: Callable[[Move], Any], currency: str = "") -> None:
        super().__init__()
        self._number: int | None = 1  # counted from the first page, or
        self._from_end = 0  # from the last one, while nobody knows exactly how many there are
        self._buttons = {
            move: pmui.Button(label=_(label), variant="outlined", size="small", margin=(4, 0, 4, 8))
            for move, label in BUTTONS.items()
        }
        for move, button in self._buttons.items():
            button.on_click(partial(_go, on_move, move))
        self._size = pmui.Select(
            label=_("Rows per page"), options=list(PAGE_SIZES), value=20, size="small", width=120, margin=(4, 8)
        )
        self._is_set = False  # by the program, which loads the page itself
        self._size.param.watch(lambda _: None if self._is_set else on_move("first"), "value")
        self._text = pn.pane.HTML("", margin=(10, 8))
        self._total, self._currency = pn.pane.HTML("", margin=(10, 8)), currency

    @property
    def size(self) -> int:
        """How many rows a page has."""
        return self._size.value

    @property
    def number(self) -> int:
        """Which page this is, counted from the first one; 0 or less, counted from the last one, where nobody knows."""
        return -self._from_end if self._number is None else self._number

    def go_on(self, number: int, size: int) -> None:
        """The page that comes next is the one of this ``number``, with ``size`` rows."""
        self._number, self._from_end = (number, 0) if number > 0 else (None, -number)
        self._is_set = True
        self._size.value = size
        self._is_set = False

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
            self._number = 1
        elif move == "last":
            self._number, self._from_end = (None if page.is_estimate else n_pages), 0
        elif self._number is None:
            self._from_end -= step
        else:
            self._number = max(self._number + step, 2)

    def _where(self, page: SalePage) -> str:
        n_pages = max(-(-page.count // self.size), 1)
        if self._number is None:
            return _("Last page") if self._from_end <= 0 else _("{n} before the last page", n=self._from_end)
        text = _("Page {n} of about {of}") if page.is_estimate else _("Page {n} of {of}")
        return text.format(n=locale.number(self._number), of=locale.number(max(n_pages, self._number)))

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
