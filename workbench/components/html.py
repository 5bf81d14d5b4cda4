"""HTML that forms, dashboards and reports share: a pane to show it in, and a table whose cells are escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import panel as pn
from markupsafe import Markup
from panel.viewable import Viewable, Viewer

from workbench.components.theme import esc, stylesheet


def html_pane(text: str = "", margin: int | tuple[int, int] = 0) -> pn.pane.HTML:
    """A pane in the project's theme; whoever calls it has escaped what came from elsewhere."""
    return pn.pane.HTML(text, stylesheets=[stylesheet()], sizing_mode="stretch_width", margin=margin)


def table_html(
    heads: Iterable[tuple[str, bool]],
    rows: Iterable[Sequence[object]],
    *,
    totals: int = 0,
    kind: str = "",
    leads: bool = False,
) -> str:
    """A table: ``heads`` names the columns and says of each whether it holds numbers, which stand at the right.

    Every cell is escaped but Markup, which is HTML of our own. The last ``totals`` rows are set apart, ``kind`` is a
    class of its style sheet, and with ``leads`` the first cell of a row is its heading.
    """
    columns = [(head, ' class="number"' if is_number else "") for head, is_number in heads]
    top = "".join(f'<th scope="col"{css}>{esc(head)}</th>' for head, css in columns)
    classes = [css for _, css in columns]
    tags = ["th" if leads and place == 0 else "td" for place in range(len(classes))]
    made = [_row(row, tags, classes) for row in rows]
    cut = len(made) - totals
    foot = f"<tfoot>{''.join(made[cut:])}</tfoot>" if totals else ""
    css = f' class="{kind}"' if kind else ""
    body = f"<tbody>{''.join(made[:cut])}</tbody>"
    return f'<div class="scroll" tabindex="0"><table{css}><thead><tr>{top}</tr></thead>{body}{foot}</table></div>'


def _row(cells: Sequence[object], tags: Sequence[str], classes: Sequence[str]) -> str:
    parts = zip(cells, tags, classes, strict=True)
    return f"<tr>{''.join(f'<{tag}{css}>{_html(cell)}</{tag}>' for cell, tag, css in parts)}</tr>"


def _html(cell: Any) -> str:
    return cell if isinstance(cell, Markup) else esc(cell)


def flow(*objects: Viewable | Viewer, **options: Any) -> pn.Column:
    """``objects`` beside one another, and in further lines where the place ends.

    As Panel's FlexBox, whose template the browser would have to evaluate (docs/decisions/030).
    """
    sheet = ":host { flex-flow: row wrap; align-items: center; } .scroll-button { display: none; }"
    return pn.Column(*objects, stylesheets=[sheet], margin=0, **options)
