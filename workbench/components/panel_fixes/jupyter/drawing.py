"""What an output needs to be drawn from itself alone, quickly, and as the served app draws it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import panel as pn
from bokeh.core.serialization import ObjectRefRep, Serializer
from bokeh.models import ImportedStyleSheet
from holoviews.plotting.renderer import Renderer
from IPython.display import Javascript, display
from panel import viewable
from panel.io.resources import CDN_DIST, DIST_DIR
from panel_material_ui.base import BUNDLE_PATH, MaterialComponent

from workbench.components import theme

LUXON = DIST_DIR / "bundled/datatabulator/luxon/build/global/luxon.min.js"
WIDGETS = "workbench_widgets"
ONCE = f"""
while (window.{WIDGETS} === undefined) {{ await new Promise((done) => setTimeout(done, 20)) }}
export default (await window.{WIDGETS}).default
"""
ICONS = """.material-icons {
  font-family: "Material Icons"; font-weight: normal; font-style: normal; letter-spacing: normal; line-height: 1;
  text-transform: none; white-space: nowrap; direction: ltr; font-feature-settings: "liga";
}"""
FONTS = (
    ("Material Icons", "400", "material-icons-*.woff2"),
    ("Roboto", "400", "roboto-latin-400-*.woff2"),
    ("Roboto", "700", "roboto-latin-700-*.woff2"),
)


def look_as_served() -> None:
    """Gives components the theme that the app's page gives them, and charts no axis lines of Panel's own."""
    MaterialComponent.param.theme_config.default = theme.THEME


def load_widgets() -> None:
    """Brings the code of panel-material-ui once.

    Panel 1.9 puts it, 1.4 MB, into the output with each single widget: a dashboard's cell was 144 MB.
    """
    bundle = json.dumps(BUNDLE_PATH.read_text(encoding="utf-8"))
    blob = f'new Blob([{bundle}], {{type: "text/javascript"}})'
    display(Javascript(f"window.{WIDGETS} ??= import(URL.createObjectURL({blob}));"))
    render = MaterialComponent._render_esm.__func__  # type: ignore[attr-defined]

    def rendered(cls: Any, compiled: Any = True, server: bool = False) -> Any:
        is_bundled = cls._bundle == BUNDLE_PATH and cls._esm_base is not None
        return ONCE if is_bundled and compiled is True and not server else render(cls, compiled, server)

    if render.__module__ != __name__:
        MaterialComponent._render_esm = classmethod(rendered)  # type: ignore[assignment]


def load_fonts() -> None:
    """Brings the fonts along, and loads them at once: without a server to ask for them, icons were words."""
    made = []
    for family, weight, name in FONTS:
        data = base64.b64encode(next(BUNDLE_PATH.parent.glob(name)).read_bytes()).decode()
        made.append(f'new FontFace("{family}", "url(data:font/woff2;base64,{data})", {{weight: "{weight}"}})')
    if ICONS not in pn.config.raw_css:
        pn.config.raw_css = [*pn.config.raw_css, ICONS]
    display(Javascript(f"[{', '.join(made)}].forEach((font) => {{ document.fonts.add(font); font.load(); }});"))


def load_luxon() -> None:
    """Gives tables the library that they draw times with.

    Panel inlines it into a function, where its ``var luxon`` is not the global one that Tabulator looks for: a table
    with a time in it stayed empty (Panel 1.9.4).
    """
    source = LUXON.read_text(encoding="utf-8")
    display(Javascript(f"{source}\nwindow.luxon = luxon;"))


def load_bokeh_once() -> None:
    """Keeps `import hvplot.pandas` from asking a CDN for what the notebook has already; other backends are inlined."""
    load = Renderer.load_nb.__func__
    if load.__module__ == __name__:
        return
    loaded = set(pn.extension._loaded_extensions)

    def load_missing(cls: Any, *_inline: bool, **options: Any) -> None:
        if not loaded.issuperset(pn.extension._loaded_extensions):
            load(cls, **(options | {"inline": True}))

    Renderer.load_nb = classmethod(load_missing)


def call_before_drawing(work: Callable[[], None]) -> None:
    """Lets ``work`` bring what a page lacks before an output needs it: after a reload of the page nothing was drawn."""
    render = viewable.Viewable._render_model
    if render.__module__ == __name__:
        return

    def rendered(view: Any, *arguments: Any, **options: Any) -> Any:
        work()
        return render(view, *arguments, **options)

    viewable.Viewable._render_model = rendered  # type: ignore[method-assign, assignment]


class _UnsharedSheets(WeakKeyDictionary[Any, Any]):
    def get(self, _document: Any, default: Any = None) -> Any:
        """Nothing; what is looked up with ``[]`` is there."""
        return default


def keep_style_sheets_apart() -> None:
    """Lets an event of one cell change what another cell shows: a brush, a filter, a click.

    Panel 1.9.4 then takes the style sheets for the other cell's text from the cell of the event (with ``get``, and
    nowhere else: ``Reactive._process_param_change``), and Bokeh refuses: "Models must be owned by only a single
    document".
    """
    if not isinstance(pn.state._stylesheets, _UnsharedSheets):
        type(pn.state)._stylesheets = _UnsharedSheets(pn.state._stylesheets)


def inline_style_sheets() -> None:
    """Brings style sheets along, once for each output: nothing is asked of Panel's CDN.

    Panel does so for what an output begins with, a copy for each component; a sheet that comes later, with a change, is
    named by its address (Panel 1.9.4). Here it is where a sheet is written down for the browser that it becomes text.
    """
    write = ImportedStyleSheet.to_serializable
    if write.__module__ == __name__:
        return

    def written(self: ImportedStyleSheet, serializer: Serializer) -> ObjectRefRep:
        css = _of_panel(self.properties_with_values(include_defaults=False).get("url", ""))
        if css is None:
            return write(self, serializer)
        serializer.add_ref(self, self.ref)
        return ObjectRefRep(type="object", name="InlineStyleSheet", id=self.id, attributes={"css": css})

    ImportedStyleSheet.to_serializable = written  # type: ignore[assignment]
    viewable.patch_inline_stylesheets = lambda model: None  # type: ignore[attr-defined]


@cache
def _of_panel(url: str) -> str | None:
    """The text of a style sheet that Panel's CDN has, from the package itself; None for others."""
    path = DIST_DIR / url.removeprefix(CDN_DIST).partition("?")[0]
    return path.read_text(encoding="utf-8") if url.startswith(CDN_DIST) and path.is_file() else None
