"""A page of HTML that asks no network for anything: what it is of, where that comes from, and a body.

It stands apart from `export`, whose libraries take two seconds to import: pages of the app write files by this alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bokeh.resources import INLINE
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from workbench.locale import language
from workbench.reports.charts import CLASS

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
