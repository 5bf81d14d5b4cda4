"""Named views: the state of a page, as its address holds it, saved on purpose for oneself or for all."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from workbench.accounts.actor import Actor, as_actor
from workbench.database.engines import Engines
from workbench.database.failures import state_of
from workbench.database.replication import Answer, Reader, ReadPosition
from workbench.database.sql_files import WritingConnection, run_sql
from workbench.database.writes import Write, run_file
from workbench.errors import FieldError
from workbench.locale import N_, _
from workbench.words import hidden, visible

NAME_LENGTH = 100
STATE_LENGTH = 8_000  # what browsers and servers take as an address
UNIQUE_VIOLATION = "23505"
NAME_TAKEN = N_("you have another view of this name")


@dataclass(frozen=True)
class SavedView:
    """A named view as it is stored. ``state`` is the part of the address after the question mark."""

    saved_view_id: int
    owner: str
    view_name: str
    state: str
    is_shared: bool
    created_at: datetime
    updated_at: datetime


@dataclass
class SavedViews:
    """The named views that ``actor`` may open: own ones, and those that others share.

    Each has views of their own; sharing them with all needs an editor. After each write ``read_position`` holds the
    commit's, so that the next read shows it.
    """

    engines: Engines
    reader: Reader
    read_position: ReadPosition
    actor: Actor | str | None = None  # None: whoever acts here
    is_question: bool = False  # of the page Explore, whose addresses begin with the metrics; else of Analytics

    def __post_init__(self) -> None:
        self._actor = self.actor if isinstance(self.actor, Actor) else as_actor(_owner(self.actor))
        self.owner = _owner(self._actor.name)

    @property
    def may_share(self) -> bool:
        """Whether views can be shared with all."""
        return self._actor.may("editor")

    def save(self, view_name: str, state: str, *, is_shared: bool = False, may_replace: bool = False) -> SavedView:
        """Saves ``state`` under a name that the owner has not used yet, upper and lower case being the same.

        With ``may_replace`` the owner's view of that name is replaced. Raises FieldError for a name that is blank, too
        long, not one line or taken, or a state that is too long or not one line; ServerUnavailable when the master does
        not answer.
        """
        values = {
            "view_name": _line("view_name", view_name),
            "state": _state(state),
            "is_shared": bool(is_shared),
            "may_replace": bool(may_replace),
        }
        saved = self._write("create_saved_view", values)
        if saved is None:
            raise FieldError("view_name", view_name, _(NAME_TAKEN))
        return saved

    def find(self) -> Answer[list[SavedView]]:
        """Own views, then those that others share, each by name. Raises ServerUnavailable."""

        def work(connection: sa.Connection) -> list[SavedView]:
            rows = run_sql(connection, "queries/saved_views", {"owner": self.owner})
            found = (SavedView(**row) for row in rows.mappings())
            return [view for view in found if view.state.startswith("metrics=") == self.is_question]

        return self.reader.read(self.read_position, work, "saved views")

    def rename(self, saved_view_id: int, view_name: str) -> SavedView:
        """Gives one of the owner's views another name. Raises what ``save`` does, and FieldError for another's view."""
        values = {"saved_view_id": saved_view_id, "view_name": _line("view_name", view_name)}
        return self._own(saved_view_id, self._write("rename_saved_view", values))

    def delete(self, saved_view_id: int) -> SavedView:
        """Deletes one of the owner's views and returns what it was. Raises FieldError and ServerUnavailable."""
        return self._own(saved_view_id, self._write("delete_saved_view", {"saved_view_id": saved_view_id}))

    def _own(self, saved_view_id: int, changed: SavedView | None) -> SavedView:
        if changed is None:
            raise FieldError("saved_view_id", saved_view_id, _("it must be a view of your own that is still there"))
        return changed

    def _write(self, query: str, values: dict[str, Any]) -> SavedView | None:
        def attempt(connection: WritingConnection) -> SavedView | None:
            try:
                row = run_file(connection, f"queries/{query}", values | {"owner": self.owner})
            except IntegrityError as error:
                if state_of(error) != UNIQUE_VIOLATION:
                    raise
                raise FieldError("view_name", values["view_name"], _(NAME_TAKEN)) from None
            return None if row is None else SavedView(**row._mapping)

        is_for_all = bool(values.get("is_shared"))
        self._actor.need("editor" if is_for_all else "viewer", _("To share a view with all"))
        return Write(self.engines, self.read_position, "save the view", may_repeat=False).run(attempt)


def _owner(name: str | None) -> str:
    return "" if name is None else _line("owner", name)


def _line(field: str, value: Any) -> str:
    """A text of one line without the blanks around it; equal texts are equal characters (NFC)."""
    if not isinstance(value, str):
        raise FieldError(field, value, _("it must be text"))
    text = unicodedata.normalize("NFC", value.strip())
    if not text:
        raise FieldError(field, value, _("please fill it in"))
    if len(text) > NAME_LENGTH:
        raise FieldError(field, value, _("at most {max_length} characters are allowed", max_length=NAME_LENGTH))
    return _printable(field, text)


def _state(value: Any) -> str:
    if not isinstance(value, str):
        raise FieldError("state", value, _("it must be text"))
    text = value.removeprefix("?")
    if len(text) > STATE_LENGTH:
        raise FieldError("state", value, _("at most {max_length} characters are allowed", max_length=STATE_LENGTH))
    return _printable("state", text)


def _printable(field: str, text: str) -> str:
    if found := hidden(text):
        allowed = _("it must be text that can be seen, in one line, without {letter}", letter=found)
        raise FieldError(field, visible(text), allowed)
    return text
