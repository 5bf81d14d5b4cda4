"""CatalogueManager: names of stores, cashiers, products and customers, and list prices: seen, typed, from files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pandas as pd
import panel as pn
import panel_material_ui as pmui

from workbench import locale
from workbench.accounts.actor import Actor
from workbench.catalogue import KINDS, Catalogue, Entry, Field, Kind, LogEntry
from workbench.components.browser.files import Uploads
from workbench.components.fields import LAYOUT, MARGIN
from workbench.components.html import flow, html_pane, table_html
from workbench.components.inline import done_at_once, is_served, read_aside, read_position_of, when_shown
from workbench.components.messages import Action, Message, failures_said
from workbench.components.theme import esc
from workbench.config.clock import StoreClock
from workbench.connection import Workbench
from workbench.forms.entry_form import EntryForm, text
from workbench.forms.tabulator import TABLE_STYLE, row_button, sideways, wide
from workbench.imports.entries import EntryFile, columns_text, importing_text, judge, write
from workbench.locale import N_, _
from workbench.notebook import connect
from workbench.words import counted, visible

WIDE = {"max_width": 420, "min_width": 280}  # as wide as what is typed there
MOST_SHOWN = 200
MOST_CHANGES = 20
CHOOSE = N_("Choose ...")
DID = {"insert": N_("{entry} made"), "update": N_("{entry} changed"), "delete": N_("{entry} deleted")}
LOG_HEADS = (N_("When"), N_("Who"), N_("What"), N_("From what to what"))


class CatalogueManager(pn.viewable.Viewer):
    """A tab for each kind of entry, for one admin, in a notebook or served (``catalogue?kind=product``)."""

    def __init__(self, workbench: Workbench | None = None, *, actor: Actor | str = "", **params: Any) -> None:
        super().__init__(**params)
        workbench = workbench or connect()
        catalogue = Catalogue(workbench.engines, workbench.reader, read_position_of(workbench), actor)
        self.sections = {kind.name: EntrySection(catalogue, kind, workbench.clock) for kind in KINDS.values()}
        self._tabs = pmui.Tabs(
            *((_(kind.title), html_pane()) for kind in KINDS.values()),
            sizing_mode="stretch_width",
            margin=0,
            sx={"& .MuiTab-root": {"minWidth": 0, "px": "clamp(6px, 1.6vw, 14px)"}},  # all fit a phone
        )
        self._place = pn.Column(sizing_mode="stretch_width", margin=0)
        self._tabs.active = list(KINDS).index(_asked_kind())
        self._tabs.param.watch(lambda _event: pn.state.execute(self._show), "active")
        if not done_at_once(self._show):
            when_shown(self._show)

    @property
    def section(self) -> EntrySection:
        """The one that is shown."""
        return list(self.sections.values())[self._tabs.active]

    async def _show(self) -> None:
        section = self.section
        await section.reload()
        if section is self.section:
            self._place[:] = [section]

    def __panel__(self) -> pn.Column:
        kept = [section.form.unsaved for section in self.sections.values()] if is_served() else []
        return pn.Column(self._tabs, self._place, *kept, sizing_mode="stretch_width", margin=0)


def _asked_kind() -> str:
    location = pn.state.location if is_served() else None
    query = parse_qs(((location.search if location is not None else "") or "").lstrip("?"))
    asked = query.get("kind", [""])[0]
    return asked if asked in KINDS else next(iter(KINDS))


class EntrySection(pn.viewable.Viewer):
    """The entries of one kind: those that are looked for, the form of one, and what was changed last."""

    def __init__(self, catalogue: Catalogue, kind: Kind, clock: StoreClock) -> None:
        super().__init__()
        self._catalogue, self._kind, self._clock = catalogue, kind, clock
        self._entries: list[Entry] = []
        self._shown: list[Entry] = []
        self._changes: list[LogEntry] = []
        self.message = Message()
        self.form = EntryForm(catalogue, kind, self._saved)
        self._find = pmui.TextInput(
            label=_("Find {kinds}", kinds=kind.plural), placeholder=_("Name or number"), **LAYOUT | WIDE
        )
        self._find.param.watch(lambda _event: self._tell(), "value_input")
        self._new = pmui.Button(label=_("New {kind}", kind=_(kind.noun)), icon="add", variant="outlined", margin=MARGIN)
        self._new.on_click(self._begin)
        self.file = CatalogueFile(catalogue, kind, self._saved)
        self._count = html_pane(margin=MARGIN)
        self._rows = pn.Column(sizing_mode="stretch_width", margin=0)
        self._log = html_pane(margin=MARGIN)
        self._undone = pmui.Select(label=_("Change"), options={_(CHOOSE): 0}, value=0, **LAYOUT | WIDE)
        self._undo_button = pmui.Button(label=_("Take this change back"), variant="outlined", margin=MARGIN)
        self.undo = Action(self._undo, self.message, self._undo_button)
        self._undo_button.on_click(self.undo.run)
        self._undo_place = flow(self._undone, self._undo_button, sizing_mode="stretch_width")
        self._undo_place.visible = False

    async def reload(self) -> None:
        """Reads entries and changes."""
        with failures_said(self.message, is_saving=False):
            self._entries = (await read_aside(self._catalogue.find_all, self._kind)).value
            self._changes = (await read_aside(self._catalogue.log, self._kind)).value[:MOST_CHANGES]
            self._tell()

    def _tell(self) -> None:
        wanted = str(self._find.value_input or "").strip().casefold()
        found = [entry for entry in self._entries if wanted in _searched(entry)]
        self._shown = found[:MOST_SHOWN]
        count = counted(len(self._entries), self._kind.noun)
        if wanted:
            count = _("{n} of {all}", **{"n": locale.number(len(found)), "all": count})
        cut = _(": the first {n} are shown, type more", n=MOST_SHOWN) if len(found) > MOST_SHOWN else ""
        self._count.object = f'<p role="status"><strong>{count}</strong><span class="soft">{cut}</span></p>'
        self._rows[:] = [sideways(self._table())] if self._shown else []
        self._log.object = changes_html(self._kind, self._changes, self._clock)
        self._undone.param.update(options={_(CHOOSE): 0} | self._undoable, value=0)
        self._undo_place.visible = bool(self._undoable)

    @property
    def _undoable(self) -> dict[str, int]:
        """The newest change of each entry, but those that were taken back, or cannot be."""
        newest: dict[str, LogEntry] = {}
        for change in self._changes:
            newest.setdefault(change.entry_key, change)
        if self._kind.is_private:
            return {}
        return {_undo_text(change): change.log_id for change in newest.values() if not change.is_undone}

    def _table(self) -> pn.widgets.Tabulator:
        """Made anew each time: one that gets other rows while it is drawn fails in the browser."""
        fields = self._kind.by_name
        rows = [[visible(text(entry.values[name])) for name in fields] for entry in self._shown]
        numbers = {name: "right" for name, field in fields.items() if field.kind in ("id", "money")}
        table = pn.widgets.Tabulator(
            pd.DataFrame(rows, columns=list(fields), dtype=object),
            titles={name: field.label for name, field in fields.items()} | {"edit": ""},
            show_index=False,
            disabled=True,
            selectable=False,
            layout="fit_columns",
            configuration={"columnDefaults": {"minWidth": 66, "headerWordWrap": True, "headerSort": False}},
            widths={"edit": 90} | ({name: 90 for name, field in fields.items() if field.kind == "id"}),
            stylesheets=[wide(66 + 110 * len(fields)), TABLE_STYLE],
            sizing_mode="stretch_width",
            margin=MARGIN,
            text_align=numbers,
            header_align=numbers,
            buttons={"edit": row_button(_("Edit"))},
        )
        table.on_click(self._clicked)
        return table

    def _clicked(self, event: Any) -> None:
        if event.column == "edit" and event.row < len(self._shown):
            pn.state.execute(partial(self._open, self._kind.key_of(self._shown[event.row].values)))

    def _begin(self, _event: object) -> None:
        if not self._is_refused_as_unsaved():
            self.form.begin()

    async def _open(self, key: Sequence[Any]) -> None:
        """The entry as the master has it now."""
        if self._is_refused_as_unsaved():
            return
        with failures_said(self.message, is_saving=False):
            entry = await read_aside(self._catalogue.find, self._kind, key)
            if entry is None:
                self.message.say("info", _("It was deleted meanwhile."))
                await self.reload()
            else:
                self.form.open(entry)

    def _is_refused_as_unsaved(self) -> bool:
        self.message.clear()
        if self.form.is_changed:
            unsaved = _("There are changes that are not saved.")
            self.message.say("warning", _("Save or cancel them first."), unsaved)
        return self.form.is_changed

    async def _undo(self) -> None:
        if not self._undone.value:
            self.message.say("info", _("Choose the change that is to be taken back."))
            return
        if self._is_refused_as_unsaved():
            return
        await asyncio.to_thread(self._catalogue.undo, self._undone.value)
        self.form.close()
        self.message.say("success", _("It is as before that change."))
        await self.reload()

    def _saved(self) -> None:
        pn.state.execute(self.reload)

    def __panel__(self) -> pn.Column:
        heading = html_pane(f"<h2>{_('Last changes')}</h2>", MARGIN)
        return pn.Column(
            self.message,
            flow(self._find, self._new, self.file.button, sizing_mode="stretch_width"),
            self.file,
            self.form,
            self._count,
            self._rows,
            heading,
            self._log,
            self._undo_place,
            sizing_mode="stretch_width",
            margin=0,
        )


def _searched(entry: Entry) -> str:
    return " ".join(text(value) for value in entry.values.values()).casefold()


def changes_html(kind: Kind, changes: Sequence[LogEntry], clock: StoreClock) -> str:
    """The changes as a table, the newest first; every value is escaped."""
    if not changes:
        return f'<p class="soft">{_("Nothing has been changed yet.")}</p>'
    return table_html([(_(head), False) for head in LOG_HEADS], [_row(kind, change, clock) for change in changes])


def _row(kind: Kind, change: LogEntry, clock: StoreClock) -> tuple[str, ...]:
    fields = kind.by_name
    what = _(DID[change.operation], entry=f"{kind.heading} {change.entry_key}")
    if change.undoes is not None:
        what = _("{what}, which takes back change {n}", **{"what": what, "n": change.undoes})
    parts = [
        f"{fields[name].label}: {_was(fields[name], was)} → {_was(fields[name], now)}"
        for name, (was, now) in change.changed.items()
    ]
    if change.operation != "update":
        values = change.after or change.before or {}
        parts = [
            f"{field.label}: {_was(field, values[name])}"
            for name, field in fields.items()
            if values.get(name) is not None
        ]
    if kind.is_private:
        parts.append(_("names are not logged"))
    return clock.text(change.logged_at), visible(change.actor), visible(what), visible("; ".join(parts))


def _undo_text(change: LogEntry) -> str:
    what = _(DID[change.operation], entry=visible(change.entry_key))
    return _("{n}: {what} by {who}", **{"n": change.log_id, "what": what, "who": visible(change.actor)})


def _was(field: Field, value: Any) -> str:
    """A value of the log, which has days and amounts as JSON has them."""
    if value is None:
        return "–"
    if field.kind == "day":
        value = date.fromisoformat(value)
    return locale.field_text(Decimal(str(value)) if field.kind == "money" else value)


MOST_BYTES = 20_000_000
MOST_VERDICTS = 100


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
            try:
                file = await asyncio.to_thread(judge, self._catalogue, self._kind, path, name=name)
            finally:
                path.unlink(missing_ok=True)
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
    cut = _("The first {n} are shown.", n=MOST_VERDICTS) if len(file.refused) > MOST_VERDICTS else ""
    rows = ((locale.number(each.row), visible(each.reason)) for each in file.refused[:MOST_VERDICTS])
    heads = [(_("Row"), True), (_("Why"), False)]
    return f"{text}<h3>{_('Refused')}</h3><p class='soft'>{cut}</p>{table_html(heads, rows)}"


def _columns_text(columns: Mapping[str, str], kind: Kind) -> str:
    return "; ".join(f"{kind.by_name[field].label}: {visible(column)}" for field, column in columns.items()) + "."
