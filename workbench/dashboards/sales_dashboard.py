"""SalesDashboard: the tiles that follow one set of filters, and one another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewable, Viewer

from workbench.components.browser.page import AddressBar, Visibility
from workbench.components.inline import is_served, when_shown, while_shown
from workbench.components.messages import Notice
from workbench.connection import Workbench
from workbench.dashboards.bars import (
    RevenueByCashier,
    RevenueByCategory,
    RevenueByPaymentMethod,
    RevenueByStore,
    TopProductsByQuantity,
    TopProductsByRevenue,
)
from workbench.dashboards.dashboard_file import DownloadButton, freeze_button, write_dashboard
from workbench.dashboards.feed import Feed, Moment
from workbench.dashboards.filter_bar import FilterBar
from workbench.dashboards.heatmap import BusyHours
from workbench.dashboards.kpis import AvgTransaction, ItemsSold, TotalRevenue, TotalTransactions
from workbench.dashboards.over_time import RevenueOverTime
from workbench.dashboards.sale_list import SalesTab
from workbench.dashboards.tables import (
    Baskets,
    Customers,
    DiscountsByCategory,
    DiscountsByStore,
    ProductTable,
    RecentSales,
)
from workbench.dashboards.tile import Tile, card, column
from workbench.dashboards.tile_card import PageLine
from workbench.dashboards.view_menu import ViewDialog, ViewMenu
from workbench.filters import Filters, from_query, to_query, unread
from workbench.filters.saved_views import SavedViews
from workbench.locale import N_, _

TABS = {
    "overview": N_("Overview"),
    "products": N_("Products"),
    "customers": N_("Customers and discounts"),
    "sales": N_("Sales"),
}
OVERVIEW: tuple[type[Tile], ...] = (
    *(TotalTransactions, TotalRevenue, ItemsSold, AvgTransaction),
    *(RevenueOverTime, TopProductsByRevenue, TopProductsByQuantity),
    *(RevenueByStore, RevenueByCategory, RevenueByPaymentMethod, RevenueByCashier, BusyHours, RecentSales),
)
TILES: dict[str, tuple[type[Tile], ...]] = {
    "overview": OVERVIEW,
    "products": (ProductTable, Baskets),
    "customers": (Customers, DiscountsByCategory, DiscountsByStore),
}
ON_FIRST_SCREEN = 5  # of these
# The filters stay in view, where they leave room for what they filter; many of them scroll in themselves.
STICKS = """
:host { position: sticky; top: 0; z-index: 5; max-height: 50dvh; overflow-y: auto; }
@media (max-height: 480px) { :host { position: static; max-height: none; } }
/* Its height before its fields are drawn: what stands below it would move down. */
:host { min-height: 200px; }
@media (min-width: 1180px) { :host { min-height: 152px; } }
"""
# A tab that is not shown keeps its size: nothing is laid out or painted anew when it comes back. A style alone, as a
# class, or to be visible, has Bokeh measure the whole page.
SHOWN = {"content-visibility": "visible", "height": "auto", "overflow": "visible"}
AWAY = {"content-visibility": "hidden", "height": "0", "overflow": "hidden"}
OTHERS = ("tab", "live", "sale")  # what an address holds besides the filters
CHOICES_MS = 2000


class SalesDashboard(Viewer):
    """Page "Analytics", usable alone in a notebook: ``SalesDashboard(workbench)``.

    The address holds its whole state. What an address asks that cannot be is left out, and said.
    """

    def __init__(self, workbench: Workbench, filters: Filters | None = None) -> None:
        super().__init__()
        self.feed = Feed(workbench, filters)
        self.feed.page = uuid4().hex
        self.sales = SalesTab(self.feed, self._stepped)
        self._tiles: dict[str, list[Tile]] = {}
        self._pages: dict[str, pn.Column] = {}
        self._shown = column(css="gap: 0;")
        self._live = pmui.Switch(label=_("Live"), value=True, margin=0)
        # The tabs hold nothing: what they do not show they take off the page, and draw it anew when it comes back.
        self._tabs = pmui.Tabs(min_height=48, sizing_mode="stretch_width", sx={"display": "flex"})
        self._tabs._names = [_(title) for title in TABS.values()]  # Panel has no way to name a tab of nothing
        self._address, self._visibility = AddressBar(self._read), Visibility()
        self._said, self._state = Notice(closeable=True), Notice()
        self._is_reading = False
        location = pn.state.location if is_served() else None  # in a notebook it would be the notebook's own
        self._read((location.search if location is not None else "") or self.query)
        views = SavedViews(workbench.engines, workbench.reader, self.feed.read_position)
        self.views = ViewMenu(partial(ViewDialog, views, lambda: self.query, self._open_view))
        files = [
            DownloadButton(self.feed, self._write, "dashboard", kind, label=label, icon=icon)
            for kind, label, icon in (("xlsx", "Excel", "table_view"), ("html", "HTML", "description"))
        ]
        self.bar = FilterBar(self.feed, self._live, self.views, freeze_button(self.feed), *files)
        self._connect()

    def tiles(self, name: str) -> list[Tile]:
        """The tiles of a tab, which are made when it is first shown."""
        if name not in self._tiles:
            self._tiles[name] = [self.sales.list] if name == "sales" else [kind(self.feed) for kind in TILES[name]]
            if name == "overview" and is_served():  # elsewhere nobody may be there to say that he sees it
                for tile in self._tiles[name][ON_FIRST_SCREEN:]:
                    tile.wait_until_near()
            self._pages[name] = column(*self._laid_out(name, self._tiles[name]), css="gap: 16px;")
            self._shown.append(self._pages[name])
        return self._tiles[name]

    def _every_tile(self) -> list[Tile]:
        """All but the table of sales, which has its own download; apart from those that are shown."""
        return [kind(self.feed) for kinds in TILES.values() for kind in kinds]

    def save(self, path: str | Path) -> None:
        """Writes all tiles as one file that says first what they are of.

        By the end of its name: .xlsx has all rows of each in a sheet, .html and .pdf what it shows; PDF needs Chromium.
        Raises WorkbenchError.
        """
        self._write(Path(path), self.feed.moment())

    to_excel = save

    def _write(self, path: Path, moment: Moment) -> None:
        write_dashboard(path, moment, self._every_tile())

    def _laid_out(self, name: str, tiles: Sequence[Tile]) -> list[Any]:
        if name == "overview":
            return [grid(4, *tiles[:4], phone=2), tiles[4], grid(2, *tiles[5:])]
        if name == "customers":
            return [tiles[0], grid(2, *tiles[1:])]
        return [self.sales] if name == "sales" else list(tiles)

    def _connect(self) -> None:
        self._tabs.param.watch(self._switched, "active")
        self._live.param.watch(self._paused, "value")
        self.feed.filters.param.watch(lambda *_events: self._stepped(), list(self.feed.filters.param.values()))
        self.feed.param.watch(self._show_problem, "problem")
        self._visibility.param.watch(lambda event: self.feed.be_seen(event.new), "is_visible")

    @property
    def tab(self) -> str:
        """The name of the tab that is shown."""
        return list(TABS)[self._tabs.active]

    def _switched(self, _event: Any) -> None:
        self._show_tab()
        self._stepped()

    def _show_tab(self) -> None:
        """Shows the page of the tab; only its tiles are asked for, those that were there catch up."""
        tiles = self.tiles(self.tab)
        for name, page in self._pages.items():
            page.styles = SHOWN if name == self.tab else AWAY
        self.feed.show(tiles)

    def _paused(self, event: Any) -> None:
        self.feed.is_paused = not event.new
        if event.new:
            self.feed.renew()  # not look(): it may be resting, and a person waits
        self._stepped()

    def _show_problem(self, event: Any) -> None:
        self._state.title = event.new

    def _follow(self, view: Viewable) -> None:
        self._address.put(self.query, is_step=False)
        self.feed.follow(view)
        while_shown(view, self.bar.follow, CHOICES_MS)
        pn.state.execute(self.bar.load_names)

    @property
    def query(self) -> str:
        """The whole state as the query of an address."""
        sale = "" if self.sales.sale_id is None else str(self.sales.sale_id)
        live = "no" if self.feed.is_paused else "yes"
        return to_query(self.feed.filters, tab=self.tab, live=live, sale=sale)

    def _stepped(self) -> None:
        if not self._is_reading:
            self._address.put(self.query, is_step=True)

    def _read(self, query: str, said: Sequence[str] = ()) -> None:
        """Takes the state from an address; none has the defaults. What cannot be used is told after ``said``."""
        self._is_reading = True
        try:
            found, refused = from_query(self.feed.filters, query, OTHERS)
            problems = [*said, *refused]
            tab, live, sale = (found.get(name, "") for name in OTHERS)
            if tab not in ("", *TABS):
                problems.append(_("There is no tab {name}.", name=repr(tab[:60])))
            self._tabs.active = list(TABS).index(tab) if tab in TABS else 0
            self._live.value = live != "no"
            self.feed.is_paused = live == "no"
            self.sales.open(int(sale) if sale.isascii() and sale.isdigit() and len(sale) < 19 else None)
            self._show_tab()
        finally:
            self._is_reading = False
        self._said.say(" ".join(problems))

    def _open_view(self, state: str) -> None:
        unknown = unread(state, OTHERS)
        damaged = _(
            "This view was saved by another version, or is damaged: {names} means nothing here.",
            names=", ".join(unknown),
        )
        self._read(f"?{state}", [damaged] if unknown else [])
        self._stepped()

    def __panel__(self) -> Viewable:
        for_page = [self._address, self._visibility, self.sales.kept] if is_served() else []  # a notebook's is not ours
        placeless = column(self.feed.downloads, *for_page, css="position: absolute;")
        top = card(self.bar, PageLine(self.feed.page), placeless)
        top.stylesheets = [*top.stylesheets, STICKS]
        view = column(self._said, self._state, top, self._tabs, self._shown, css="gap: 16px;")
        when_shown(partial(self._follow, view))
        return view


def grid(columns: int, *tiles: Viewable | Viewer, phone: int = 1) -> pn.Column:
    """Tiles side by side: two on a tablet, ``phone`` on a phone."""
    css = "display: grid; gap: 16px;"
    for width, count in ((0, phone), (600, min(columns, 2)), (900, columns)):
        css += f"@media (min-width: {width}px) {{ grid-template-columns: repeat({count}, minmax(0, 1fr)); }}"
    return column(*tiles, css=css)
