"""A chart is drawn once by hvplot; after that its data is written, and no more than what has changed is sent."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
import pytest
from bokeh.document import Document
from bokeh.events import Tap
from bokeh.io.doc import patch_curdoc
from bokeh.models import FactorRange, NumeralTickFormatter
from bokeh.plotting import figure

from workbench.config import Settings
from workbench.dashboards.bars import BarTile
from workbench.dashboards.chart import NO_WIDTH, SHARED, _same, copied, on_click, serialized, short, write

BARS = pd.DataFrame(
    {
        "label": ["Store 2", "Store 1"],
        "revenue": [5.0, 7.5],
        "name": ["Store 2", "Store 1"],
        "text": ["USD 5.00", "USD 7.50"],
        "value": ["5.00", "7.50"],
        "share": ["40.0%", "60.0%"],
        "change": ["+2.0%", "–"],
        "color": ["#0072b2", "#0072b2"],
        "alpha": [1.0, 1.0],
    }
)


@pytest.fixture
def drawn() -> Any:
    """The figure that bars are drawn as."""
    hv.Store.set_current_backend("bokeh")
    tile: Any = SimpleNamespace(height=300, reads={"Store": "name", "Share": "share"}, unit="Revenue (USD)")
    return copied(serialized(hv.render(BarTile.plot(tile, BARS))))


def sent(figure: Any, *frames: pd.DataFrame) -> list[Any]:
    """What goes to the browser when frames are written, one after the other."""
    document, events = Document(), []
    document.add_root(figure)
    document.on_change(events.append)
    for data in frames:
        write(figure, data)
    return events


def test_marks_look_as_the_columns_say_though_all_had_the_same_at_first(drawn: Any) -> None:
    write(drawn, BARS.assign(alpha=[0.3, 1.0], color=["#d55e00", "#0072b2"]))
    (bars,) = drawn.renderers
    assert (bars.glyph.fill_alpha.field, bars.glyph.fill_color.field) == ("alpha", "color")
    assert list(bars.data_source.data["alpha"]) == [0.3, 1.0]
    assert list(bars.data_source.data["color"]) == ["#d55e00", "#0072b2"]


def test_only_the_columns_that_have_changed_are_sent_in_one_event(drawn: Any) -> None:
    changed = BARS.assign(revenue=[6.0, 7.5], text=["USD 6.00", "USD 7.50"])
    (event,) = sent(drawn, changed, changed.copy())
    assert set(event.cols) == {"revenue", "text"}


def test_other_bars_and_more_of_them_are_written_into_the_same_figure(drawn: Any) -> None:
    more = pd.concat([BARS.assign(label=["Store 9", "Store 2"]), BARS.head(1).assign(label="Store 1")])
    before = drawn.renderers[0].data_source
    sent(drawn, more)
    assert isinstance(drawn.y_range, FactorRange)
    assert drawn.y_range.factors == ["Store 9", "Store 2", "Store 1"]
    places = drawn.extra_y_ranges["values"].factors  # at the right end of the bars, each of them in its row
    assert [text.replace(NO_WIDTH, "") for text in places] == ["5.00", "7.50", "5.00"] and len(set(places)) == 3
    assert drawn.renderers[0].data_source is before
    assert {len(values) for values in before.data.values()} == {3}


def test_a_copy_is_the_same_chart_and_shares_no_model_with_another(drawn: Any) -> None:
    first, second = copied(serialized(drawn)), copied(serialized(drawn))
    kinds = [sorted(type(model).__name__ for model in figure.references()) for figure in (drawn, first, second)]
    assert kinds[0] == kinds[1] == kinds[2] and len(kinds[0]) > 20
    ids = [{model.id for model in figure.references()} for figure in (drawn, first, second)]
    assert not (ids[0] & ids[1] or ids[1] & ids[2])
    write(first, BARS.assign(revenue=[1.0, 2.0]))
    assert list(second.renderers[0].data_source.data["revenue"]) == [5.0, 7.5]


def test_charts_of_one_page_share_what_says_how_they_are_drawn_and_nothing_of_what(drawn: Any) -> None:
    text, parts = serialized(drawn), {}
    first, second = copied(text, parts), copied(text, parts)
    shared = first.references() & second.references()
    assert {type(model).__name__ for model in shared} == SHARED and len(shared) == len(parts) == len(SHARED)
    assert len(second.references()) < 2 * len(second.references() - shared)
    page = Document()
    page.add_root(first)
    page.add_root(second)
    page.remove_root(first)
    assert {model.document for model in second.references()} == {page}
    assert len(copied(text, {}).references()) == len(second.references())


def test_what_is_shared_may_be_referred_to_several_times() -> None:
    made = figure()
    made.xaxis.formatter = made.yaxis.formatter = NumeralTickFormatter()
    parts: dict[str, Any] = {}
    first, second = (copied(serialized(made), parts) for _ in range(2))
    assert first.xaxis.formatter is second.xaxis.formatter is second.yaxis.formatter


def tile(kind: type[BarTile]) -> Any:
    """A tile without a page, that has its data."""
    made: Any = kind.__new__(kind)
    about = {"noun": "Store", "narrows": "stores", "metric": "revenue", "_most_shown": 0, "is_whole": False}
    feed = SimpleNamespace(workbench=SimpleNamespace(engines=SimpleNamespace(settings=Settings(_env_file=None))))
    vars(made).update(about, _data=BARS, feed=feed)
    return made


def test_a_chart_is_drawn_although_the_current_document_is_that_of_a_page_that_has_gone() -> None:
    """Bokeh's current document is the whole process's: while pages are built it may be one that was taken apart."""

    class Bars(BarTile):
        pass

    left = Document()
    del left._theme
    with patch_curdoc(left):
        assert tile(Bars)._figure().renderers


def test_a_chart_is_drawn_once_however_many_pages_show_it_at_once() -> None:
    """HoloViews' options are made anew when its backend is chosen: another thread found none, and drew nothing."""
    drawing, at_once = list[int](), threading.Barrier(2)

    class Bars(BarTile):
        def plot(self, data: pd.DataFrame) -> Any:
            drawing.append(1)
            return BarTile.plot(self, data)

    def page(_number: int) -> Any:
        made = tile(Bars)
        at_once.wait(10)
        return made._figure()

    with ThreadPoolExecutor(2) as pages:
        first, second = pages.map(page, range(2))
    assert len(drawing) == 1
    assert first.renderers[0].data_source is not second.renderers[0].data_source


