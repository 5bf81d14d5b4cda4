"""The sales behind the figures: the list that the filters leave, and in its place the form of the one opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import panel as pn
import panel_material_ui as pmui
from bokeh.models.widgets.tables import NumberFormatter
from panel.viewable import Viewable, Viewer

from workbench.catalogue.names import NO_NAMES, Names
from workbench.components import theme
from workbench.components.inline import when_shown
from workbench.connection import Workbench
from workbench.dashboards.feed import Feed, Moment
from workbench.dashboards.tile import Tile, card, html
from workbench.database.replication import Answer
from workbench.errors import WorkbenchError
from workbench.filters import Filters
from workbench.forms.edit_sale import EditSale
from workbench.forms.sale_columns import NOTE, note_html, titled
from workbench.forms.sale_html import sale_text
from workbench.forms.tabulator import TABLE_STYLE, row_button
from workbench.locale import N_, _
from workbench.metrics import Source
from workbench.metrics.sale_pages import Edge, Move, SalePage, sale_page, write_sales
from workbench.sales.fields import FIELDS
from workbench.sales.returns import ReturnNote

SIZE = 20
SHOWN = tuple(name for name in FIELDS if name != "total_discount")


class SaleList(Tile):
    """Pages of the sales that the filters leave, the newest first. ``on_open`` gets the id of the one to edit;
    without it there is nothing to press."""

    title = N_("Sales behind these figures")

    def __init__(
        self,
        source: Workbench | Feed,
        filters: Filters | None = None,
        on_open: Callable[[int], Any] | None = None,
    ) -> None:
        super().__init__(source, filters)
        self._on_open = on_open
        self._place: tuple[object, Move, Edge | None] = (None, "first", None)  # the filter it is a place in
        self._page: SalePage | None = None
        self._where: object = None
        self._count = html()
        self._newer = pmui.Button(label=_("Newer"), variant="outlined", size="small", margin=0)
        self._older = pmui.Button(label=_("Older"), variant="outlined", size="small", margin=0)
        self._newer.on_click(partial(self._go, "previous"))
        self._older.on_click(partial(self._go, "next"))
        self._table = _table(self.currency, can_open=on_open is not None)
        self._table.on_click(self._clicked)

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """One page: SHOWN, money as Decimal; ``attrs`` has the filter and the whole page."""
        where = moment.where
        filtered, move, edge = self._place
        if where != filtered:
            move, edge = "first", None

        def work(source: Source) -> Answer[SalePage]:
            return sale_page(source, where, size=SIZE, move=move, edge=edge)

        def shown(page: SalePage) -> pd.DataFrame:
            frame = page.rows[list(SHOWN)].copy()
            frame.attrs |= {"where": where, "page": page}
            return frame

        return moment.answer(("sale list", where, move, edge), work).map(shown)

    def take(self, moment: Moment, answer: Answer[pd.DataFrame] | WorkbenchError) -> None:
        """Keeps the page of the answer that is shown; of several that are asked for, others may come and be dropped."""
        if isinstance(answer, Answer):
            self._page, self._where = answer.value.attrs["page"], answer.value.attrs["where"]
        super().take(moment, answer)

    def depends_on(self, moment: Moment) -> object:
        """How many there are, which may change without this page."""
        return self._page.count_text if self._page else ""

    def draw(self, moment: Moment, frame: pd.DataFrame) -> None:
        """The rows and how many there are."""
        page = self._page
        assert page is not None
        self._table.value = as_drawn(frame, page.notes, moment.names)
        self._count.object = f"<p><strong>{theme.esc(page.count_text)}</strong></p>"
        self._newer.disabled, self._older.disabled = not page.has_previous, not page.has_next
        self.card.fill()

    def drawn(self) -> Viewable:
        """The table and what moves it."""
        moves = pmui.Row(self._newer, self._older, sx={"gap": "8px"}, margin=0)
        return pmui.Column(self._count, self._table, moves, sx={"gap": "8px"}, sizing_mode="stretch_width", margin=0)

    def save(self, path: str | Path) -> None:
        """Writes all sales that the filters leave, not this page alone. Raises as ``Tile.save`` does."""
        moment = self.feed.moment()
        write_sales(moment.live.source_now(moment.read_position), moment.where, Path(path), moment.names.by_dimension)

    def _go(self, move: Move, _event: Any) -> None:
        if self._page is not None:
            self._place = (self._where, move, self._page.first if move == "previous" else self._page.last)
            self.feed.renew()

    def _clicked(self, event: Any) -> None:
        if event.column == "edit" and self._on_open is not None:
            self._on_open(int(self._table.value.index[event.row]))


def as_drawn(
    rows: pd.DataFrame, notes: Mapping[int, ReturnNote] = MappingProxyType({}), names: Names = NO_NAMES
) -> pd.DataFrame:
    """A page as the browser gets it: texts, except for what is aligned as a number, and notes of some sales."""
    frame = pd.DataFrame({name: [sale_text(name, value, "", names) for value in rows[name]] for name in SHOWN[1:]})
    frame[NOTE] = [note_html(notes.get(int(sale))) for sale in rows["transaction_id"]]
    frame.index = pd.Index(rows["transaction_id"].astype("int64"), name="transaction_id")
    return frame


def _table(currency: str, *, can_open: bool) -> pn.widgets.Tabulator:
    numbers = {name: "right" for name in SHOWN if FIELDS[name].is_number}
    return pn.widgets.Tabulator(
        as_drawn(pd.DataFrame(columns=list(SHOWN))),
        titles={name: titled(FIELDS[name], currency) for name in SHOWN} | {NOTE: _("Returns"), "edit": ""},
        disabled=True,
        selectable=False,
        layout="fit_columns",
        configuration={"columnDefaults": {"minWidth": 84, "headerSort": False}},
        stylesheets=[TABLE_STYLE],
        sizing_mode="stretch_width",
        text_align=numbers,
        header_align=numbers,
        margin=0,
        formatters={"transaction_id": NumberFormatter(format="0"), NOTE: {"type": "html"}},
        buttons={"edit": row_button(_("Edit"))} if can_open else {},
    )


class SalesTab(Viewer):
    """``sale_id`` is the sale that is open, or None. ``on_change`` is called when a person opens or closes one.

    ``kept`` belongs outside of the tabs: it holds what asks before unsaved work is left, whichever tab is shown.
    """

    def __init__(self, feed: Feed, on_change: Callable[[], None]) -> None:
        super().__init__()
        self.sale_id: int | None = None
        self._feed, self._on_change = feed, on_change
        self._sales = feed.workbench.sales(feed.read_position)
        self._list, self._form = _place(), _place()
        self.kept = _place()

    @cached_property
    def list(self) -> SaleList:
        """The sales that the filters leave."""
        made = SaleList(self._feed, on_open=self._opened if self._sales.may_write else None)
        self._list.append(made)
        return made

    @cached_property
    def edit(self) -> EditSale:
        """The form of the sale that is open."""
        made = EditSale(self._sales, lambda _saved: self._feed.renew(), names=lambda: self._feed.live.names.now)
        back = pmui.Button(
            label=_("Back to the list"), icon="arrow_back", variant="text", margin=0, on_click=self._closed
        )
        self._form.append(card(back, made))
        self.kept.append(made.unsaved)
        return made

    def open(self, sale_id: int | None) -> None:
        """Opens this sale's form, or the list for None; for a viewer there is no form."""
        sale_id = sale_id if self._sales.may_write else None
        is_other = sale_id != self.sale_id
        self.sale_id = sale_id
        self._form.visible, self._list.visible = sale_id is not None, sale_id is None
        if is_other and sale_id is not None:
            when_shown(partial(self.edit.load, sale_id))

    def _opened(self, sale_id: int) -> None:
        self.open(sale_id)
        self._on_change()

    def _closed(self, _event: object) -> None:
        self.open(None)
        self._on_change()

    def __panel__(self) -> Viewable:
        return pn.Column(self._list, self._form, sizing_mode="stretch_width")


def _place() -> pn.Column:
    return pn.Column(sizing_mode="stretch_width", margin=0)
