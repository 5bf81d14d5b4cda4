"""The history of a sale below its form: who saved what and when; a change is undone, an earlier version comes back."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import datetime
from typing import Any

import panel as pn
import panel_material_ui as pmui

from workbench.catalogue.names import NO_NAMES, Names
from workbench.components.fields import LAYOUT, MARGIN
from workbench.components.html import html_pane, table_html
from workbench.components.messages import Action, Message
from workbench.components.theme import NOTHING, esc, money
from workbench.config.clock import StoreClock
from workbench.forms.named_ids import no_names
from workbench.forms.sale_html import line_text, sale_text, to_the_second
from workbench.locale import N_, _
from workbench.sales.fields import FIELDS
from workbench.sales.history import Change, Row, Touched, reason_in_words
from workbench.sales.returns import Returned
from workbench.words import counted, visible

KINDS = {
    "imported": "Imported",
    "created": N_("Recorded"),
    "edited": N_("Changed"),
    "deleted": N_("Deleted"),
    "restored": N_("Restored"),
}
HEADS = dict.fromkeys((N_("When"), N_("Who"), N_("What"), N_("Before"), N_("After")), False)
NOTHING_LOGGED = N_("Nothing is logged of this sale: a bulk load brought it, and nobody has changed it since.")


def history_html(
    changes: Sequence[Change],
    clock: StoreClock,
    returned: Sequence[Returned] = (),
    names: Names = NO_NAMES,
    *,
    is_open: bool = False,
) -> str:
    """A list to be unfolded, the newest save, or return of items, first; every text in it is escaped.

    Stores and cashiers have today's ``names``.
    """
    if not changes and not returned:
        return f'<p class="soft">{_(NOTHING_LOGGED)}</p>'
    told = [(change.at, list(_rows(change, clock, names))) for change in changes]
    told += [(each.created_at, [_return_row(each, clock)]) for each in returned]
    told.sort(key=lambda entry: entry[0], reverse=True)
    heads = [(_(head), is_number) for head, is_number in HEADS.items()]
    table = table_html(heads, (row for _moment, rows in told for row in rows))
    last = (
        _(", the last by {who} on {moment}", who=esc(changes[0].actor), moment=clock.text(changes[0].at))
        if changes
        else ""
    )
    items = sum(each.items for each in returned)
    given_back = f"; {_('{items} returned', items=counted(items, 'item'))}" if returned else ""
    summary = f"{_('History')}: {counted(len(changes), 'save')}{last}{given_back}"
    return f"<details{' open' if is_open else ''}><summary>{summary}</summary>{table}</details>"


def _return_row(each: Returned, clock: StoreClock) -> Sequence[str]:
    what = _("Returned by transaction {id}: {items}", id=each.transaction_id, items=counted(each.items, "item"))
    return (
        clock.text(each.created_at),
        each.actor or NOTHING,
        what,
        NOTHING,
        _("Total {amount}", amount=money(each.total_amount)),
    )


def _rows(change: Change, clock: StoreClock, names: Names) -> Iterator[Sequence[str]]:
    lead = (clock.text(change.at), change.actor)
    for difference in list(_differences(change, names)) or [(_("Saved as it was"), NOTHING, NOTHING)]:
        yield *lead, *difference
        lead = ("", "")
    if change.reason:
        yield *lead, _("Reason"), NOTHING, reason_in_words(change.reason)


def _differences(change: Change, names: Names) -> Iterator[tuple[str, str, str]]:
    """What, before and after, as plain texts; of a sale that came or went its total and its lines."""
    if change.kind == "imported":
        yield _("Imported from {file}", file=visible(change.file_name or "")), NOTHING, NOTHING
    for part in change.touched:
        if part.item_id is not None:
            if line_text(part.before) != line_text(part.after):
                yield _("Item"), line_text(part.before), line_text(part.after)
        elif change.kind == "edited":
            yield from _header(part, names)
        else:
            of = (
                _(" as a return of {id}", id=change.return_of)
                if change.return_of is not None and change.before is None
                else ""
            )
            yield f"{_(KINDS[change.kind])}{of}", _total(part.before), _total(part.after)


def _header(part: Touched, names: Names) -> Iterator[tuple[str, str, str]]:
    before, after = part.before or {}, part.after or {}
    for name, field in FIELDS.items():
        if before.get(name) != after.get(name):
            yield field.label, _value(name, before, names), _value(name, after, names)


def _value(name: str, row: Row, names: Names = NO_NAMES) -> str:
    value = row.get(name)
    if value is not None and FIELDS[name].kind == "time":
        return to_the_second(datetime.fromisoformat(value))
    return sale_text(name, value, names=names)


def _total(row: Row | None) -> str:
    return NOTHING if row is None else _("Total {amount}", amount=_value("total_amount", row))


OnChange = Callable[[Change], Coroutine[Any, Any, None]]
UNDO, BRING_BACK = N_("Undo this change"), N_("Restore this sale")


class SaleHistory(pn.viewable.Viewer):
    """``on_undo`` and ``on_version`` get the change that is chosen; ``message`` says what fails.

    Without ``can_undo`` nothing is offered that takes a change back.
    """

    def __init__(
        self,
        clock: StoreClock,
        message: Message,
        on_undo: OnChange,
        on_version: OnChange,
        names: Callable[[], Names] = no_names,
        *,
        can_undo: bool = True,
    ) -> None:
        super().__init__()
        self._clock, self._names, self._can_undo = clock, names, can_undo
        self._changes: dict[str, Change] = {}
        self.text = html_pane(margin=MARGIN)
        self._which = pmui.Select(label=_("Change"), options=[], **LAYOUT)
        self._undo = pmui.Button(label=_(UNDO), variant="outlined", margin=MARGIN)
        self._version = pmui.Button(label=_("Take up this version"), variant="text", margin=MARGIN)
        buttons = [self._undo, self._version] if can_undo else [self._version]
        self._choice = pn.Row(self._which, *buttons, sizing_mode="stretch_width", visible=False)
        for button, act in ((self._undo, on_undo), (self._version, on_version)):
            button.on_click(Action(self._acting(act), message, button).run)
        self._which.param.watch(self._chosen, "value")

    def tell(self, changes: Sequence[Change], returned: Sequence[Returned] = (), *, is_there: bool) -> None:
        """Shows the changes, newest first; unfolded when the sale is not there any more."""
        self.text.object = history_html(changes, self._clock, returned, self._names(), is_open=not is_there)
        known = [
            change
            for change in changes
            if (self._can_undo and change.can_be_undone) or (is_there and change.after is not None)
        ]
        self._changes = {self._label(change, number): change for number, change in enumerate(known)}
        self._which.param.update(options=list(self._changes), value=next(iter(self._changes), None))
        self._choice.visible = bool(self._changes)
        self._chosen()

    def say(self, text: str) -> None:
        """Shows HTML in its place; empty for nothing."""
        self.text.object, self._choice.visible = text, False

    def _label(self, change: Change, number: int) -> str:
        newest = "" if number else _(" (the newest)")
        return (
            _(
                "{what} by {who}, {moment}",
                what=_(KINDS[change.kind]),
                who=change.actor,
                moment=self._clock.text(change.at),
            )
            + newest
        )

    def _chosen(self, *_events: Any) -> None:
        change = self._changes.get(self._which.value)
        if change is not None:
            self._undo.param.update(
                label=_(BRING_BACK if change.kind == "deleted" else UNDO), disabled=not change.can_be_undone
            )
            self._version.disabled = change.after is None

    def _acting(self, act: OnChange) -> Callable[[], Coroutine[Any, Any, None]]:
        async def work() -> None:
            change = self._changes.get(self._which.value)
            if change is not None:
                await act(change)

        return work

    def __panel__(self) -> pn.Column:
        return pn.Column(self.text, self._choice, sizing_mode="stretch_width", margin=0)
