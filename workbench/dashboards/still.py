"""What tiles show, in a file that needs no server: a page of HTML, the same printed, or a chart's picture."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from bokeh.models import Plot

from workbench.components import theme
from workbench.dashboards.tile_card import stylesheets
from workbench.errors import FileRefused
from workbench.files.chromium import printed, scripted
from workbench.reports.charts import as_json, embedded
from workbench.reports.html_page import bokeh, page

WIDTH = 880
PICTURE = """<!DOCTYPE html><meta charset="utf-8"><script>{bokeh}</script>
<div id="chart" style="width: {width}px"></div><pre id="made"></pre>
<script>(async () => {{
  const [view] = await Bokeh.embed.embed_item({item}, "chart")
  const reader = new FileReader()
  reader.onload = () => {{ document.getElementById("made").textContent = reader.result }}
  reader.readAsDataURL(await (await view.export("{kind}", true)).to_blob())
}})()</script>"""
LINK = re.compile(r"</?a\b[^>]*>")  # to other pages, which a file does not have
MADE = re.compile(r'<pre id="made">data:[^,<]*;base64,([^<]+)</pre>')


@dataclass(frozen=True)
class Still:
    """What a tile shows: texts, ``html`` that is below the chart or stands for it, and who answered as of when."""

    title: str
    about: str
    html: str
    source: str
    legend: tuple[tuple[str, str], ...] = ()
    figure: Plot | None = None


def content(kind: str, title: str, values: Mapping[str, str], source: str, stills: Iterable[Still]) -> bytes:
    """A page, as ``html`` or ``pdf``: a heading with what it is of, then a card for each. It asks no network.

    Raises FileRefused.
    """
    css = "".join([*stylesheets(), Path(__file__).with_name("still.css").read_text(encoding="utf-8")])
    cards = "".join(map(_card, stills))
    text = page(title, values, source, f'<div class="tiles">{cards}</div>', css.replace(":host", ":root"))
    return printed(text) if kind == "pdf" else text.encode()


def _card(still: Still) -> str:
    legend = "".join(f'<span class="key {kind}">{theme.esc(text)}</span>' for kind, text in still.legend)
    chart = "" if still.figure is None else embedded(still.figure, still.figure.height or 0)
    html = LINK.sub("", still.html)
    words = f'<h2>{theme.esc(still.title)}</h2><p class="soft">{theme.esc(still.about)}</p>'
    foot = f'<p class="soft">{theme.esc(still.source)}</p>'
    return f'<section class="card">{words}<p class="soft legend">{legend}</p>{chart}{html}{foot}</section>'


def picture(still: Still, kind: str) -> bytes:
    """The chart as ``png`` or ``svg``, as a page's own download makes it. Raises FileRefused."""
    if still.figure is None:
        raise FileRefused(f"{still.title} shows no chart now: there is no {kind} of it.")
    item = as_json(still.figure)
    text = scripted(PICTURE.format(bokeh="\n".join(bokeh()), width=WIDTH, item=item, kind=escape(kind)), "A picture")
    made = MADE.search(text)
    if made is None:
        raise FileRefused(f"Chromium did not draw {still.title}.")
    return base64.b64decode(made[1])
