"""Explore: what its table shows is what plain SQL says, each total by itself; and what cannot be given is said."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from datetime import date
from html import unescape
from typing import Any
from uuid import uuid4

import duckdb
import nbformat
import pandas as pd
import pytest
import sqlalchemy as sa

from tests.conftest import wait_until
from tests.examples import HOSTILE, LATTE, sale
from tests.integration.plain_metrics import plain
from workbench.connection import Workbench
from workbench.dashboards.explore import Explore, MyDashboard
from workbench.dashboards.feed import Feed
from workbench.dashboards.pivot import PivotTable
from workbench.dashboards.question_charts import tiles_of
from workbench.dashboards.question_figures import GroupNames, adds_nothing, figure_text, figures_of, totals_of
from workbench.database.replication import ReadPosition
from workbench.database.sql_files import drawable
from workbench.errors import FieldError
from workbench.filters import Filters
from workbench.filters.question import Asked, Question
from workbench.filters.saved_views import SavedViews
from workbench.live import Live
from workbench.metrics import DIMENSIONS, METRICS
from workbench.reports.freeze import question_notebook
from workbench.sample import load

QUESTIONS = 40
FILTERS: list[dict[str, Any]] = [
    {},
    {"stores": [1, 2]},
    {"categories": ["Coffee", None]},
    {"weekdays": [1, 6], "payment_methods": ["Cash"]},
    {"period": "last_30_days"},
    {"products": ["C-LAT"]},
    {"stores": [2**31 - 1]},
]


@pytest.fixture
def feed(workbench: Workbench) -> Iterator[Feed]:
    """Sample sales with returns, a line without a category, and one whose category a browser could take for HTML."""
    load(workbench.engines, 400, seed=5)
    for category in (None, HOSTILE):
        workbench.sales().create(sale(lines=[LATTE | {"category": category}]), uuid4())
    live = Live(workbench)
    live.start()
    wait_until(lambda: live.is_ready, "the columns")
    yield Feed(workbench, Filters(period="all"), live)
    live.stop()


def shown(tile: PivotTable) -> list[list[str]]:
    """The texts of the table, a list for each row; a head that is above several columns stands above each."""
    found = []
    for row in re.findall(r"<tr>(.*?)</tr>", tile.card.text):
        cells = re.findall(r"<t[dh]([^>]*)>(.*?)</t[dh]>", row)
        texts = [(unescape(re.sub("<[^>]+>", "", text)), re.search(r'colspan="(\d+)"', tag)) for tag, text in cells]
        found.append([text for text, wide in texts for _ in range(int(wide[1]) if wide else 1)])
    return found


def test_cells_and_totals_are_what_plain_sql_says(feed: Feed) -> None:
    draw = random.Random(7)
    compared = 0
    for _ in range(QUESTIONS):
        by = tuple(draw.sample(list(DIMENSIONS), draw.choice((0, 1, 2, 2))))
        names = draw.sample(list(METRICS), draw.choice((1, 2, 4)))
        asked, refused = Question(metrics=names).asked(by)
        assert len(asked.metrics) + len(refused) == len(names)
        feed.filters.clear()
        feed.filters.param.update(**{"period": "all"} | draw.choice(FILTERS))
        if asked.metrics:
            compared += _compare(feed, asked)
    assert compared > 2000


def _compare(feed: Feed, asked: Asked) -> int:
    """Compares what is shown; gives how many figures that were."""
    tile, moment = PivotTable(feed, asked), feed.moment()
    frame = tile.fetch(moment).value
    with feed.workbench.engines.master_reader.connect() as connection:
        sets = dict.fromkeys([asked.by, *((name,) for name in asked.by), ()])
        truth = {(by, name): plain(connection, name, by, moment.where) for by in sets for name in asked.metrics}
    if not any(truth[asked.by, name] for name in asked.metrics):
        assert frame.empty
        return 0
    tile.is_whole = True
    tile.draw(moment, frame)
    table, width = shown(tile), len(asked.metrics)
    has_two_heads = len(asked.by) == 2 and width > 1
    heads, rows = table[0], table[1 + has_two_heads :]
    named = GroupNames(frame, moment.names)
    keys = [{named.of(name, value): value for value in frame[name] if not _is_missing(value)} for name in asked.by]
    none = [{"(none)": None} if name == "category" else {} for name in asked.by]
    count = 0
    for row in rows:
        for place, text in enumerate(row[1:]):
            group: dict[str, Any] = {}
            if asked.by and row[0] != "Total":
                group[asked.by[0]] = (keys[0] | none[0])[row[0]]
            if len(asked.by) == 2 and heads[1 + place] != "All":
                group[asked.by[1]] = (keys[1] | none[1])[heads[1 + place]]
            metric = asked.metrics[place % width]
            found = truth[tuple(group), metric].get(tuple(group.values()), adds_nothing(metric))
            assert text == figure_text(metric, found), (asked, moment.where, row[0], heads[1 + place])
            count += 1
    return count


def test_of_too_many_pairs_those_with_the_most_are_given_and_it_is_said(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = figures_of(feed.moment(), Asked(("revenue",), ("product", "store"))).value
    products, stores = (len(totals_of(every, name, ("product", "store"))) for name in ("product", "store"))
    feed.live._made.clear()
    monkeypatch.setattr("workbench.dashboards.question_figures.MOST_PAIRS", 5 * stores)
    for by in (("product", "store"), ("day", "cashier")):
        assert _compare(feed, Asked(("revenue", "items_sold"), by)) > stores
    asked, moment = Asked(("revenue",), ("product", "store")), feed.moment()
    for tile in (PivotTable(feed, asked), *tiles_of(feed, asked, "chart")):
        tile.take(moment, tile.fetch(moment))
        assert f"Product: 5 of {products} are computed, those with the most of Revenue" in tile.card.text
    kept = figures_of(moment, asked).value
    most = totals_of(every, "product", asked.by).sort_values("revenue", ascending=False, kind="stable")
    assert set(totals_of(kept, "product", asked.by)["product"]) == set(most["product"].head(5))
    assert totals_of(kept, "store", asked.by).equals(totals_of(every, "store", asked.by))


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NaT


def test_pairs_and_their_totals_are_of_one_moment(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    source, moment = Live.source, feed.moment()

    def source_later(self: Live, read_position: ReadPosition, shown: str | None = None) -> Any:
        feed.workbench.sales().create(sale(), uuid4())
        wait_until(lambda: self.columns.catch_up(feed.workbench.reader, read_position, is_now=True), "the new sale")
        return source(self, read_position, shown)

    monkeypatch.setattr(Live, "source", source_later)  # whoever is asked again has another sale
    frame = figures_of(moment, Asked(("revenue",), ("store", "weekday"))).value
    of_kind = {total: rows["revenue"].sum() for total, rows in frame.groupby("total")}
    assert len(set(of_kind.values())) == 1, of_kind


def test_a_head_sorts_and_what_is_undefined_is_last(feed: Feed) -> None:
    tile, moment = PivotTable(feed, Asked(("return_rate", "revenue"), ("product",))), feed.moment()
    tile.draw(moment, tile.fetch(moment).value)
    for press, is_falling in (("sort 2", True), ("sort 2", False), ("sort 1", True)):
        tile.pressed(press)
        values = [row[int(press[-1])] for row in shown(tile)[1:-1]]
        known = [float(value.replace(",", "").rstrip("%")) for value in values if value != "–"]
        assert known == sorted(known, reverse=is_falling)
        assert values[len(known) :] == ["–"] * (len(values) - len(known))
        assert tile.card.text.count('aria-sort="none"') == 2
    tile.pressed("sort 99")  # no such column
    assert len(shown(tile)) > 2


@pytest.mark.parametrize(
    ("by", "kind"),
    [
        ((), "PivotTable"),
        (("week",), "QuestionLines"),
        (("store", "day"), "QuestionLines"),
        (("category",), "QuestionBars"),
        (("hour",), "QuestionBars"),
        (("hour", "weekday"), "QuestionCells"),
        (("product", "category"), "QuestionCells"),
    ],
)
def test_the_chart_is_chosen_by_the_dimensions_and_drawn(feed: Feed, by: Sequence[str], kind: str) -> None:
    asked = Question(metrics=["revenue", "discount_rate"]).asked(tuple(by))[0]
    for tile in tiles_of(feed, asked, "chart"):
        moment = feed.moment()
        answer = tile.fetch(moment)
        assert type(tile).__name__ == kind
        still = tile.still(moment, answer)
        assert (still.figure is None) == (kind == "PivotTable")
        if still.figure is not None:
            label = still.figure.html_attributes["aria-label"]
            assert (label.startswith(tile.title) and "highest" in label) or "a line each" in label
        assert HOSTILE not in still.html
        tile.take(moment, answer)
        feed.filters.stores = [1]
        again = feed.moment()
        tile.take(again, tile.fetch(again))
        feed.filters.stores = []
        assert not tile.card.text.startswith('<p class="soft">These figures could not')


def test_a_file_has_groups_and_totals(feed: Feed, tmp_path: Any) -> None:
    tile = PivotTable(feed, Asked(("revenue", "customers"), ("store", "month")))
    for ending in ("csv", "xlsx", "parquet"):
        tile.save(tmp_path / f"figures.{ending}")
    frame = duckdb.read_parquet(str(tmp_path / "figures.parquet")).df()
    assert set(frame["total"]) == {"", "by store", "by month", "all"}
    (all_of_it,) = frame[frame["total"] == "all"]["customers"]
    with feed.workbench.engines.master_reader.connect() as connection:
        assert all_of_it == plain(connection, "customers", (), feed.moment().where)[()]


def test_the_page_says_what_cannot_be_and_shows_the_rest(workbench: Workbench) -> None:
    page = Explore(workbench, Filters(period="all"))
    page.question.param.update(metrics=["revenue", "customers"], by=["product"], shape="table")
    assert "Customers by product cannot be given" in page._fields._refused.object
    assert [tile.title for tile in page.tiles] == ["Revenue by product"]
    page.question.metrics = []
    assert "Choose at least one metric" in page._fields._refused.object and page.tiles == []
    page._read("?metrics=sales,nonsense&by=hour&period=never&stores=1")
    assert page.question.metrics == ["sales"] and page.feed.filters.stores == [1]
    assert "'nonsense'" in page._said.title and "period cannot be 'never'" in page._said.title


@pytest.mark.parametrize("by", [(), ("week", "store"), ("category",), ("hour", "weekday")])
def test_the_notebook_asks_the_same(feed: Feed, monkeypatch: pytest.MonkeyPatch, by: tuple[str, ...]) -> None:
    monkeypatch.setattr("workbench.notebook.connect", lambda: feed.workbench)
    feed.filters.param.update(categories=["Coffee", HOSTILE], date_from=date(2000, 1, 1), period="custom")
    notebook = nbformat.reads(question_notebook(["revenue", "return_rate"], by, feed.filters), 4)
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    shared: dict[str, Any] = {}
    for cell in cells:
        exec(cell, shared)
    expected = feed.moment().ask(["revenue", "return_rate"], by).value
    pd.testing.assert_frame_equal(shared["frame"].astype(str), drawable(expected).astype(str), check_dtype=False)
    assert sum("hvplot." in cell for cell in cells[1:]) == (2 if by else 0)


def questions(workbench: Workbench, owner: str) -> SavedViews:
    return SavedViews(workbench.engines, workbench.reader, ReadPosition(), owner, is_question=True)


def test_what_was_saved_is_drawn_and_one_that_fails_costs_only_itself(workbench: Workbench) -> None:
    with workbench.engines.owner.begin() as connection:
        connection.execute(sa.text("delete from saved_view"))
    ann, bob = questions(workbench, "ann"), questions(workbench, "bob")
    ann.save(HOSTILE, "?metrics=revenue,sales&by=store&shape=chart&period=all")
    ann.save("of a metric that is gone", "?metrics=profit&by=store")
    ann.save("mine alone", "?metrics=customers&by=hour&shape=table")
    ann.save("shared", "?metrics=returns&by=&shape=table", is_shared=True)
    mine = MyDashboard(workbench, ann)
    mine.draw(ann.find().value)
    drawn = {view.view_name: one for view, one in mine.drawn.items()}
    assert [tile.title for tile in drawn[HOSTILE].tiles] == ["Revenue by store", "Sales by store"]
    assert HOSTILE not in drawn[HOSTILE].text
    gone = drawn["of a metric that is gone"]
    assert not gone.tiles and "There is no metric &#x27;profit&#x27;" in gone.text
    kept = drawn["shared"]
    assert [view.view_name for view in bob.find().value] == ["shared"]  # nobody sees what is another's alone
    ann.delete(next(view for view in mine.drawn if view.view_name == "mine alone").saved_view_id)
    mine.draw(ann.find().value)
    assert {view.view_name: one for view, one in mine.drawn.items()}["shared"] is kept
    assert "mine alone" not in {view.view_name for view in mine.drawn}


def test_a_question_does_not_replace_a_view_of_analytics(workbench: Workbench) -> None:
    with workbench.engines.owner.begin() as connection:
        connection.execute(sa.text("delete from saved_view"))
    of_analytics = SavedViews(workbench.engines, workbench.reader, ReadPosition(), "ann")
    of_explore = questions(workbench, "ann")
    of_analytics.save("Monday", "?tab=overview&period=last_week")
    with pytest.raises(FieldError, match="another view of this name"):
        of_explore.save("Monday", "?metrics=sales", may_replace=True)
    of_explore.save("Tuesday", "?metrics=sales")
    of_explore.save("Tuesday", "?metrics=revenue", may_replace=True)
    assert [view.state for view in of_explore.find().value] == ["metrics=revenue"]
    assert [view.view_name for view in of_analytics.find().value] == ["Monday"]
