"""The card of a tile, one component: title, buttons, body, who answered; and the same in a file without a server."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import param
from bokeh.models import Plot
from panel.custom import JSComponent
from panel.io.document import hold
from panel.viewable import Child

from workbench.components import theme
from workbench.config.clock import StoreClock
from workbench.database.failures import called
from workbench.errors import FileRefused
from workbench.files.chromium import printed, scripted
from workbench.reports.html import as_json, bokeh, embedded, page

RENEW_SECONDS = 5.0  # an age that only grows is not sent; a newer as-of is, this often
Button = tuple[str, str, bool]  # its name, its label, whether it is pressed
TOLD = {"legend", "buttons", "saying", "is_open", "text", "engine", "as_of_ms", "sent_ms", "ahead_ms", "zone", "note"}


class TileCard(JSComponent):
    """``text`` is HTML below ``body``, a component that is hidden unless ``is_open``.

    ``legend`` is (kind, text) of each kind of line. A button only tells ``pressed`` its name: what is shown is the
    tile's to decide. So does one of ``files`` (the end of a name, a label) but for pictures, which the browser makes of
    the body's chart. ``is_near`` turns True once the card is on the screen, or nearly.

    The line at its foot reads ``replica · as of 14:03:22 CEST, 2 s ago``: amber beyond ``limit`` seconds, red beyond
    ten times as many. The browser counts the age on, also when nothing comes any more. On a page with a line for all
    tiles it is only seen when it differs from that, or is old.
    """

    heading = param.String(default="")
    title = param.String(default="")  # the heading in English, by which files are named
    about = param.String(default="")
    legend = param.List(default=[])
    buttons = param.List(default=[])
    files = param.List(default=[])
    saying = param.String(default="")  # of a file that is being written, or why there is none
    body = Child(default=None, allow_None=True)
    is_open = param.Boolean(default=False)
    text = param.String(default="")
    is_near = param.Boolean(default=True)
    engine = param.String(default="")
    as_of_ms = param.Number(default=0)
    sent_ms = param.Number(default=0)  # the master's clock: this machine's and the browser's may be wrong
    ahead_ms = param.Number(default=0)  # of the stores' clock, before UTC
    zone = param.String(default="")
    note = param.String(default="")
    page = param.String(default="")  # whose line (PageLine) says what is the same for most of its tiles
    limit = param.Number(default=15)
    factor = param.Number(default=theme.STALE_FACTOR)

    _bundle = Path(__file__).with_name("tile_card.js")

    def __init__(self, pressed: Callable[[str], None], clock: StoreClock, **params: object) -> None:
        super().__init__(**({"stylesheets": stylesheets(), "margin": 0, "sizing_mode": "stretch_width"} | params))
        self._clock = clock
        self.on_msg(lambda event: pressed(event.data))

    @classmethod
    def _patch_datamodel_ref(cls, props: Any, ref: str) -> None:
        """Searches for models to mark once a page: what is told later is text and numbers. Panel searches each time,
        the chart too, which was half of the time that a change takes."""
        if f"__ref:{ref}" not in props.tags:
            super()._patch_datamodel_ref(props, ref)

    def _update_properties(self, *events: Any, doc: Any) -> dict[str, Any]:
        """What is told has no look of its own, for which Panel asks the page's design each time."""
        changes = {event.name: event.new for event in events}
        if changes.keys() <= TOLD:
            return dict(self._process_param_change(changes))
        return dict(super()._update_properties(*events, doc=doc))

    def _update_model(self, events: Any, msg: Any, root: Any, model: Any, doc: Any, comm: Any) -> None:
        """Sets what is told where it is. Panel looks for each on the outer model first, and Bokeh, where it is not,
        compares its name with all that there are, to say in an error which may be meant."""
        if msg.keys() <= TOLD:
            with hold(doc):
                self._set_on_model(msg, root, model.data)
        else:
            super()._update_model(events, msg, root, model, doc, comm)

    def fill(self, text: str = "", *, is_open: bool = True) -> None:
        """Shows ``text``, and the body unless it is closed."""
        self.param.update(text=text, is_open=is_open)

    def tell(self, engine: str, as_of: datetime, now: datetime, note: str = "") -> None:
        """Says who has answered, as of when (data time) by which ``now``, and why it was not the replica."""
        ahead, zone = self._clock.offset(as_of)
        times = {"ahead_ms": ahead * 1000, "as_of_ms": as_of.timestamp() * 1000, "sent_ms": now.timestamp() * 1000}
        self.param.update(engine=called(engine), note=note, zone=zone, **times)

    def touch(self, engine: str, as_of: datetime, now: datetime) -> None:
        """The same figures hold as of a later moment: told every few seconds."""
        is_same = called(engine) == self.engine
        if as_of.timestamp() * 1000 - self.as_of_ms >= RENEW_SECONDS * 1000 or not is_same:
            self.tell(engine, as_of, now, self.note if is_same else "")


@cache
def _tiles_css() -> str:
    return Path(__file__).with_name("tiles.css").read_text(encoding="utf-8")


def stylesheets() -> list[str]:
    """The look of everything in a tile."""
    return [theme.stylesheet(), _tiles_css()]


class PageLine(JSComponent):
    """``replica · as of 14:03:22 CEST, 2 s ago``: of the tiles with the same ``page`` that are on the screen.

    It says what most of them would, as of the oldest of these. A tile shows a line of its own only when it differs, or
    is old; in its title, and for who listens to the page, each has its own.
    """

    page = param.String(default="")

    _bundle = Path(__file__).with_name("page_line.js")

    def __init__(self, page: str) -> None:
        super().__init__(page=page, stylesheets=stylesheets(), margin=0, sizing_mode="stretch_width")


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
