"""What Panel 1.9 and its companions lack in a notebook: each function mends one thing, and says which."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
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
from pyviz_comms import Comm, JupyterComm, JupyterCommManager

from workbench.components import theme


def mend(before_drawing: Callable[[], None]) -> None:
    """Does all of it; safe to call again. To be called in a kernel, after ``pn.extension``.

    ``before_drawing`` is called before anything is drawn from then on.
    """
    call_before_drawing(before_drawing)
    look_as_served()
    load_widgets()
    load_fonts()
    load_luxon()
    load_bokeh_once()
    keep_style_sheets_apart()
    inline_style_sheets()
    keep_early_ones()
    handle_on_main_thread()
    if pn.config.comms in ("vscode", "ipywidgets"):
        mend_jupyter_bokeh()


# What an output needs to be drawn from itself alone, quickly, and as the served app draws it.

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


# What goes between a notebook's kernel and its page: all of it, in order, once, on one thread.


def keep_early_ones() -> None:
    """Lets what is sent before an output is there reach it; `notebook.js` says why."""
    display(Javascript(Path(__file__).with_suffix(".js").read_text(encoding="utf-8")))
    JupyterCommManager.server_comm = _OrderlyComm


class _OrderlyComm(JupyterComm):
    """A comm that can be sent to at once: the browser gets it all in order when it has opened its end.

    Panel tries again after 0.1 s instead. What was sent after the opening then overtook what was sent before, and named
    models that the browser had not got yet ("reference … isn't known"): tables stayed "Loading".
    """

    def __init__(self, *args: Any, **params: Any) -> None:
        super().__init__(*args, **params)
        self._comm = _HeldBack()

    def init(self) -> None:
        """The browser has opened its end."""
        kept = self._comm
        super().init()
        if isinstance(kept, _HeldBack):
            for message in kept.messages:
                self._comm.send(**message)


class _HeldBack:
    """Stands for a comm that is not open yet."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def send(self, data: Any = None, metadata: Any = None, buffers: Any = None) -> None:
        self.messages.append({"data": data, "metadata": metadata, "buffers": buffers})

    def close(self) -> None:
        self.messages.clear()


def handle_on_main_thread() -> None:
    """Brings what the browser sends back to the thread that cells run on.

    JupyterLab 4.4 and newer send it to another thread (a subshell of ipykernel 7). A callback there finds no event loop
    of its own, and meets the others in the middle: a click was lost now and then.
    """
    if Comm._handle_msg.__module__ != __name__:
        Comm._handle_msg = _on_main_thread(Comm._handle_msg)


def _on_main_thread(handle: Callable[..., None]) -> Callable[..., None]:
    loop = asyncio.get_running_loop()

    def handle_on_main_thread(*message: Any) -> None:
        if threading.current_thread() is threading.main_thread():
            handle(*message)
        else:
            loop.call_soon_threadsafe(handle, *message)

    return handle_on_main_thread


def mend_jupyter_bokeh() -> None:
    """Does the same where Panel shows components through jupyter_bokeh, as in VS Code; and one click counts once.

    jupyter_bokeh 4.1 drops what is sent before its view is there. And the browser sends back each change that it was
    sent, whose callbacks run again: a click saved the sale, and its echo then found the form empty.
    """
    from jupyter_bokeh.widgets import BokehModel

    send, handle = BokehModel.send, BokehModel._sync_model
    if handle.__module__ == __name__:
        return
    # Empty once the browser has spoken: its view is there.
    kept: WeakKeyDictionary[Any, _HeldBack] = WeakKeyDictionary()

    def send_or_keep(widget: Any, content: Any, buffers: Any = None) -> None:
        if widget in kept:
            kept[widget].send(content, buffers=buffers)
        else:
            send(widget, content, buffers)

    def handle_news(widget: Any, shown: Any, content: dict[str, Any], buffers: Any) -> None:
        for message in kept.pop(widget, _HeldBack()).messages:
            send(widget, message["data"], message["buffers"])
        if not _is_echo(widget, content):
            handle(widget, shown, content, buffers)

    def update_from_model(widget: Any, model: Any) -> None:
        kept[widget] = _HeldBack()
        update(widget, model)

    update = BokehModel.update_from_model
    BokehModel.update_from_model = update_from_model
    BokehModel.send = send_or_keep
    BokehModel._sync_model = _on_main_thread(handle_news)


def _is_echo(widget: Any, content: dict[str, Any]) -> bool:
    """Whether a message from the browser sets a number or text to what it is here already."""
    if content.get("kind") != "ModelChanged" or not isinstance(content["new"], str | int | float | None):
        return False
    changed = widget._document.models.get_by_id(content["model"]["id"])
    return changed is not None and bool(getattr(changed, content["attr"]) == content["new"])
