"""View: the table of sales, a page at a time, filtered and sorted in SQL."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import pandas as pd
import panel as pn
import panel_material_ui as pmui

from workbench.accounts.actor import as_actor
from workbench.catalogue.names import NO_NAMES
from workbench.components.browser.files import Downloads
from workbench.components.fields import MARGIN
from workbench.components.html import flow, html_pane
from workbench.components.inline import is_notebook, read_aside
from workbench.components.messages import Action, Message, failures_said
from workbench.components.tasks import LongFile
from workbench.components.theme import esc
from workbench.database.failures import called
from workbench.database.replication import Answer, ReadPosition
from workbench.errors import SaleNotFound, WorkbenchError
from workbench.files import FORMATS, file_name
from workbench.forms.chosen_sales import ChosenSales
from workbench.forms.sale_address import Place
from workbench.forms.sale_columns import NEWEST_FIRST, ColumnChoice, empty_table, page_rows
from workbench.forms.sale_filters import SaleFilters
from workbench.forms.sale_history import history_html
from workbench.forms.sale_html import OPEN, ROWS, RowActions, SalePanel, line_table, sale_summary
from workbench.forms.tabulator import Pager, sideways
from workbench.live import Live
from workbench.locale import N_, _
from workbench.metrics import SaleWhere, Source
from workbench.metrics.facts import Counted
from workbench.metrics.sale_pages import Edge, Move, SalePage, matching_ids, sale_page, write_sales
from workbench.sales.many import MOST
from workbench.sales.service import Sales

ENGINES = (N_("master"), N_("replica"))  # as `called` says, for the catalogues of texts
ACTS = (
    *(("edit", N_("Edit"), ""), ("repeat", N_("Repeat"), "")),
    *(("return", N_("Return"), ""), ("delete", N_("Delete"), "danger")),
)


class SaleTable(pn.viewable.Viewer):
    """Pages of sales, narrowed by ``filters``, which whoever shows the table places above it.

    ``on_edit``, ``on_repeat``, ``on_return`` and ``on_delete`` get the transaction_id of the row in whose menu that was
    chosen, which has it only if ``can_write``; ``on_move`` is called when another page is shown, or another sale in the
    panel.
    """

    def __init__(
        self,
        sales: Sales,
        live: Live,
        on_edit: Callable[[int], Any],
        on_repeat: Callable[[int], Any],
        on_return: Callable[[int], Any],
        on_delete: Callable[[int], Any],
        filters: SaleWhere = SaleWhere(),
        on_move: Callable[[], None] = lambda: None,
        *,
        can_write: bool = True,
    ) -> None:
        super().__init__()
        self._sales, self._live, self._on_move = sales, live, on_move
        acting = {"edit": on_edit, "repeat": on_repeat, "return": on_return, "delete": on_delete}
        self._on_click = acting if can_write else {}
        self._currency = sales.engines.settings.workbench_currency
        self._request: tuple[Move, Edge | None] = ("first", None)  # how the page that is shown was asked for
        self._page: SalePage | None = None
        self._counted: Counted | None = None
        self._asked = self._opened = 0  # how often a page, and a sale for the panel, was asked for
        self.message = Message()
        self.filters = SaleFilters(
            lambda _: self._start(self._recount), sales.clock.today, filters, lambda: live.names.now
        )
        self._pager = Pager(lambda move: self._start(lambda: self.go(move)), self._currency)
        self._source = html_pane(f'<p class="soft">{_("Loading ...")}</p>', MARGIN)
        self._source.styles = {"flex": "1 1 320px"}
        self._empty = html_pane(margin=MARGIN)
        self._refresh = pmui.Button(label=_("Refresh"), variant="text", size="small", margin=(2, 8))
        self._refresh.on_click(lambda _: self._start(self.reload))
        self._files = [self._file_button(kind, label) for kind, label in FORMATS.items()]
        self._downloads = Downloads()
        self._file = LongFile(self._downloads)
        # Empty until there is a page: tables and buttons that are being drawn miss what changes meanwhile.
        self._body = pn.Column(sizing_mode="stretch_width", margin=0)
        self.chosen = ChosenSales(
            sales,
            self._hand_out_chosen,
            self._choose_all,
            self._show_chosen,
            lambda: self._start(self.reload),
            lambda: live.names.now,
            can_write=can_write,
        )
        acts = [(name, _(label), look) for name, label, look in ACTS if can_write]
        self._panel = SalePanel(acts, self._act)
        self._rows = RowActions(((OPEN, _("Lines and history"), ""), *acts), self._act)
        self._make_table(can_write)

    def _make_table(self, can_write: bool) -> None:
        live = self._live
        # As it is made, a column holds numbers or names: the first names are seen when the page is opened again.
        self._names = (lambda: live.names.now) if live.names.now.position else lambda: NO_NAMES
        key = "" if is_notebook() else f"sales-{as_actor(self._sales.actor).name}"
        self._table = empty_table(
            self._lines, has_buttons=can_write, names=self._names(), key=key, currency=self._currency
        )
        self._columns = ColumnChoice(key, lambda hidden: self._table.param.update(hidden_columns=hidden))
        self._sorters = NEWEST_FIRST
        self._table.param.watch(self._sorted, "sorters")
        self._is_putting = False  # the program, not the user, chooses rows
        self._table.param.watch(self._choose, "selection")
        self._table.on_click(self._clicked)

    @property
    def shown(self) -> list[int]:
        """The transaction_id of each row of the page, in its order."""
        return [int(transaction_id) for transaction_id in self._table.value.index]

    @property
    def place(self) -> Place:
        """Which page is shown, or asked for, and in which order."""
        sorter = (self._table.sorters or NEWEST_FIRST)[0]
        move, edge = self._request
        return Place(sorter["field"], sorter["dir"] == "desc", self._pager.size, move, edge, self._pager.number)

    @property
    def sale_id(self) -> int | None:
        """The transaction_id of the sale in the panel."""
        return self._panel.sale_id

    def put(self, filters: SaleWhere, place: Place) -> None:
        """Takes filter and place from an address, to be shown by the next ``reload``."""
        if (filters, place) == (self.filters.value, self.place):
            return
        self.filters.fill(filters)
        self._pager.go_on(place.number, place.size)
        self._sorters = [{"field": place.sort, "dir": "desc" if place.is_descending else "asc"}]
        self._table.sorters = self._sorters
        self._request = place.move, place.edge

    def _sorted(self, event: Any) -> None:
        if event.new != self._sorters:  # else it was the program, which loads the page itself
            self._sorters = event.new
            self._start(lambda: self.go("first"))

    async def go(self, move: Move) -> None:
        """Shows the first, next, previous or last page."""
        edge = None
        if self._page is not None and move in ("next", "previous"):
            edge = self._page.last if move == "next" else self._page.first
        await self._load(move, edge, move, self._live.source)

    async def reload(self, *, is_first: bool = False) -> None:
        """Reads the page that is shown again and counts anew; the first page when ``is_first``."""
        self._counted = None
        is_first = self.filters.tell_period() or is_first
        if is_first:
            self._request = ("first", None)
        await self._load(*self._request, "first" if is_first else None, self._live.source_now)
        if self._page is not None and self._page.rows.empty and self._page.count:
            await self.go("last")  # the last row of the last page has gone

    async def _recount(self) -> None:
        await self.reload(is_first=True)

    async def _load(
        self, move: Move, edge: Edge | None, step: Move | None, source: Callable[[ReadPosition], Source]
    ) -> None:
        self._asked += 1
        asked = self._asked
        self._table.loading = True
        with failures_said(self.message, lambda: asked == self._asked, is_saving=False):
            answer = await read_aside(self._read, move, edge, source)
            if asked == self._asked:  # else this answer is late: something newer was asked for meanwhile
                self._request = (move, edge)
                self._show(answer, step)
        if asked == self._asked:
            self._table.loading = False
            if self._page is None:
                self._source.object = ""

    def _read(self, move: Move, edge: Edge | None, source: Callable[[ReadPosition], Source]) -> Answer[SalePage]:
        sorter = (self._table.sorters or NEWEST_FIRST)[0]
        return sale_page(
            source(self._sales.read_position),
            self.filters.value,
            sort=sorter["field"],
            descending=sorter["dir"] == "desc",
            size=self._pager.size,
            move=move,
            edge=edge,
            counted=self._counted,
        )

    def _show(self, answer: Answer[SalePage], step: Move | None) -> None:
        page = answer.value
        self._page, self._counted = page, page.counted
        self.message.clear()
        self._table.expanded = []  # the lines of a sale that stays may have changed
        rows = page_rows(page.rows, page.notes, self._names())
        self._is_putting = True  # rows that are gone take their ticks with them
        self._table.value = rows
        self._show_chosen()
        is_narrowed = self.filters.value != SaleWhere()
        missing = _("No transactions match; clear the filters.") if is_narrowed else _("No transactions yet.")
        self._empty.object = "" if len(page.rows) else f'<p class="soft">{missing}</p>'
        note = f" ({answer.note})" if answer.note else ""
        as_of = _("as of {moment}", moment=self._sales.clock.time_text(answer.as_of))
        source = f"{_(called(answer.engine))}{note} · {as_of}"
        others = _(", narrowed to {filters}", filters=self.filters.others) if self.filters.others else ""
        self._source.object = (
            f'<p><strong>{page.count_text}</strong>{esc(others)} <span class="soft">· {esc(source)}</span></p>'
        )
        self._pager.place(page, step)
        if not self._body.objects:
            left = pn.Column(sideways(self._table), self._empty, self._pager, sizing_mode="stretch_width", margin=0)
            self._body.objects = [left] if is_notebook() else [left, self._panel, self._rows]
        self._on_move()

    async def _lines(self, row: pd.Series) -> pn.pane.HTML:
        """What a row opens to."""
        try:
            return html_pane(await read_aside(self._inside, int(str(row.name))), MARGIN)
        except WorkbenchError as error:
            return html_pane(f"<p>{esc(error)}</p>", MARGIN)

    def _inside(self, transaction_id: int) -> str:
        return line_table(self._sales.lines(transaction_id).value) + self._history(transaction_id)

    def _history(self, transaction_id: int, *, is_open: bool = False) -> str:
        changes, returned = self._sales.history(transaction_id).value, self._sales.returns(transaction_id).value
        return history_html(changes, self._sales.clock, returned, self._live.names.now, is_open=is_open)

    async def show_sale(self, transaction_id: int | None, *, takes_focus: bool = False) -> None:
        """Has this sale in the panel, or none."""
        if transaction_id is None:
            self.close_sale()
            return
        self._opened += 1
        opened = self._opened
        with failures_said(self.message, lambda: opened == self._opened, is_saving=False):
            html = await read_aside(self._panel_html, transaction_id)
            if opened == self._opened:  # else it was closed meanwhile, or is to show another one
                self._panel.put(transaction_id, html, takes_focus=takes_focus)

    def close_sale(self) -> None:
        """Closes the panel, and has it stay closed whatever is on its way to it."""
        self._opened += 1
        self._panel.close()

    def _panel_html(self, transaction_id: int) -> str:
        try:
            sale = self._sales.get(transaction_id).value
        except SaleNotFound as error:
            lead = f"<h2>{_('Transaction {id}', id=transaction_id)}</h2><p>{esc(error)}</p>"
        else:
            lead = sale_summary(sale, self._currency, self._live.names.now)
        return lead + self._history(transaction_id, is_open=True)

    def _act(self, act: str, transaction_id: int) -> None:
        """What the menu, the keyboard or the panel asks for."""
        if act == OPEN:
            self._start(lambda: self._step(transaction_id))
        elif act in self._on_click:
            self.close_sale()
            self._on_click[act](transaction_id)
        elif (closed := self.sale_id) is not None:  # of Escape too, which else chooses none
            self._start(lambda: self._step(None, closed))
        else:
            self.chosen.clear()

    async def _step(self, transaction_id: int | None, closed: int = 0) -> None:
        await self.show_sale(transaction_id, takes_focus=True)
        if transaction_id is None:
            self._rows.focus(closed)
        self._on_move()

    def _file_button(self, kind: str, label: str) -> pmui.Button:
        button = pmui.Button(label=label, icon="download", variant="text", size="small", margin=(2, 0))
        action = Action(partial(self._hand_out, kind), self.message, button)
        button.on_click(action.run)
        return button

    async def _hand_out(self, kind: str, only: Collection[int] | None = None) -> None:
        """All sales that the filters leave, not this page alone, as a file; or ``only`` these."""
        name = file_name("sales", self._sales.clock.now(), kind)
        source = self._live.source_now(self._sales.read_position)
        where = self.filters.value if only is None else SaleWhere()
        names = self._live.names.now.by_dimension
        await self._file.hand_out(name, lambda path, tell: write_sales(source, where, path, names, only, tell))

    async def _hand_out_chosen(self, kind: str) -> None:
        await self._hand_out(kind, self.chosen.ids)

    async def _choose_all(self) -> None:
        """Chooses all sales that the filters leave, of every page."""
        source, where = self._live.source_now(self._sales.read_position), self.filters.value
        found = (await read_aside(lambda: matching_ids(source, where, MOST + 1))).value
        self.chosen.put(found, found)
        self._show_chosen()

    def _choose(self, event: Any) -> None:
        """The boxes of this page were ticked otherwise."""
        if self._is_putting:
            return
        shown = self.shown
        with failures_said(self.chosen.message, is_saving=False):
            self.chosen.put([shown[place] for place in event.new if place < len(shown)], shown)
            return
        self._show_chosen()

    def _show_chosen(self) -> None:
        """Ticks the boxes of the chosen ones, of those that are shown."""
        chosen = set(self.chosen.ids)
        self._is_putting = True
        self._table.selection = [place for place, each in enumerate(self.shown) if each in chosen]
        self._is_putting = False

    def _clicked(self, event: Any) -> None:
        act = self._on_click.get(event.column)
        if act is not None:
            act(self.shown[event.row])

    def _start(self, work: Callable[[], Any]) -> None:
        async def run() -> None:
            await work()

        pn.state.execute(run)

    def __panel__(self) -> pn.Column:
        columns = [] if is_notebook() else [self._columns]
        return pn.Column(
            self.message,
            flow(self._source, self._refresh, *columns, *self._files, self._downloads, sizing_mode="stretch_width"),
            self._file,
            self.chosen,
            self._body,
            sizing_mode="stretch_width",
            margin=0,
            css_classes=[ROWS],
        )
