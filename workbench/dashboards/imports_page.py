"""Page "Import": a file of sales, how it is read, a dry run with verdicts, the import, and taking it back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewable, Viewer

from workbench import locale
from workbench.accounts.actor import current_actor
from workbench.components.browser.files import Downloads, KeptUploads, Uploads
from workbench.components.browser.page import Unsaved
from workbench.components.html import flow, html_pane
from workbench.components.inline import is_served, read_aside, when_shown
from workbench.components.tasks import Advance, Job, JobControls, Progress, ShouldStop, Work
from workbench.components.theme import esc
from workbench.connection import Workbench
from workbench.dashboards.import_fields import ImportFields
from workbench.dashboards.import_texts import imported_html, imports_html, read_html, totals_html, verdicts_html
from workbench.dashboards.tile import card
from workbench.errors import WorkbenchError
from workbench.files import file_name
from workbench.imports import FileMapping, ImportFile, imports, keep_mapping, mappings, undo, undone_text, write
from workbench.imports.reading import MOST_BYTES, Table
from workbench.locale import N_, _
from workbench.words import counted, visible

LOOK_SECONDS = 0.25
CHOOSE = N_("Choose ...")
AS_FOUND = FileMapping()
HINT = N_("Choose a file or drop it here: CSV, Excel (.xlsx) or Parquet, at most {most} MB.")


class ImportsPage(Viewer):
    """One file at a time, which goes when another one is here, or when the page is left.

    For an hour the tab of the browser has a token of it, so that it is there again when the page is loaded anew.
    """

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench, self._engines, self._actor = workbench, workbench.engines, current_actor()
        self._kept_uploads = KeptUploads.of(self._engines.settings)
        self._file: ImportFile | None = None
        self._upload: Path | None = None  # what it is read from
        self._waiting: Path | None = None  # the newest that came, until it is opened
        self._turn = asyncio.Lock()  # of whoever uses the file, whose database answers one at a time
        self._in_line = 0  # who uses it, or waits for it
        self._wanted = AS_FOUND  # the newest choice of how it is read
        self._is_left, self._token = False, ""
        self._restored: dict[str, Any] | None = None  # the draft of what is to be opened again
        self._unsaved = Unsaved("import", self._draft, self._restore, asks=False)
        self._job = Job(_("That failed, and nothing was changed."))
        self._controls = JobControls(self._job, self._job.stop, size="small")
        hint, name = _(HINT, most=MOST_BYTES // 1_000_000), _("File of sales")
        self._uploads = Uploads(self._received, MOST_BYTES, hint, label=name, accept=".csv,.txt,.xlsx,.parquet")
        self._downloads = Downloads()
        self._said, self._done = self._controls.said, html_pane()
        self._kept = _select(_("Read it as"))
        self._kept.param.watch(self._use_kept, "value")
        self._read_as = html_pane()
        self._fields = ImportFields(self._read)
        self._check = _button(_("Check all rows"), self._run_dry, color="primary")
        self._name = pmui.TextInput(label=_("Keep this mapping as"), size="small", margin=0, width=260)
        self._keep = _button(_("Keep"), self._keep_mapping, variant="outlined")
        self._totals, self._rows = html_pane(), html_pane()
        self._all = _button(_("Import all"), partial(self._import, False), color="primary")
        self._accepted = _button(_("Import the accepted rows"), partial(self._import, True), variant="outlined")
        self._csv = _button(_("Refused rows as CSV"), partial(self._hand_out, "csv"), variant="outlined")
        self._xlsx = _button(_("Refused rows as Excel"), partial(self._hand_out, "xlsx"), variant="outlined")
        self._past = html_pane()
        self._undone = _select(_("Import"))
        self._undo = _button(_("Undo this import"), self._begin_undo, variant="outlined", color="error")
        self._undo_place = flow(self._undone, self._undo, styles={"gap": "12px"}, visible=False)
        self._mappings: dict[str, FileMapping] = {}
        self._make_cards()
        when_shown(self._list)
        if is_served():
            pn.state.on_session_destroyed(lambda _context: self._leave())

    def _make_cards(self) -> None:
        choices = flow(self._kept, styles={"gap": "12px"})
        keeping = flow(self._check, self._name, self._keep, styles={"gap": "12px"})
        self._reading = card(
            html_pane(f"<h2>{_('How it is read')}</h2>"), self._read_as, choices, self._fields, keeping
        )
        buttons = flow(self._all, self._accepted, self._csv, self._xlsx, styles={"gap": "12px"})
        self._verdicts = card(html_pane(f"<h2>{_('Verdicts')}</h2>"), self._totals, self._rows, buttons)
        self._reading.visible = self._verdicts.visible = False

    def _received(self, path: Path, name: str) -> None:
        if self._in_line:
            self._uploads.text = _("{file} is here. It is read when what goes on now is over.", file=visible(name))
        self._done.object = ""
        pn.state.execute(partial(self._open, path, name), schedule=False)

    def _draft(self) -> dict[str, Any] | None:
        if self._file is None or not self._token:
            return self._restored
        mapping = json.loads(self._file.mapping.to_json())
        return {"upload": self._token, "name": self._file.name, "mapping": mapping}

    def _restore(self, draft: dict[str, Any]) -> None:
        mapping, token, name = FileMapping.of(draft["mapping"]), str(draft["upload"]), str(draft["name"])
        self._restored = draft
        pn.state.execute(partial(self._reopen, token, name, mapping), schedule=False)

    async def _reopen(self, token: str, name: str, mapping: FileMapping) -> None:
        """Reads what this user uploaded in this tab before; a token of somebody else's finds nothing."""
        try:
            path = await asyncio.to_thread(self._kept_uploads.take, token, self._actor.name)
        except OSError:
            self._said.say(_("{file} is not kept any more: choose it again.", file=visible(name)), "bad")
            self._restored = None
            self._unsaved.changed()
            return
        if self._restored is None:  # another file came meanwhile
            path.unlink()
            return
        await self._open(path, name, mapping, token)

    def _forget(self) -> None:
        """What was uploaded is not needed any more."""
        self._kept_uploads.forget(self._token, self._actor.name)
        self._token = ""
        self._unsaved.changed()

    async def _open(self, path: Path, name: str, mapping: FileMapping = AS_FOUND, token: str = "") -> None:
        """Reads it in place of the one before when nobody uses that; of several that wait the newest alone."""
        if self._waiting is not None:
            self._waiting.unlink(missing_ok=True)
        self._waiting, self._restored = path, None
        async with self._alone():
            if self._waiting is not path:
                return
            self._close()
            self._upload, self._waiting, self._uploads.text = path, None, self._uploads.hint
            if self._is_left:
                return
            if not token:
                self._forget()
                token = await asyncio.to_thread(self._kept_uploads.keep, path, self._actor.name)
            self._token = token
            try:
                self._file = await asyncio.to_thread(ImportFile, self._engines, path, name, self._actor)
            except WorkbenchError as error:
                self._said.say(str(error), "bad")
                self._forget()
                return
            self._wanted = mapping
            await self._read_now(self._file, mapping)

    async def _read(self, mapping: FileMapping) -> None:
        """Has the file read when its database is free, if nothing else was chosen by then, and no other file opened."""
        self._wanted = mapping
        async with self._alone():
            if self._wanted is mapping and self._file is not None and not self._is_left:
                await self._read_now(self._file, mapping)

    async def _read_now(self, file: ImportFile, mapping: FileMapping) -> None:
        """Reads the file, and shows what was found out, unless something else was chosen meanwhile."""
        self._verdicts.visible = False
        try:
            table = await asyncio.to_thread(file.read, mapping, drops_missing=True)
            self._read_as.object = await asyncio.to_thread(read_html, file)
        except WorkbenchError as error:
            self._said.say(str(error), "bad")
            if file.table is not None:  # as it was read before
                self._show_reading(file, file.table)
            else:
                self._forget()
            return
        if self._wanted is not mapping:
            return
        self._show_reading(file, table)
        self._said.say(_("Look at how it is read, then have all rows checked. Nothing is saved by that."))

    def _show_reading(self, file: ImportFile, table: Table) -> None:
        self._fields.fill(table, file.mapping)
        self._unsaved.changed()
        self._reading.visible = True

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Who uses the file does so in here, one after the other; the last one after the page was left closes it."""
        self._in_line += 1
        self._draw_buttons()
        try:
            async with self._turn:
                yield
        finally:
            self._in_line -= 1
            self._draw_buttons()
            if self._is_left and not self._in_line:
                self._close()

    def _draw_buttons(self) -> None:
        for button in (self._check, self._all, self._accepted, self._csv, self._xlsx, self._undo):
            button.loading = self._in_line > 0

    async def _use_kept(self, _event: Any) -> None:
        if (mapping := self._mappings.get(self._kept.value)) is not None:
            await self._read(mapping)

    async def _keep_mapping(self, _event: Any) -> None:
        try:
            name = self._name.value_input or self._name.value or ""
            kept = await asyncio.to_thread(keep_mapping, self._engines, name, self._fields.mapping, self._actor)
        except WorkbenchError as error:
            self._said.say(str(error), "bad")
            return
        self._said.say(_("Kept as {name}.", name=kept), "good")
        await self._list()

    async def _run_dry(self, _event: Any) -> None:
        file, mapping = self._file, self._fields.mapping
        if file is None:
            return
        self._verdicts.visible = False

        def work(_advance: Advance, should_stop: ShouldStop) -> str:
            file.map(mapping)
            found = file.dry_run(should_stop)
            texts.extend((totals_html(found), verdicts_html(file, found)))
            return _("{rows} checked.", rows=counted(sum(of.rows for of in found.totals), "row"))

        texts: list[str] = []
        await self._begin(work, lambda: self._show_verdicts(texts))

    def _show_verdicts(self, texts: list[str]) -> None:
        file = self._file
        if file is None or file.result is None or file.table is None:
            return
        self._fields.fill(file.table, file.mapping)
        self._unsaved.changed()
        self._totals.object, self._rows.object = texts
        found = file.result
        self._all.disabled = bool(found.refused) or not found.sales
        self._accepted.param.update(visible=bool(found.refused), disabled=not found.sales)
        self._csv.visible = self._xlsx.visible = bool(found.refused)
        self._verdicts.visible = True

    async def _hand_out(self, ending: str, _event: Any) -> None:
        file = self._file
        if file is None:
            return
        name = file_name(f"refused {Path(file.name).stem}", self._workbench.clock.now(), ending)
        async with self._alone():
            if self._file is not file or file.result is None:  # another one, or read anew, by now
                return
            try:
                await self._downloads.write(name, file.write_refused)
            except WorkbenchError as error:
                self._said.say(str(error), "bad")

    async def _import(self, accepted_only: bool, _event: Any) -> None:
        file = self._file
        if file is None or file.result is None:
            return

        def work(advance: Advance, should_stop: ShouldStop) -> str:
            made = write(file, accepted_only=accepted_only, progress=advance, should_stop=should_stop)
            texts.append(imported_html(made))
            return _("{sales} imported.", sales=counted(made.sales, "sale"))

        texts: list[str] = []
        await self._begin(work, lambda: self._show_imported(texts), file.result.lines)

    def _show_imported(self, texts: list[str]) -> None:
        if texts:
            self._done.object = texts[0]
            self._forget()
            self._verdicts.visible = False

    async def _begin_undo(self, _event: Any) -> None:
        if not isinstance(self._undone.value, int):
            self._said.say(_("Choose the import that is to be undone."), "bad")
            return
        import_id = self._undone.value

        def work(advance: Advance, should_stop: ShouldStop) -> str:
            return undone_text(
                undo(self._engines, import_id, actor=self._actor, progress=advance, should_stop=should_stop)
            )

        await self._begin(work, total=1)

    async def _begin(self, work: Work, then: Callable[[], None] = lambda: None, total: int = 0) -> None:
        """Has it done on a thread; ``then`` shows what came of it. Nothing begins while the file is used."""
        if self._in_line:
            return
        async with self._alone():
            self._job.start(work, total)
            while (progress := self._follow()).is_running:
                await asyncio.sleep(LOOK_SECONDS)
            self._said.say(progress.said, "bad" if progress.is_error else "good")
            if not progress.is_error:
                then()
        await self._list()

    def _follow(self) -> Progress:
        progress = self._controls.follow()
        if progress.is_stopping:
            self._said.follow(_("Stopping ..."))
        elif progress.is_running:
            done = {"done": locale.number(progress.done), "of": locale.number(progress.total)}
            self._said.follow(_("{done} of {of} ...", **done) if progress.total else _("Checking ..."))
        return progress

    async def _list(self) -> None:
        """What was imported, and which mappings are kept."""
        try:
            await asyncio.to_thread(self._kept_uploads.tidy)
            found = await read_aside(imports, self._engines)
            self._mappings = await read_aside(mappings, self._engines)
        except WorkbenchError as error:
            self._past.object = f"<p>{esc(error)}</p>"
            return
        self._kept.param.update(options=[_(CHOOSE), *self._mappings], visible=bool(self._mappings))
        self._past.object = imports_html(found, self._workbench.clock)
        left = {f"{each.import_id}: {each.file_name}": each.import_id for each in found if each.undone_at is None}
        self._undone.param.update(options={_(CHOOSE): _(CHOOSE)} | left, value=_(CHOOSE))
        self._undo_place.visible = bool(left) and self._actor.may("admin")

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        if self._upload is not None:
            self._upload.unlink(missing_ok=True)
        self._file = self._upload = None
        self._reading.visible = self._verdicts.visible = False

    def _leave(self) -> None:
        """An import that runs goes on, and the file with it."""
        self._is_left = True
        if not self._in_line:
            self._close()

    def __panel__(self) -> Viewable:
        upload = card(
            html_pane(f"<h2>{_('File')}</h2>"),
            self._uploads,
            self._controls.bar,
            flow(self._said, self._controls.stop),
            self._done,
            self._downloads,
            *([self._unsaved] if is_served() else []),
        )
        past = card(html_pane(f"<h2>{_('Imports')}</h2>"), self._past, self._undo_place)
        return pmui.Column(
            upload, self._reading, self._verdicts, past, sx={"gap": "16px"}, sizing_mode="stretch_width", margin=0
        )


def _select(label: str) -> pmui.Select:
    return pmui.Select(label=label, options=[_(CHOOSE)], value=_(CHOOSE), size="small", margin=0, width=260)


def _button(label: str, on_click: Callable[[Any], Any], **params: Any) -> pmui.Button:
    return pmui.Button(label=label, margin=0, size="small", on_click=on_click, **params)
