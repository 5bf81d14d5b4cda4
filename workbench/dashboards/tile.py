"""Tile: a title, something drawn from one frame, and who answered as of when."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

import pandas as pd
import panel as pn
import panel_material_ui as pmui
import param
from panel.viewable import Viewable, Viewer

from workbench.catalogue.names import Names, with_names
from workbench.components import theme
from workbench.components.inline import when_shown
from workbench.components.panel_fixes.served import Own
from workbench.connection import Workbench
from workbench.dashboards.feed import Feed, Found, Moment
from workbench.dashboards.tile_card import Button, Still, TileCard, content, picture, stylesheets
from workbench.database.failures import called
from workbench.database.replication import Answer
from workbench.database.sql_files import drawable
from workbench.errors import WorkbenchError
from workbench.files import FORMATS, file_name, format_of, of_frame, write
from workbench.filters import Filters
from workbench.locale import N_, _
from workbench.metrics import MetricQuery
from workbench.servers.disk import write_whole

T = TypeVar("T")
MOST_KEPT = 500  # kept; beyond it those that nobody has asked for longest go
_lock = threading.Lock()
_made: OrderedDict[tuple[int, Hashable], tuple[Any, Any]] = OrderedDict()


def once(of: object, key: Hashable, make: Callable[[], T]) -> T:
    """What ``make`` makes of this very object; ``key`` names what else it depends on. Nobody may change either."""
    place = (id(of), key)  # the object is kept with it, so that no other one gets its id
    with _lock:
        if place in _made:
            _made.move_to_end(place)
            return cast(T, _made[place][1])
    made = make()
    with _lock:
        _made[place] = (of, made)
        while len(_made) > MOST_KEPT:
            _made.popitem(last=False)
    return made


SHOWN = {"html": "HTML", "pdf": "PDF"}  # files of what a tile shows, beside those of its figures
MOST_ROWS = 1_000  # that a browser is given of a table
NOTHING_FOUND = N_("No sales match. Choose another period, or clear a filter.")


class Tile(Viewer):
    """Draws one frame, again only when it has changed. Stands alone: ``RevenueByStore(workbench)``.

    Tiles that stand alone and are given the same ``filters`` follow one another. A tile of a Feed has the feed's.

    A kind of tile says what it asks (``fetch``, off the event loop) and how it draws it (``draw``, in the page).
    """

    title = ""  # in English, as its files are named
    about = ""  # what the figures are, in a few words below the title
    limit_seconds = 15.0  # older figures are amber, those older than ten times as much are red
    most = 15  # rows, or bars, that are shown until somebody wants all
    is_slow = False  # asked apart, so that the others need not wait for it
    has_chart = False  # drawn for the first time after the others, which need not wait for it
    is_alike = False  # what is fetched depends on the kind of tile and the moment alone: one is asked for all pages
    files: ClassVar[Mapping[str, str]] = FORMATS  # what it can be downloaded as, by the ends of their names
    height = 0  # pixels that are kept for what is not drawn yet

    def __init__(self, source: Workbench | Feed, filters: Filters | None = None) -> None:
        super().__init__()
        self.is_alone = not isinstance(source, Feed)
        self.feed = source if isinstance(source, Feed) else Feed(source, filters)
        self._shown: tuple[object, pd.DataFrame] | None = None
        self._engine = ""  # who answered it
        self.is_drawn = False  # all that it is made of is on the page: from now on it is only written
        self.is_whole = False  # all rows are shown
        words = {"title": self.title, "heading": self.heading, "about": _(self.about), "page": self.feed.page}
        words["text"] = self._blank("waiting", _("Loading …"))
        self.card = TileCard(
            self._pressed, self.feed.workbench.clock, limit=self.limit_seconds, files=list(self.files.items()), **words
        )
        self.card.param.watch(self._came_near, "is_near")

    @property
    def heading(self) -> str:
        """Its title as people read it."""
        return _(self.title)

    def asks(self, moment: Moment) -> Iterable[MetricQuery]:
        """What ``fetch`` is going to ask of ``moment``, so that all tiles of a page are asked together."""
        return ()

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """The frame for ``moment``. Raises WorkbenchError."""
        raise NotImplementedError

    def draw(self, moment: Moment, frame: pd.DataFrame) -> None:
        """Shows a frame that has at least one row, by ``card.fill``."""
        raise NotImplementedError

    def variant(self) -> Hashable:
        """What of this tile alone ``prepare`` depends on."""
        return None

    def prepared(self, moment: Moment, frame: pd.DataFrame) -> Any:
        """What ``prepare`` makes of the frame, made once for all pages that draw it alike."""
        key = (type(self), self.currency, self.depends_on(moment), self.variant(), moment.key())
        return once(frame, key, partial(self.prepare, moment, frame))

    def prepare(self, moment: Moment, frame: pd.DataFrame) -> Any:
        """What ``draw`` shows of a frame; nobody changes it. For tiles that make something of it."""
        return frame

    def drawn(self) -> Viewable | None:
        """The component that ``draw`` draws into, asked for once, after the first ``draw``; None draws text alone."""
        return None

    def pressed(self, button: str) -> None:
        """Somebody has pressed a button of the head; for tiles that offer some."""

    def _pressed(self, button: str) -> None:
        kind = button.removeprefix("file ")
        if kind != button and kind in FORMATS:
            pn.state.execute(partial(self._hand_out, kind))
        else:
            self.pressed(button)

    async def _hand_out(self, kind: str) -> None:
        name = file_name(self.title, self.feed.moment().now, kind)
        self.card.saying = _("Writing {file} …", file=name)
        try:
            await self.feed.downloads.write(name, self.save)
        except WorkbenchError as error:
            self.card.saying = str(error)
        else:
            self.card.saying = ""

    def for_file(self, frame: pd.DataFrame) -> pd.DataFrame:
        """What of a frame stands in a file: all of it, unless there is more in it than one value a cell.

        Behind the id of a store or a cashier stands its name, where the catalogue has any.
        """
        return with_names(frame, self.known_names)

    def save(self, path: str | Path) -> None:
        """Writes ``frame(exact=True)``, all its rows, into a file whose name ends with .csv, .xlsx or .parquet.

        What is shown is written by .html and .pdf, a chart by .png and .svg too; all but HTML need Chromium.
        Raises FileRefused for another ending, and WorkbenchError.
        """
        kind = format_of(Path(path), [*self.files, *SHOWN])
        if kind in FORMATS:
            with of_frame(self.for_file(self.frame(exact=True))) as rows:
                write(rows, Path(path), self.title)
            return
        moment = self.feed.moment()
        still = self.still(moment, self.fetch(moment))
        made = content(kind, self.heading, {}, "", [still]) if kind in SHOWN else picture(still, kind)
        write_whole(Path(path), made)

    def source(self, answer: Answer[pd.DataFrame]) -> str:
        """``replica, as of 2026-11-27 14:03:22 CEST``."""
        as_of = self.feed.workbench.clock.text(answer.as_of)
        return _("{engine}, as of {moment}", engine=called(answer.engine), moment=as_of)

    def still(self, moment: Moment, answer: Answer[pd.DataFrame]) -> Still:
        """What it shows of an answer, for a file. It is drawn by this."""
        self._take(moment, answer)
        legend = tuple((kind, text) for kind, text in self.card.legend)
        return Still(self.heading, self.card.about, self.card.text, self.source(answer), legend)

    def all_button(self, count: int, most: int = MOST_ROWS) -> list[Button]:
        """A button for all rows, up to ``most``, where there are more than are shown; "all" by name."""
        label = _("All {n}", n=theme.count(count))
        if count > most:
            label = _("{shown} of {count}", shown=theme.count(most), count=theme.count(count))
        return [("all", label, self.is_whole)] if count > self.most else []

    def frame(self, *, exact: bool = False) -> pd.DataFrame:
        """The figures for the filters as they are now: columns and order as ``fetch`` says, a copy of one's own.

        Nothing is rounded that ``metrics.ask`` or ``insights`` has not rounded. Money, percents and ratios are float64,
        ready to be drawn; with ``exact=True`` they are Decimal. There is no clock in it where the filters have none:
        with fixed dates that are over the same sales give the same frame on any day.
        ``attrs`` says who answered (``engine``), as of when (``as_of``) and why it was not the replica (``note``).
        Raises WorkbenchError.
        """
        answer = self.fetch(self.feed.moment())
        frame = answer.value.copy() if exact else drawable(answer.value)
        frame.attrs |= {"engine": answer.engine, "as_of": answer.as_of, "note": answer.note}
        return frame

    def take(self, moment: Moment, answer: Found) -> None:
        """Shows an answer, or why there is none, in one message; what has not changed is not drawn again."""
        with param.parameterized.batch_call_watchers(self.card):
            if isinstance(answer, WorkbenchError):
                self._say(str(answer))
            else:
                self._take(moment, answer)

    @property
    def is_near(self) -> bool:
        """Whether somebody sees it, or nearly."""
        return bool(self.card.is_near)

    def _take(self, moment: Moment, answer: Answer[pd.DataFrame]) -> None:
        self._engine = answer.engine
        self.card.tell(answer.engine, answer.as_of, self.feed.workbench.monitor.now(), answer.note)
        shown = ((self.depends_on(moment), moment.names.position), answer.value)
        if self._shown is not None and self._shown[0] == shown[0] and same(self._shown[1], shown[1]):
            return
        if answer.value.empty:
            self._shown = shown
            self._say(_(NOTHING_FOUND))
            return
        self.draw(moment, answer.value)
        if not self.is_drawn:
            self.card.body, self.is_drawn = self.drawn(), True
        self._shown = shown

    def wait_until_near(self) -> None:
        """Is asked for and drawn once somebody comes near; until then its place is kept."""
        self.card.param.update(is_near=False, text=self._blank("unseen"))

    def _came_near(self, event: param.parameterized.Event) -> None:
        if event.new:
            self.feed.ask_late(self)

    def _blank(self, kind: str, text: str = "") -> str:
        return f'<p class="soft {kind}" style="min-height: {self.height}px">{text}</p>'

    def depends_on(self, moment: Moment) -> object:
        """What is drawn besides the frame, such as which bars are chosen."""
        return None

    def text(self, amount: Decimal | int | None) -> str:
        """Money as it is read, in the configured currency."""
        return theme.money(amount, self.currency)

    @property
    def known_names(self) -> Names:
        """What stores, cashiers and products are called."""
        return self.feed.live.names.now

    @property
    def currency(self) -> str:
        """The currency that money is in."""
        return self.feed.workbench.engines.settings.workbench_currency

    def touch(self) -> None:
        """Nothing has changed since this was shown."""
        still = self.feed.live.still(self._engine)
        if self._shown is not None and still is not None:
            self.card.touch(*still, self.feed.workbench.monitor.now())

    def _say(self, text: str) -> None:
        self.card.fill(f'<p class="soft">{theme.esc(text)}</p>', is_open=False)

    def __panel__(self) -> Viewable:
        """The card, which follows the data while it is shown, unless a dashboard sees to that."""
        if not self.is_alone:
            return self.card
        view = pn.Column(self.card, self.feed.downloads, sizing_mode="stretch_width", margin=0)
        if not self.feed.tiles:
            self.feed.show([self])
        when_shown(partial(self.feed.follow, view))
        return view


def first_of(count: int) -> str:
    """Above a table, as HTML: that these are MOST_ROWS of more rows."""
    if count <= MOST_ROWS:
        return ""
    text = _(
        "The first {shown} of {count} rows; the files have all, and a filter leaves fewer.",
        shown=theme.count(MOST_ROWS),
        count=theme.count(count),
    )
    return f'<p class="soft">{theme.esc(text)}</p>'


def same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether two frames hold the same."""
    return one is other or one.equals(other)


def html(text: str = "") -> pn.pane.HTML:
    """A pane of HTML in the workbench's look."""
    return pn.pane.HTML(text, stylesheets=stylesheets(), margin=0, sizing_mode="stretch_width")


def card(*objects: Viewable | Viewer) -> pmui.Paper:
    """A sheet of paper around ``objects``, as high as its neighbours, the last one at its foot."""
    return pmui.Paper(
        *objects,
        variant="outlined",
        margin=0,
        sx={"p": "16px 20px", "gap": "8px"},
        stylesheets=[":host, .paper { height: 100%; box-sizing: border-box; }"],
        sizing_mode="stretch_width",
    )


def column(*objects: Viewable | Viewer, css: str, more: str = "") -> pn.Column:
    """``objects`` laid out by what ``css`` says of them, with ``more`` rules; cheaper than panel-material-ui's."""
    # Panel's button for scrolling, though it is not seen, would take a place of its own.
    sheet = Own(f":host {{ {css} }} .scroll-button {{ display: none; }} {more}")
    return pn.Column(*objects, stylesheets=[sheet], sizing_mode="stretch_width", margin=0)
