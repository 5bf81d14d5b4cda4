"""What Panel 1.9 and its companions lack in a notebook: each function mends one thing, and says which."""

from __future__ import annotations

from collections.abc import Callable

import panel as pn

from workbench.components.panel_fixes.jupyter import drawing, messages

__all__ = ["mend"]


def mend(before_drawing: Callable[[], None]) -> None:
    """Does all of it; safe to call again. To be called in a kernel, after ``pn.extension``.

    ``before_drawing`` is called before anything is drawn from then on.
    """
    drawing.call_before_drawing(before_drawing)
    drawing.look_as_served()
    drawing.load_widgets()
    drawing.load_fonts()
    drawing.load_luxon()
    drawing.load_bokeh_once()
    drawing.keep_style_sheets_apart()
    drawing.inline_style_sheets()
    messages.keep_early_ones()
    messages.handle_on_main_thread()
    if pn.config.comms in ("vscode", "ipywidgets"):
        messages.mend_jupyter_bokeh()
