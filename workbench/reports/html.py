"""What a report shows without a server: tables, charts, still or interactive, and the page of HTML around them.

It stands apart from `run`, whose libraries take two seconds to import: pages of the app write files by this alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import ceil, floor, log10
from pathlib import Path
from typing import Any

import holoviews as hv
import holoviews.plotting.bokeh  # registers what draws; hv.extension would also load it into the notebook
import pandas as pd
from bokeh.embed import json_item
from bokeh.models import ColumnDataSource, LayoutDOM
from bokeh.resources import INLINE
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from workbench import locale
from workbench.components.html import table_html
from workbench.components.theme import NOTHING, PALETTE, esc
from workbench.locale import N_, _, conventions, in_sentence, language
from workbench.words import counted, heading


class Table:
    """Shows ``frame``, in the order that it has; the last ``totals`` rows are set apart."""

    def __init__(self, frame: pd.DataFrame, totals: int = 0) -> None:
        self.frame = frame
        self._totals = totals

    def __repr__(self) -> str:
        texts = self.frame.map(text).rename(columns=str)
        return texts.to_string(index=False, max_rows=None, max_cols=None) if len(texts) else "no rows"

    def _repr_html_(self) -> str:
        """The table with escaped texts, numbers to the right, thousands separated."""
        if self.frame.empty:
            return '<p class="nothing">' + _("Nothing to show.") + "</p>"
        heads = [(heading(name), _is_number(self.frame[name])) for name in self.frame.columns]
        rows = (
            [text(value, is_grouped=True) for value in row] for row in self.frame.itertuples(index=False, name=None)
        )
        return table_html(heads, rows, totals=self._totals)


def folded(frame: pd.DataFrame) -> str:
    """The figures behind a chart, as HTML that opens on a click: for readers of screens, and to copy."""
    return f'<details class="figures"><summary>{_("The figures")}</summary>{Table(frame)._repr_html_()}</details>'


def table(frame: pd.DataFrame, totals: int = 0) -> Table:
    """The frame as a table; its last ``totals`` rows are totals."""
    return Table(frame, totals)


def text(value: Any, *, is_grouped: bool = False) -> str:
    """One cell: days as they are written here, a dash for what is not there, numbers with all places that they have.

    Numbers are plain, for tests to compare, or as they are written here where they are ``is_grouped``.
    """
    if value is None or value is pd.NaT or value != value:
        return NOTHING
    if isinstance(value, pd.Timestamp):
        return locale.day(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return str(value)
    return locale.number(value) if is_grouped else str(value)


def _is_number(column: pd.Series) -> bool:
    """Whether all that is there are numbers; a column of names for numbers (store) reads as such too."""
    known = [value for value in column.tolist() if value is not None and value == value]
    return bool(known) and all(isinstance(value, int | Decimal) and not isinstance(value, bool) for value in known)


CLASS = "workbench-chart"
# What a notebook shows where BokehJS has not been loaded: loading it here would put megabytes into every notebook.
WITHOUT = N_("The exported report has this chart. To see it here, run: from workbench import inline; inline.prepare()")
HTML = """<div id="{place}" class="{kind}" style="min-height: {height}px"></div>
<script>
(function () {{
  const place = document.getElementById("{place}")
  if (window.Bokeh) {{ Bokeh.embed.embed_item({item}, "{place}") }}
  else if (place) {{ place.textContent = "{without}" }}
}})()
</script>"""


class Chart:
    """A chart of HoloViews or Bokeh. Its text says what is drawn, with every figure: all that tests compare."""

    def __init__(self, drawn: Any, height: int) -> None:
        self._drawn, self._height = drawn, height

    def __repr__(self) -> str:
        return "\n".join([str(self._drawn), *(str(Table(frame)) for frame in self._frames())])

    def _frames(self) -> list[pd.DataFrame]:
        """What is drawn, a frame for each part; floats have two places, as what they are drawn from."""
        if isinstance(self._drawn, LayoutDOM):
            sources = self._drawn.select({"type": ColumnDataSource})
            return [pd.DataFrame(source.data).round(2) for source in sources if isinstance(source, ColumnDataSource)]
        return [element.dframe().round(2) for element in self._drawn.traverse(specs=[hv.Element])]

    def _repr_html_(self) -> str:
        """The chart itself. The same figures make the same text."""
        drawn = self._drawn
        if not isinstance(drawn, LayoutDOM):
            drawn = hv.render(drawn, backend="bokeh")
            drawn.update(width=None, height=self._height, sizing_mode="stretch_width")
            drawn.toolbar.logo = None
        figures = "".join(folded(frame) for frame in self._frames())
        return embedded(drawn, self._height) + figures


def embedded(figure: LayoutDOM, height: int) -> str:
    """The HTML of a figure, ``height`` pixels high, on a page that has BokehJS."""
    item = as_json(figure)
    place = f"chart-{hashlib.sha256(item.encode()).hexdigest()[:16]}"
    return HTML.format(place=place, kind=CLASS, height=height, item=item, without=_(WITHOUT))


def as_json(figure: LayoutDOM) -> str:
    """What BokehJS embeds, as it can stand in a script."""
    return json.dumps(json_item(figure)).replace("<", "\\u003c")  # data must not end the script


def chart(drawn: Any, height: int = 320) -> Chart:
    """A chart of any HoloViews element (what hvplot makes) or Bokeh model, ``height`` pixels high."""
    return Chart(drawn, height)


WIDTH, LEFT, RIGHT, TOP, FOOT = 880, 76, 76, 12, 28
BAR, LETTER = 24, 7.2  # heights of a bar, width of a letter
INK, SOFT, LINE = "#17212b", "#51606e", "#d9dee3"
STEPS = 4


class Picture:
    """An SVG; ``about`` says what it shows, to readers of screens. Its text holds the ``frame`` that it draws."""

    def __init__(self, about: str, height: int, parts: Sequence[str], frame: pd.DataFrame) -> None:
        self._about, self._height, self._parts, self._frame = about, height, parts, frame

    def __repr__(self) -> str:
        return f"{self._about}\n{Table(self._frame)}"

    def _repr_html_(self) -> str:
        """The picture; inside HTML, where its title is read aloud."""
        size = f'viewBox="0 0 {WIDTH} {self._height}" width="{WIDTH}" height="{self._height}"'
        font = f'font-family="Roboto, Segoe UI, system-ui, sans-serif" font-size="13" fill="{INK}"'
        top = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size} {font}><title>{esc(self._about)}</title>'
        return f"{top}{''.join(self._parts)}</svg>{folded(self._frame)}"


def bars(frame: pd.DataFrame, names: str, values: str) -> Picture:
    """A bar for each row, from the top, with its value."""
    labels = [text(value) for value in frame[names]]
    amounts = [float(value) for value in frame[values]]
    left = min(240.0, 16 + LETTER * max(map(len, labels), default=0))
    most = max([*amounts, 0.01])
    parts = []
    for row, (name, amount, value) in enumerate(zip(labels, amounts, frame[values], strict=True)):
        y, width = TOP + row * BAR, max(0.0, amount) / most * (WIDTH - left - 110)
        parts.append(_text(left - 8, y + 15, name if len(name) <= 32 else f"{name[:31]}…", "end"))
        parts.append(f'<rect x="{left:.1f}" y="{y + 3}" width="{width:.1f}" height="{BAR - 8}" fill="{PALETTE[0]}"/>')
        parts.append(_text(left + width + 8, y + 15, text(value, is_grouped=True), "start", SOFT))
    return Picture(
        _(
            "{values} by {names}: {bars}",
            values=heading(values),
            names=in_sentence(heading(names)),
            bars=counted(len(frame), "bar"),
        ),
        2 * TOP + BAR * len(frame),
        parts,
        frame[[names, values]],
    )


def lines(frame: pd.DataFrame, x: str, ys: Sequence[str], height: int = 260) -> Picture:
    """A line for each column of ``ys`` over ``x``, days or numbers in steps of one; a missing value breaks it."""
    series = {name: [_number(value) for value in frame[name]] for name in ys}
    top = _round_up(max((value for values in series.values() for value in values if value is not None), default=1.0))
    step = (WIDTH - LEFT - RIGHT) / max(1, len(frame) - 1)

    def place(row: int, value: float) -> tuple[float, float]:
        return LEFT + row * step, TOP + (1 - value / top) * (height - TOP - FOOT)

    parts = [_level(top * n / STEPS, place(0, top * n / STEPS)[1]) for n in range(STEPS + 1)]
    for row in range(0, len(frame), max(1, ceil(len(frame) / 8))):
        parts.append(_text(place(row, 0)[0], height - 8, _tick(frame[x].iloc[row]), "middle", SOFT))
    for number, (name, values) in enumerate(series.items()):
        color = PALETTE[number % len(PALETTE)]
        points = [None if value is None else place(row, value) for row, value in enumerate(values)]
        parts.extend(_line(points, color))
        last = next((point for point in reversed(points) if point is not None), None)
        if last is not None and len(series) > 1:
            parts.append(_text(last[0] + 6, last[1] + 4, heading(name), "start", color))
    shown = ", ".join(heading(name) for name in ys)
    said = {"values": shown, "names": in_sentence(heading(x)), "points": counted(len(frame), "point")}
    return Picture(_("{values} by {names}: {points} each", **said), height, parts, frame[[x, *ys]])


def _line(points: Sequence[tuple[float, float] | None], color: str) -> list[str]:
    """The points joined; those on both sides of a gap are not."""
    runs: list[list[str]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(f"{point[0]:.1f},{point[1]:.1f}")
    style = f'fill="none" stroke="{color}" stroke-width="2" stroke-linejoin="round"'
    return [f'<polyline points="{" ".join(run)}" {style}/>' for run in runs if run]


def _level(value: float, y: float) -> str:
    line = f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{LINE}"/>'
    return line + _text(LEFT - 8, y + 4, locale.number(value, 0), "end", SOFT)


def _text(x: float, y: float, shown: str, anchor: str, color: str = INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}">{esc(shown)}</text>'


def _tick(value: Any) -> str:
    return value.strftime(conventions().of_month or "%d %b") if isinstance(value, pd.Timestamp) else str(value)


def _number(value: Decimal | int | float | None) -> float | None:
    return None if value is None or value != value else float(value)


def _round_up(value: float) -> float:
    """The next number that divides into STEPS round ones: 4, 6, 8, 10, 12, 16, 20 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10 ** floor(log10(value))
    return next(step * power for step in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10) if step * power >= value)


FOLDER = Path(__file__).parent


def page(title: str, values: Mapping[str, str], source: str, body: str, more_css: str = "") -> str:
    """A page under a heading with what it is of and where it comes from; ``body`` is HTML of our own, as is the CSS.

    It is dark where its reader's screen is, but not with more CSS, which has its own colours.
    """
    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("page.html.j2").render(
        language=language(),
        title=title,
        theme="light" if more_css else "",
        values=values,
        source=source,
        css=Markup((FOLDER / "page.css").read_text(encoding="utf-8") + more_css),
        scripts=[Markup(text) for text in bokeh()] if f'class="{CLASS}"' in body else [],  # Bokeh's own
        body=Markup(body),
    )


def bokeh() -> list[str]:
    """BokehJS, as far as figures need it."""
    resources = INLINE.clone(components=["bokeh"])
    return list(resources.js_raw)
