"""Feed: what the tiles of one session share. It asks for all of them when the filter or the data have moved."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar

import pandas as pd
import panel as pn
import param
from bokeh.document import Document
from panel.io.document import unlocked
from panel.viewable import Viewable

from workbench.catalogue.names import Names
from workbench.components.browser.files import Downloads
from workbench.components.inline import done_at_once, is_served, read_aside, read_position_of, while_shown
from workbench.connection import Workbench
from workbench.database.replication import Answer, ReadPosition
from workbench.errors import WorkbenchError
from workbench.filters import Filters
from workbench.live import Live, shared_live
from workbench.locale import _
from workbench.metrics import MetricQuery, Source, Where

log = logging.getLogger(__name__)

T = TypeVar("T")
Found = Answer[pd.DataFrame] | WorkbenchError
LOOK_MS = 500
SPARE = 5  # a page that follows the data rests this many times as long as it was busy
MOST_REST_SECONDS = 5.0


class Fed(Protocol):
    """What a feed asks for and shows: a tile."""

    is_slow: bool
    has_chart: bool  # drawn first, it takes longer than all texts together
    is_alike: bool  # what is fetched depends on its kind and the moment alone

    @property
    def is_near(self) -> bool:
        """Whether somebody sees it, or nearly."""

    @property
    def is_drawn(self) -> bool:
        """Whether all that it is made of is on the page: from now on it is only written."""

    def asks(self, moment: Moment) -> Iterable[MetricQuery]:
        """What it will ask, so that it can be asked together with others."""

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """What it shows. Raises WorkbenchError."""

    def take(self, moment: Moment, answer: Found) -> None:
        """Shows an answer, or why there is none."""

    def touch(self) -> None:
        """Tells the time anew, as figures that stay the same grow older."""


@dataclass(frozen=True)
class Moment:
    """What is looked at, at one moment: the same for all tiles that are asked together."""

    live: Live
    read_position: ReadPosition
    filters: Filters
    now: datetime
    where: Where
    so_far: Where  # what of it is compared: a running period up to the last full hour
    comparison: Where | None

    @property
    def names(self) -> Names:
        """What stores, cashiers and products are called."""
        return self.live.names.now

    def key(self) -> Hashable:
        """All that an answer or a drawing may depend on besides the data: filters, periods, the hour, names."""
        values = [getattr(self.filters, name) for name in self.filters.param if name != "name"]
        chosen = tuple(tuple(value) if isinstance(value, list) else value for value in values)
        hour = self.now.replace(minute=0, second=0, microsecond=0)
        return chosen, self.where, self.so_far, self.comparison, hour, self.names.position

    def ask(self, metrics: Sequence[str], by: Sequence[str] = (), where: Where | None = None) -> Answer[pd.DataFrame]:
        """The metrics for what is looked at, or for another ``where``. The frame must not be changed."""
        return self.live.ask(self.read_position, metrics, by, self.where if where is None else where)

    def fetch(self, tiles: Sequence[Fed], is_wanted: Callable[[], bool] = lambda: True) -> list[tuple[Fed, Found]]:
        """What each tile shows, or why it cannot; nothing once that is not wanted any more."""
        with suppress(WorkbenchError):  # each tile then meets it itself
            self.live.ask_ahead(self.read_position, (asked for tile in tiles for asked in tile.asks(self)))
        found: list[tuple[Fed, Found]] = []
        for tile in tiles:
            if not is_wanted():
                return []
            found.append((tile, _fetched(tile, self)))
        return found

    def answer(self, key: Hashable, work: Callable[[Source], Answer[T]]) -> Answer[T]:
        """Whatever else is asked, once for each key (which names all that it depends on) and revision."""
        return self.live.answer(self.read_position, key, work)


class Feed(param.Parameterized):
    """One for each page: its filters, its database session, and the tiles that are shown.

    A change of the filters is asked for at once; an answer that is overtaken by a newer question is dropped. The data
    are followed by comparing ``Live.revision``, unless ``is_paused``.

    Tiles have one owner at a time. Whoever builds the page, on a thread, owns them until it is shown: nothing is asked
    on the event loop before ``follow``. From then on they are drawn on the event loop alone.
    """

    is_paused = param.Boolean(default=False)
    is_busy = param.Boolean(default=False)
    problem = param.String(default="")  # why figures are missing or old, in words
    page = param.String(default="")  # of a page with a line (PageLine) for all tiles: what names it

    def __init__(self, workbench: Workbench, filters: Filters | None = None, live: Live | None = None) -> None:
        super().__init__()
        self.workbench = workbench
        self.filters = filters or Filters()
        self.live = live or shared_live(workbench)
        self.read_position = read_position_of(workbench)
        self.downloads = Downloads()
        self.tiles: list[Fed] = []
        self._is_shown = False
        self._is_seen = True  # False while the page is behind another
        self._page: Document | None = None
        self._asked = 0
        self._late: list[Fed] = []  # those that somebody has come near to since
        self._revision = -1
        self._where: tuple[Where, Where | None] | None = None
        self._rests_until = 0.0
        self.filters.param.watch(lambda *_events: self.renew(), list(self.filters.param.values()))
        if is_served():
            pn.state.on_session_destroyed(self._end)

    def _end(self, _context: object) -> None:
        """The page is closed: what is still being asked for it is not drawn any more."""
        self._asked += 1
        self.tiles, self._page = [], None

    def moment(self) -> Moment:
        """What is looked at now."""
        now = self.workbench.clock.now()
        where, comparison = self.filters.where(now), self.filters.comparison_where(now)
        return Moment(self.live, self.read_position, self.filters, now, where, self.filters.so_far(now), comparison)

    def follow(self, view: Viewable) -> None:
        """Asks for the tiles, and follows the data as long as ``view`` is shown. On the event loop."""
        self._is_shown = True
        self.renew()
        while_shown(view, self.look, LOOK_MS)
        if is_served():
            self._page = pn.state.curdoc
            self.live.wakes(self)

    def wake(self) -> None:
        """Looks soon, on the event loop. Called on any thread."""
        if (page := self._page) is not None:
            page.add_next_tick_callback(self.look)

    def show(self, tiles: Iterable[Fed]) -> None:
        """From now on these tiles are asked for: the quick ones right here when what they need is in memory."""
        is_first, self.tiles = not self.tiles, list(tiles)
        if is_first and done_at_once(self._renew):
            return
        moment = self.moment()
        if self.live.is_ready:
            draw(moment, moment.fetch([tile for tile in self._near() if not tile.is_slow]))
        self.renew()

    def _near(self) -> list[Fed]:
        """The tiles that somebody sees, or nearly."""
        return [tile for tile in self.tiles if tile.is_near]

    def ask_late(self, tile: Fed) -> None:
        """Asks for a tile that somebody has come near to; for all of them together that he comes near to at once."""
        self._late.append(tile)
        if len(self._late) == 1:
            pn.state.execute(self._renew_late, schedule=True)

    async def _renew_late(self) -> None:
        tiles, self._late = self._late, []
        await self._ask(self._asked, self.moment(), [tile for tile in tiles if tile in self.tiles])

    def look(self) -> None:
        """Compares what is shown with what there is: two numbers and two filters."""
        if self.problem != self.live.problem:
            self.problem = self.live.problem
        if self.is_paused or not self._is_seen:
            return
        moment = self.moment()
        is_old = self.live.revision != self._revision or (moment.where, moment.comparison) != self._where
        if is_old and not self.is_busy and time.monotonic() >= self._rests_until:
            self.renew()
        elif not is_old:
            for tile in self.tiles:
                tile.touch()

    def be_seen(self, is_seen: bool) -> None:
        """A page that is behind another is not fed, and catches up when it is seen again."""
        self._is_seen, self._rests_until = is_seen, 0.0
        self.look()

    def renew(self) -> None:
        """Asks for all tiles that are shown; nothing while the page is being built, ``follow`` asks then."""
        if self._is_shown:
            self._asked += 1
            pn.state.execute(self._renew)

    async def _renew(self) -> None:
        asked, tiles = self._asked, self._near()
        if not tiles:
            return
        self.is_busy = True
        try:
            await asyncio.to_thread(self.live.wait_until_begun)
            began, revision, moment = time.monotonic(), self.live.revision, self.moment()
            await self._ask(asked, moment, tiles)
        finally:
            if asked == self._asked:
                self.is_busy = False
        if asked == self._asked:
            self._revision, self._where = revision, (moment.where, moment.comparison)
            now = time.monotonic()
            self._rests_until = now + min(SPARE * (now - began), MOST_REST_SECONDS)

    async def _ask(self, asked: int, moment: Moment, tiles: list[Fed]) -> None:
        quick, slow = [tile for tile in tiles if not tile.is_slow], [tile for tile in tiles if tile.is_slow]
        if self.live.is_ready:
            await asyncio.gather(*(self._renew_group(asked, moment, group) for group in (quick, *by_one(slow))))
        else:  # the database is asked: one after the other, each shown as soon as it is there
            for group in by_one([*quick, *slow]):
                await self._renew_group(asked, moment, group)

    async def _renew_group(self, asked: int, moment: Moment, tiles: list[Fed]) -> None:
        found = await read_aside(moment.fetch, tiles, lambda: asked == self._asked)

        def show(some: Collection[tuple[Fed, Found]]) -> None:
            if asked == self._asked:
                draw(moment, some)

        parts: tuple[list[tuple[Fed, Found]], ...] = ([], [])  # texts, which need not wait for new charts
        for tile, answer in found:
            parts[tile.has_chart and not tile.is_drawn].append((tile, answer))
        # Always with Bokeh's lock: without it charts can only be written to while Panel holds the page's changes back,
        # which it now and then does not, as in a page that it takes for one that is still loading.
        for some in filter(None, parts):
            pn.state.execute(partial(show, some), schedule=True)


def by_one(tiles: Sequence[Fed]) -> list[list[Fed]]:
    """Each tile as a group of its own."""
    return [[tile] for tile in tiles]


def _fetched(tile: Fed, moment: Moment) -> Found:
    """One tile's answer; an error is that tile's alone."""
    try:
        if not tile.is_alike:
            return tile.fetch(moment)
        return moment.live.once(moment.read_position, lambda: (type(tile), moment.key()), lambda: tile.fetch(moment))
    except WorkbenchError as error:
        return error
    except Exception:
        log.exception("The tile %s could not be computed", type(tile).__name__)
        return WorkbenchError(_("These figures could not be computed. The cause is in the server's log."))


def draw(moment: Moment, found: Collection[tuple[Fed, Found]]) -> None:
    """Draws tiles, which the page gets in one message; an error is its tile's alone."""
    page = pn.state.curdoc
    with (
        unlocked() if page is not None and pn.state._unblocked(page) else nullcontext(),
        # The page is walked through once for all new charts, and not at all when there are none.
        nullcontext() if page is None or all(tile.is_drawn for tile, _answer in found) else page.models.freeze(),
    ):
        for tile, answer in found:
            try:
                tile.take(moment, answer)
            except Exception:
                log.exception("The tile %s could not be drawn", type(tile).__name__)
                text = _("These figures could not be drawn. The cause is in the server's log.")
                tile.take(moment, WorkbenchError(text))
