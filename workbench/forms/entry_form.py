"""One entry of the catalogue as it is typed: made anew, changed unless somebody else was faster, deleted when asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import panel as pn
import panel_material_ui as pmui

from workbench import locale
from workbench.catalogue import Catalogue, Entry, Field, Kind
from workbench.components.browser.page import Unsaved
from workbench.components.fields import MARGIN, Fields, actions, field_grid, text_field
from workbench.components.html import html_pane, table_html
from workbench.components.messages import Action, Message
from workbench.components.theme import NOTHING
from workbench.errors import EntryConflict, EntryRefused, field_label
from workbench.forms.sale_form import section
from workbench.locale import _, sentences

PLACEHOLDERS: Mapping[str, Callable[[], str]] = {"day": locale.day_hint, "zone": lambda: "Europe/Lisbon"}


class EntryForm(pn.viewable.Viewer):
    """The fields of a kind. ``on_saved`` is called after each change; ``unsaved`` is placed outside of it."""

    def __init__(self, catalogue: Catalogue, kind: Kind, on_saved: Callable[[], None]) -> None:
        super().__init__()
        self._catalogue, self._kind, self._on_saved = catalogue, kind, on_saved
        self._loaded: Entry | None = None
        self.message = Message()
        self.unsaved = Unsaved(f"catalogue-{kind.name}", self._draft, self._restore)
        self.fields = Fields({field.name: _widget(field) for field in kind.fields}, self.unsaved.changed)
        self._save_button = pmui.Button(label=_("Save"), variant="contained", margin=MARGIN)
        self.save = Action(self._save, self.message, self._save_button)
        self._save_button.on_click(self.save.run)
        for widget in self.fields.widgets.values():
            widget.param.watch(self.save.run, "enter_pressed")
        self._delete_button = _button(_("Delete this {kind}", kind=_(kind.noun)), self._ask, color="error")
        self._sure_button = _button(_("Delete"), None, color="error", variant="contained")
        self.delete = Action(self._delete, self.message, self._sure_button)
        self._sure_button.on_click(self.delete.run)
        keep = _button(_("Keep it"), lambda _event: self._question.clear(), variant="text")
        self._question = Message(pn.Row(self._sure_button, keep), closeable=False)
        self._comparison = html_pane(margin=MARGIN)
        self._theirs: Entry | None = None
        self._conflict = section(
            _("It was changed meanwhile"),
            self._comparison,
            pn.Row(_button(_("Take theirs"), self._take_theirs), _button(_("Keep mine"), self._keep_mine)),
        )
        buttons = [
            _button(_("Cancel"), lambda _event: self.close(), variant="text"),
            self._delete_button,
            self._save_button,
        ]
        self._body = section(kind.heading, field_grid(*self.fields.widgets.values(), width=190), actions(*buttons))
        self.close()

    @property
    def key(self) -> tuple[Any, ...] | None:
        """The key of the entry that is open; None for a new one, and when nothing is open."""
        return None if self._loaded is None else self._kind.key_of(self._loaded.values)

    def close(self) -> None:
        """Closes the form, and forgets what is typed."""
        self._show(None)
        self._body.visible = False
        self.message.clear()
        self.unsaved.changed()

    def begin(self, _event: object = None) -> None:
        """An empty form for a new entry."""
        self.message.clear()
        self._show(None)
        self.fields.widgets[self._kind.key[0]].focus()

    def open(self, entry: Entry) -> None:
        """The entry, as it was just loaded from the master."""
        self.message.clear()
        self._show(entry)
        self.fields.widgets[self._kind.named].focus()

    @property
    def is_changed(self) -> bool:
        """Whether something is typed that was not loaded."""
        return self._body.visible and self.fields.texts() != texts(self._kind, self._values)

    @property
    def _values(self) -> Mapping[str, Any]:
        return {} if self._loaded is None else self._loaded.values

    def _show(self, entry: Entry | None) -> None:
        self._loaded = entry
        self._withdraw()
        self.fields.fill(texts(self._kind, self._values))
        self.fields.forgive()
        for name in self._kind.key:
            self.fields.widgets[name].disabled = entry is not None
        self._delete_button.visible = entry is not None
        self._body.visible = True

    def _withdraw(self) -> None:
        self._theirs = None
        self._question.clear()
        self._conflict.visible = False

    async def _save(self) -> None:
        if not self._body.visible:
            return
        self.message.clear()
        self._withdraw()
        given, loaded = self.fields.texts(), self._loaded
        if loaded is not None and not self.is_changed:
            self.message.say("info", _("Nothing was saved."), _("Nothing has been changed."))
            return
        try:
            saved = await asyncio.to_thread(self._send, given, loaded)
        except EntryRefused as refusal:
            if rest := self.fields.show(refusal.fields):
                self.message.say("error", "; ".join(str(error) for error in rest))
            return
        except EntryConflict as conflict:
            self._show_conflict(conflict, given)
            return
        self.close()
        self.message.say("success", _("{entry} is saved.", entry=self._kind.called(saved.values)))
        self._on_saved()

    def _send(self, given: Mapping[str, Any], loaded: Entry | None) -> Entry:
        if loaded is None:
            return self._catalogue.create(self._kind, given)
        return self._catalogue.update(self._kind, given, loaded.version)

    def _show_conflict(self, conflict: EntryConflict, mine: Mapping[str, str]) -> None:
        self._theirs = conflict.theirs
        theirs, was = texts(self._kind, conflict.theirs.values), texts(self._kind, self._values)
        rows = [
            (field_label(name), *(text[name] or NOTHING for text in (mine, theirs, was)))
            for name in was
            if len({mine[name], theirs[name], was[name]}) > 1
        ]
        heads = ("", _("Mine"), _("Theirs"), _("It was"))
        self._comparison.object = table_html([(head, False) for head in heads], rows)
        self._conflict.visible = True
        self.message.say("warning", _("Below is what differs."), str(conflict))

    def _take_theirs(self, _event: object) -> None:
        if self._theirs is not None:
            self.open(self._theirs)

    def _keep_mine(self, _event: object) -> None:
        """What I have changed stands on top of theirs, to be looked at and saved."""
        theirs, mine, was = self._theirs, self.fields.texts(), texts(self._kind, self._values)
        if theirs is None:
            return
        self.open(theirs)
        self.fields.fill({name: text for name, text in mine.items() if text != was[name]})
        told = _("Your changes stand on top of theirs. Look at them, then save.")
        self.message.say("info", told, _("Not saved yet."))

    def _ask(self, _event: object) -> None:
        if self._loaded is not None:
            self.message.clear()
            more = _("Its list prices go with it.") if self._kind.name == "product" else ""
            kept = _("Sales keep its number and are shown without a name.")
            text = sentences(kept, more, _("The changes below bring it back."))
            entry = self._kind.called(self._loaded.values)
            self._question.say("warning", text, _("Delete {entry}?", entry=entry))

    async def _delete(self) -> None:
        entry = self._loaded
        if entry is None or not self._question.text:
            return
        key = self._kind.key_of(entry.values)
        try:
            await asyncio.to_thread(self._catalogue.delete, self._kind, key, entry.version)
        except EntryConflict as conflict:
            self._show(conflict.theirs)
            now = _("Above is how it is now. Delete it only if you still want to.")
            self.message.say("warning", now, str(conflict))
            return
        self.close()
        self.message.say("success", _("{entry} is deleted.", entry=self._kind.called(entry.values)))
        self._on_saved()

    def _draft(self) -> dict[str, Any] | None:
        if not self.is_changed:
            return None
        loaded = self._loaded and {"version": self._loaded.version, "texts": texts(self._kind, self._loaded.values)}
        return {"texts": self.fields.texts(), "loaded": loaded}

    def _restore(self, draft: dict[str, Any]) -> None:
        given = {name: str(draft["texts"][name]) for name in self._kind.by_name}
        loaded = draft["loaded"]
        entry = None
        if loaded is not None:
            values = self._kind.parse(loaded["texts"])
            entry = Entry(values, int(loaded["version"]))
        self._show(entry)
        self.fields.fill(given)

    def __panel__(self) -> pn.Column:
        return pn.Column(
            self.message, self._question, self._body, self._conflict, sizing_mode="stretch_width", margin=0
        )


def texts(kind: Kind, values: Mapping[str, Any]) -> dict[str, str]:
    """The text of each field, as it is typed; empty for nothing."""
    return {name: text(values.get(name)) for name in kind.by_name}


def text(value: Any) -> str:
    """``3``, ``2026-05-31``, ``12.50``; empty for nothing."""
    return locale.field_text(value)


def _widget(field: Field) -> pmui.TextInput:
    hint = _(field.hint) if field.hint else "" if field.is_required else _("Optional")
    return text_field(field.name, hint, placeholder=PLACEHOLDERS.get(field.kind, str)())


def _button(label: str, on_click: Callable[[Any], Any] | None, **params: Any) -> pmui.Button:
    given = {"variant": "outlined"} | params | ({} if on_click is None else {"on_click": on_click})
    return pmui.Button(label=label, margin=MARGIN, **given)
