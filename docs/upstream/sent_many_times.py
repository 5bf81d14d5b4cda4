"""Panel 1.9.4 and Bokeh 3.9.2 send the same many times (components/panel_fixes/served.py).

``python sent_many_times.py`` prints the kB of a page of one pane and of thirty: each pane sends the texts of its style
sheets. It prints the kB of a page with nothing on it in a process that knows panel-material-ui: the classes of all its
components are defined.
"""

import panel as pn
from bokeh.core.json_encoder import serialize_json
from bokeh.document import Document

STYLE = "p { color: teal } " * 200


def kilobytes(*panes: pn.pane.HTML) -> float:
    page = Document()
    pn.Column(*panes).server_doc(page)
    return len(serialize_json(page.to_json())) / 1000


def pane() -> pn.pane.HTML:
    return pn.pane.HTML("<p>One</p>", stylesheets=[STYLE])


pn.extension()
print(f"one pane: {kilobytes(pane()):.0f} kB, thirty: {kilobytes(*(pane() for _ in range(30))):.0f} kB")
print(f"nothing: {len(serialize_json(Document().to_json())) / 1000:.0f} kB")
import panel_material_ui  # noqa: E402, F401

print(f"nothing, with panel-material-ui imported: {len(serialize_json(Document().to_json())) / 1000:.0f} kB")
