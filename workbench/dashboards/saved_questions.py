"""My dashboard: the questions that were saved, for oneself or for all, one below another, each by its own filters."""

from __future__ import annotations

from collections.abc import Sequence

from panel.viewable import Viewable, Viewer

from workbench.components import theme
from workbench.components.inline import read_aside
from workbench.components.messages import Message, failures_said
from workbench.connection import Workbench
from workbench.dashboards.feed import Feed
from workbench.dashboards.question_charts import tiles_of
from workbench.dashboards.sales_dashboard import grid
from workbench.dashboards.tile import Tile, column, html
from workbench.filters import Filters, from_query
from workbench.filters.question import NAMES, Question
from workbench.filters.saved_views import SavedView, SavedViews
from workbench.locale import N_, _

MOST = 20  # each follows the data by itself
NONE_YET = N_("Nothing saved yet. Ask something, and save it by “Views”: it then stands here.")


def laid_out(tiles: Sequence[Tile]) -> list[Viewable | Viewer]:
    """One across the page, several in two columns."""
    return [grid(2, *tiles)] if len(tiles) > 1 else list(tiles)


class SavedQuestion(Viewer):
    """One saved question: its name, and what draws it or why that cannot be."""

    def __init__(self, workbench: Workbench, view: SavedView, owner: str) -> None:
        super().__init__()
        question = Question()
        self.feed = Feed(workbench, Filters())
        found, problems = from_query(self.feed.filters, view.state, (*NAMES, "live"))
        problems += question.read(found)
        self.feed.filters.comparison = "none"
        asked, refused = question.asked_now(self.feed.filters, workbench.clock.now())
        is_lost = not set(found.get("metrics", "").split(",")) & set(question.metrics)  # none is there any more
        self.tiles = [] if is_lost else tiles_of(self.feed, asked, question.shape)
        self._said = [*problems, *refused]
        whose = _("for all") if view.owner == owner else _("by {who}", who=view.owner)
        self._name = f"{view.view_name} ({whose})" if view.is_shared else view.view_name

    @property
    def text(self) -> str:
        """What is said above the tiles, as HTML."""
        problems = "".join(f'<p class="note bad">{theme.esc(problem)}</p>' for problem in self._said)
        return f"<h2>{theme.esc(self._name)}</h2>{problems}"

    def follow(self, view: Viewable) -> None:
        """Asks, and follows the data. On the event loop."""
        self.feed.show(self.tiles)
        self.feed.follow(view)

    def end(self) -> None:
        """It is shown no more."""
        self.feed.is_paused, self.feed.tiles = True, []

    def __panel__(self) -> Viewable:
        return column(html(self.text), *laid_out(self.tiles), self.feed.downloads, css="gap: 8px;")


class MyDashboard(Viewer):
    """All that this person may open: own ones first, then those that others share. One that fails costs only itself."""

    def __init__(self, workbench: Workbench, views: SavedViews) -> None:
        super().__init__()
        self._workbench, self._views = workbench, views
        self.drawn: dict[SavedView, SavedQuestion] = {}
        self._is_seen = False
        self._message, self._words = Message(), html()
        self._place = column(css="gap: 24px;")

    async def be_seen(self, is_seen: bool) -> None:
        """What is behind another tab, or behind another page, is not fed; what is seen again has what was saved."""
        self._is_seen = is_seen
        if is_seen:
            await self.load()
        for one in self.drawn.values():
            one.feed.be_seen(is_seen)

    async def load(self) -> None:
        """Draws what there is now; what is still there is not drawn anew."""
        if not self._is_seen:
            return
        with failures_said(self._message, is_saving=False):
            self.draw((await read_aside(self._views.find)).value)

    def draw(self, views: Sequence[SavedView]) -> None:
        """Draws the first of these."""
        before, shown = self.drawn, views[:MOST]
        for view in before.keys() - set(shown):
            before[view].end()
        self.drawn = {view: before.get(view) or self._question(view) for view in shown}
        self._place.objects = list(self.drawn.values())
        self._words.object = _more(views)
        for view in self.drawn.keys() - before.keys():
            self.drawn[view].follow(self._place)

    def _question(self, view: SavedView) -> SavedQuestion:
        return SavedQuestion(self._workbench, view, self._views.owner)

    def __panel__(self) -> Viewable:
        return column(self._message, self._words, self._place, css="gap: 16px;")


def _more(views: Sequence[SavedView]) -> str:
    left = ", ".join(view.view_name for view in views[MOST:])
    text = _("Not drawn, open by “Views”: {names}.", names=left) if left else "" if views else _(NONE_YET)
    return f'<p class="soft">{theme.esc(text)}</p>' if text else ""