@pytest.mark.parametrize(
    ("y", "keys", "told"), [(0.5, {}, ("Store 2", False)), (1.9, {"ctrl": True}, ("Store 1", True))]
)
def test_a_click_tells_the_bar_it_is_on_and_whether_it_adds(drawn: Any, y: float, keys: Any, told: Any) -> None:
    clicked = []
    on_click(drawn, lambda _x, label, is_adding: clicked.append((label, is_adding)))
    for place in (y, 7.0, -0.2):
        drawn._trigger_event(Tap(drawn, x=3.0, y=place, modifiers={"shift": False, **keys}))
    assert clicked == [told, (None, told[1]), (None, told[1])]


@pytest.mark.parametrize(
    ("new", "old", "is_same"),
    [
        (np.array([1.0, np.nan]), np.array([1.0, np.nan]), True),
        (np.array([1.0, np.nan]), np.array([1.0, 2.0]), False),
        (np.array([1.0]), np.array([1.0, 2.0]), False),
        (np.array([1.0]), np.array(["a"], dtype=object), False),
        (np.array(["a", None], dtype=object), np.array(["a", None], dtype=object), True),
        (np.array(["a"], dtype=object), ["a"], True),
        (np.array(["a"]), np.array(["a"]), True),
        (np.array([1.0]), [1.0], True),
        (np.array(["2026-03-01"], dtype="M8[s]"), np.array(["2026-03-01"], dtype="M8[s]"), True),
    ],
)
def test_a_column_is_compared_with_whatever_a_chart_holds(new: Any, old: Any, *, is_same: bool) -> None:
    assert _same(new, old) == is_same


def test_an_axis_from_zero_goes_below_it_while_more_was_returned_than_sold(drawn: Any) -> None:
    assert drawn.x_range.start == 0
    document = Document()
    document.add_root(drawn)
    below = BARS.assign(revenue=[-5.0, 7.5])
    write(drawn, below)
    assert drawn.x_range.start != 0
    kept = drawn.x_range
    write(drawn, below.assign(revenue=[-6.0, 7.5]))
    assert drawn.x_range is kept
    write(drawn, BARS)
    assert drawn.x_range.start == 0


def test_labels_of_thousands_of_long_names_differ_and_are_made_at_once() -> None:
    names = [f"A long name that is cut off {number}" for number in range(20_000)]
    began = time.process_time()
    labels = short([*names, "A short one", "A short one"], 18)
    assert time.process_time() - began < 2  # it took minutes
    assert len(set(labels)) == len(labels) and labels[0] == "A long name that …" and labels[-1] == "A short one… 2"


FIRST = """
import workbench.shell  # imports Panel, which has been told what to load before HoloViews is there
import panel as pn
pn.extension()
import holoviews as hv
from workbench.dashboards import chart
told, tell = [], hv.Store.set_current_backend
hv.Store.set_current_backend = lambda name: (told.append(name), tell(name))
for _ in range(2):
    chart._use_bokeh()
    hv.opts.Overlay(show_legend=False)
print(told)
"""


def test_holoviews_is_told_once_by_what_it_draws() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['bokeh']"
