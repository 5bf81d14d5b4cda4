"""Explore: any metrics by one or two dimensions, as charts or as a table; and My dashboard, of saved questions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param
from panel.viewable import Viewable, Viewer

from workbench.components import theme
from workbench.components.browser.page import AddressBar, Visibility
from workbench.components.fields import LOW_CHOICE
from workbench.components.inline import is_served, read_aside, when_shown, while_shown
from workbench.components.messages import Message, Notice, failures_said
from workbench.connection import Workbench
from workbench.dashboards.dashboard_file import DownloadButton
from workbench.dashboards.feed import Feed, Moment
from workbench.dashboards.filter_bar import FIELD, FilterBar, flow_of, select
from workbench.dashboards.question_charts import tiles_of
from workbench.dashboards.sales_dashboard import AWAY, CHOICES_MS, SHOWN, grid
from workbench.dashboards.tile import Tile, card, column, html
from workbench.dashboards.view_menu import ViewDialog, ViewMenu
from workbench.filters import GRAINS, Filters, from_query, to_query
from workbench.filters.question import BY, NAMES, SHAPES, Asked, Question
from workbench.filters.saved_views import SavedView, SavedViews
from workbench.locale import N_, _
from workbench.metrics import METRICS
from workbench.reports.freeze import question_notebook

NONE = "–"
OTHERS = (*NAMES, "live", "tab")
TABS = {"question": N_("Question"), "mine": N_("My dashboard")}
NO_METRIC = N_("Choose at least one metric.")


class QuestionFields(Viewer):
    """Widgets for a question and the grain of the filters, both ways; beside them what cannot be given."""

    question: Any = param.ClassSelector(class_=Question)
    first_by: Any = param.Selector(default="", objects=["", *BY])
    second_by: Any = param.Selector(default="", objects=["", *BY])

    def __init__(self, question: Question, filters: Filters) -> None:
        super().__init__(question=question)
        layout = {name: value for name, value in FIELD.items() if name != "size"}
        metrics = {metric.label: name for name, metric in METRICS.items()}
        self._metrics = pmui.MultiChoice.from_param(
            question.param.metrics,
            label=_("Metrics"),
            options=metrics,
            visual_size="small",
            searchable=True,
            stylesheets=[LOW_CHOICE],
            **layout,
        )
        by = {"": NONE, **BY}
        self._by = [select(self.param.first_by, _("By"), by), select(self.param.second_by, _("And by"), by)]
        self._grain = select(filters.param.grain, _("Days as"), GRAINS)
        self._shape = select(question.param.shape, _("Show as"), SHAPES)
        self._refused = html()
        self._refused.visible = False
        self._show_by()

    @param.depends("question.by", watch=True)
    def _show_by(self) -> None:
        first, second = (*self.question.by, "", "")[:2]
        self.param.update(first_by=first, second_by=second)
        self._grain.visible = "day" in self.question.by

    @param.depends("first_by", "second_by", watch=True)
    def _ask_by(self) -> None:
        self.question.by = list(dict.fromkeys(name for name in (self.first_by, self.second_by) if name))
        self._show_by()  # the same dimension chosen twice is one

    def refuse(self, sentences: Sequence[str]) -> None:
        """Says what cannot be given."""
        text = "".join(f"<p>{theme.esc(sentence)}</p>" for sentence in sentences)
        self._refused.param.update(object=f'<div class="note bad" role="status">{text}</div>', visible=bool(text))

    def __panel__(self) -> Viewable:
        fields = column(self._metrics, *self._by, self._grain, self._shape, css=flow_of(5))
        return column(fields, self._refused, css="gap: 12px;")


class Explore(Viewer):
    """Page "Explore", usable alone in a notebook: ``Explore(workbench)``.

    The address holds its whole state. What an address asks that cannot be is left out, and said.
    """

    def __init__(self, workbench: Workbench, filters: Filters | None = None) -> None:
        super().__init__()
        self.feed, self.question = Feed(workbench, filters), Question()
        self.tiles: list[Tile] = []
        self._shown: tuple[Asked, str] | None = None
        self._place = column(css="gap: 16px;")
        views = SavedViews(workbench.engines, workbench.reader, self.feed.read_position, is_question=True)
        self.mine = MyDashboard(workbench, views)
        self.views = ViewMenu(partial(ViewDialog, views, lambda: self._query(), self._open_view, self.mine.load))
        self._tabs = pmui.Tabs(
            *((_(title), pn.Spacer(height=0)) for title in TABS.values()), min_height=48, sizing_mode="stretch_width"
        )
        self._pages = {name: column(css="gap: 16px;") for name in TABS}
        self._live = pmui.Switch(label=_("Live"), value=True, margin=0)
        self._address, self._visibility = AddressBar(self._read), Visibility()
        self._said, self._state = Notice(closeable=True), Notice()
        self._is_reading = self._is_shown = False
        self._fields = QuestionFields(self.question, self.feed.filters)
        location = pn.state.location if is_served() else None
        self._read((location.search if location is not None else "") or self.query)
        notebook = DownloadButton(
            self.feed, self._write_notebook, "question", "ipynb", label=_("Open as notebook"), icon="menu_book"
        )
        self.bar = FilterBar(self.feed, self._live, self.views, notebook, is_compared=False)
        self._connect()

    def _connect(self) -> None:
        self._live.param.watch(self._paused, "value")
        self._tabs.param.watch(self._switched, "active")
        self.question.param.watch(lambda *_events: self._changed(), ["metrics", "by", "shape"])
        self.feed.filters.param.watch(lambda *_events: self._changed(), list(self.feed.filters.param.values()))
        self.feed.param.watch(self._show_problem, "problem")
        self._visibility.param.watch(lambda _event: self._see(), "is_visible")

    @property
    def tab(self) -> str:
        """The name of the tab that is shown."""
        return list(TABS)[self._tabs.active]

    @property
    def query(self) -> str:
        """The whole state as the query of an address."""
        return self._query(tab=self.tab)

    def _query(self, **others: str) -> str:
        live = "no" if self.feed.is_paused else "yes"
        return to_query(self.feed.filters, **self.question.texts(), live=live, **others)

    def _switched(self, _event: Any) -> None:
        self._see()
        if not self._is_reading:
            self._address.put(self.query, is_step=True)

    def _see(self) -> None:
        """Shows the tab; what is behind it, or behind another page, is not fed."""
        for name, shown in self._pages.items():
            shown.styles = SHOWN if name == self.tab else AWAY
        is_visible = self._visibility.is_visible
        self.feed.be_seen(is_visible and self.tab == "question")
        if self._is_shown:
            pn.state.execute(partial(self.mine.be_seen, is_visible and self.tab == "mine"))

    def _open_view(self, state: str) -> None:
        self._read(f"?{state}")
        self._see()
        self._address.put(self.query, is_step=True)

    def _write_notebook(self, path: Path, _moment: Moment) -> None:
        asked, _refused = self.asked()
        path.write_text(question_notebook(asked.metrics, asked.by, self.feed.filters), encoding="utf-8")

    def _changed(self) -> None:
        if not self._is_reading:
            self._show()
            self._address.put(self.query, is_step=True)

    def _paused(self, event: Any) -> None:
        self.feed.is_paused = not event.new
        if event.new:
            self.feed.renew()
        self._changed()

    def _read(self, query: str) -> None:
        """Takes the state from an address; none has the defaults. What cannot be used is told."""
        self._is_reading = True
        try:
            found, problems = from_query(self.feed.filters, query, OTHERS)
            self.feed.filters.comparison = "none"
            problems += self.question.read(found)
            tab, live = found.get("tab", ""), found.get("live", "")
            if tab not in ("", *TABS):
                problems.append(_("There is no tab {name}.", name=repr(tab[:60])))
            self._tabs.active = list(TABS).index(tab) if tab in TABS else 0
            self._live.value = live != "no"
            self.feed.is_paused = live == "no"
            self._show()
        finally:
            self._is_reading = False
        self._said.say(" ".join(problems))

    def asked(self) -> tuple[Asked, list[str]]:
        """What is put to the engine now, and what cannot be."""
        return self.question.asked_now(self.feed.filters, self.feed.workbench.clock.now())

    def _show(self) -> None:
        """Draws another question by other tiles; another filter is followed by those that are there."""
        asked, refused = self.asked()
        self._fields.refuse(refused if self.question.metrics else [_(NO_METRIC)])
        shown = (asked, self.question.shape)
        if shown == self._shown:
            return
        self._shown, self.tiles = shown, tiles_of(self.feed, *shown)
        self._place.objects = laid_out(self.tiles)
        self.feed.show(self.tiles)

    def _show_problem(self, event: Any) -> None:
        self._state.title = event.new

    def _follow(self, view: Viewable) -> None:
        self._address.put(self.query, is_step=False)
        self.feed.follow(view)
        self._is_shown = True
        self._see()
        while_shown(view, self.bar.follow, CHOICES_MS)
        pn.state.execute(self.bar.load_names)

    def __panel__(self) -> Viewable:
        for_page = [self._address, self._visibility] if is_served() else []
        placeless = column(self.feed.downloads, *for_page, css="position: absolute;")
        top = card(column(self._fields, self.bar, css="gap: 16px;"), placeless)
        self._pages["question"].objects, self._pages["mine"].objects = [top, self._place], [self.mine]
        view = pmui.Column(
            self._said,
            self._state,
            self._tabs,
            column(*self._pages.values(), css="gap: 0;"),
            sx={"gap": "16px"},
            sizing_mode="stretch_width",
            margin=0,
        )
        when_shown(partial(self._follow, view))
        return view


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
