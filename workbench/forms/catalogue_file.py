"""CatalogueFile: entries of one kind from a file, with a verdict for each row before any is saved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import panel as pn
import panel_material_ui as pmui

from workbench import locale
from workbench.catalogue import Catalogue, Kind
from workbench.catalogue.importing import EntryFile, columns_text, importing_text, judge, write
from workbench.components.browser.uploads import Uploads
from workbench.components.html import flow, html_pane, table_html
from workbench.components.inline import is_served
from workbench.components.theme import esc
from workbench.forms.actions import Action, failures_said
from workbench.forms.fields import MARGIN
from workbench.forms.messages import Message
from workbench.locale import _
from workbench.words import counted, visible

MOST_BYTES = 20_000_000
MOST_SHOWN = 100


class CatalogueFile(pn.viewable.Viewer):
    """A file is judged as soon as it is here; ``on_saved`` is called when its entries were saved."""

    def __init__(self, catalogue: Catalogue, kind: Kind, on_saved: Callable[[], None]) -> None:
        super().__init__()
        self._catalogue, self._kind, self._on_saved = catalogue, kind, on_saved
        self._file: EntryFile | None = None
        self._judged = 0  # files so far: of one that comes while another is judged, the later one is shown
        self.message = Message()
        hint = _(
            "CSV, Excel (.xlsx) or Parquet, at most {most} MB, with the columns {columns}.",
            **{"most": MOST_BYTES // 1_000_000, "columns": columns_text(kind)},
        )
        name = _("File of {kinds}", kinds=kind.plural)
        self._uploads = Uploads(self._received, MOST_BYTES, hint, label=name, accept=".csv,.txt,.xlsx,.parquet")
        self._verdicts = html_pane(margin=MARGIN)
        self._all = pmui.Button(label=_("Import all"), color="primary", margin=MARGIN)
        self._accepted = pmui.Button(label=_("Import the accepted rows"), variant="outlined", margin=MARGIN)
        for button, accepted_only in ((self._all, False), (self._accepted, True)):
            button.on_click(Action(partial(self._save, accepted_only), self.message, button).run)
        self._place = pn.Column(
            self._uploads,
            self.message,
            self._verdicts,
            flow(self._all, self._accepted, sizing_mode="stretch_width"),
            sizing_mode="stretch_width",
            margin=0,
            visible=False,
        )
        self._open = pmui.Button(label=_("From a file"), icon="upload_file", variant="outlined", margin=MARGIN)
        self._open.on_click(self._toggle)
        self._show(None)
        if is_served():
            pn.state.on_session_destroyed(lambda _context: self._uploads.forget())

    @property
    def button(self) -> pmui.Button:
        """Unfolds this and folds it again."""
        return self._open

    def _toggle(self, _event: object) -> None:
        self._place.visible = not self._place.visible

    def _received(self, path: Path, name: str) -> None:
        pn.state.execute(partial(self._judge, path, name), schedule=False)

    async def _judge(self, path: Path, name: str) -> None:
        self._judged += 1
        number = self._judged
        self.message.clear()
        self._show(None)
        with failures_said(self.message, lambda: number == self._judged, is_saving=False):
            file = await asyncio.to_thread(judge, self._catalogue, self._kind, path, name=name)
            if number == self._judged:
                self._show(file)

    def _show(self, file: EntryFile | None) -> None:
        self._file = file
        self._verdicts.object = "" if file is None else verdicts_html(file, self._kind)
        has_refused, has_some = file is not None and bool(file.refused), file is not None and bool(file.entries)
        self._all.param.update(visible=file is not None and not has_refused, disabled=not has_some)
        self._accepted.param.update(visible=has_refused, disabled=not has_some)

    async def _save(self, accepted_only: bool) -> None:
        if self._file is None:
            return
        file = self._file
        saved = await asyncio.to_thread(write, self._catalogue, self._kind, file, accepted_only=accepted_only)
        if self._file is file:
            self._show(None)
            self._uploads.forget()
        new, changed, same = map(locale.number, (saved.new, saved.changed, saved.same))
        counts = {"new": new, "changed": changed, "same": same}
        if file.refused:
            left_out = counted(len(file.refused), "row")
            text = _("{new} new, {changed} changed, {same} there already, {rows} left out.", **counts, rows=left_out)
        else:
            text = _("{new} new, {changed} changed, {same} there already.", **counts)
        self.message.say("success", text, _("Saved."))
        self._on_saved()

    def __panel__(self) -> pn.Column:
        return self._place


def verdicts_html(file: EntryFile, kind: Kind) -> str:
    """How the file was read, how many rows have which verdict, and why the first ones are refused; all escaped."""
    unused = f" {_('Not used: {columns}.', columns=', '.join(map(visible, file.unused)))}" if file.unused else ""
    text = f"<p><strong>{importing_text(file)}</strong> {esc(_columns_text(file.columns, kind))}{esc(unused)}</p>"
    if not file.refused:
        return text
    cut = _("The first {n} are shown.", n=MOST_SHOWN) if len(file.refused) > MOST_SHOWN else ""
    rows = ((locale.number(each.row), visible(each.reason)) for each in file.refused[:MOST_SHOWN])
    heads = [(_("Row"), True), (_("Why"), False)]
    return f"{text}<h3>{_('Refused')}</h3><p class='soft'>{cut}</p>{table_html(heads, rows)}"


def _columns_text(columns: Mapping[str, str], kind: Kind) -> str:
    return "; ".join(f"{kind.by_name[field].label}: {visible(column)}" for field, column in columns.items()) + "."
