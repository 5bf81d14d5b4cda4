"""The sales that are chosen in the table: how many, what can be done with all of them, and taking that back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from functools import partial
from typing import Any

import panel as pn
import panel_material_ui as pmui

from workbench import locale
from workbench.catalogue.names import Names
from workbench.components.browser.said import Said
from workbench.components.html import flow
from workbench.errors import TooMany
from workbench.files import FORMATS
from workbench.forms.actions import Action
from workbench.forms.change_many import ChangeMany
from workbench.forms.messages import Message
from workbench.forms.named_ids import no_names
from workbench.locale import _, ngettext
from workbench.sales.fields import FIELDS
from workbench.sales.many import MOST, Changed, Preview, Refused, undo_many
from workbench.sales.service import Sales
from workbench.words import counted

MOST_NAMED = 10


class ChosenSales(pn.viewable.Viewer):
    """A bar that is there while sales are chosen. They stay chosen over pages and filters, until they are cleared.

    ``on_files`` writes a file of one of FORMATS of them, ``on_all`` chooses all that the filters leave, ``on_clear`` is
    called when none is chosen any more, and ``on_changed`` after a write.
    """

    def __init__(
        self,
        sales: Sales,
        on_files: Callable[[str], Coroutine[Any, Any, None]],
        on_all: Callable[[], Coroutine[Any, Any, None]],
        on_clear: Callable[[], None],
        on_changed: Callable[[], None],
        names: Callable[[], Names] = no_names,
        *,
        can_write: bool = True,
    ) -> None:
        super().__init__()
        self._sales, self._on_clear, self._on_changed = sales, on_clear, on_changed
        self._ids: dict[int, None] = {}
        self._last: Changed | None = None
        self.message = Message()
        self._count = Said()
        self._count.param.update(sizing_mode="fixed", width=150, margin=(8, 8))
        self._undo_button = pmui.Button(label=_("Undo"), variant="outlined", size="small", margin=(6, 8))
        self.done = Message(self._undo_button)
        self.undo = Action(self._undo, self.done, self._undo_button)
        self._undo_button.on_click(self.undo.run)
        self.change = ChangeMany(sales, self._changed, names)
        change = _button(_("Change ..."), icon="edit")
        change.on_click(lambda _: self.change.open(list(self._ids)))
        clear = _button(_("Clear choice"), icon="close")
        clear.on_click(lambda _: self.clear())
        everything = self._acting(_("Choose all that match"), on_all, icon="done_all")
        files = [
            self._acting(_("{file} of these", file=label), partial(on_files, kind), "download")
            for kind, label in FORMATS.items()
        ]
        buttons = [*([change] if can_write else []), *files, everything, clear]
        self._bar = flow(self._count, *buttons, sizing_mode="stretch_width")
        self._bar.visible = False

    @property
    def ids(self) -> tuple[int, ...]:
        """The chosen ones, in the order in which they were chosen."""
        return tuple(self._ids)

    def put(self, chosen: Iterable[int], among: Iterable[int]) -> None:
        """``among`` these, which are seen, the chosen ones are these now; what is not seen stays as it is.

        Raises TooMany; nothing is changed then.
        """
        kept = dict.fromkeys(self._ids)
        for each in among:
            kept.pop(each, None)
        kept |= dict.fromkeys(chosen)
        if len(kept) > MOST:
            raise TooMany(
                _(
                    "{sales} are too many, {most} can be chosen: narrow the filters.",
                    **{"sales": counted(len(kept), "transaction"), "most": locale.number(MOST)},
                )
            )
        self._ids = kept
        self._tell()

    def clear(self) -> None:
        """Chooses none."""
        self._ids = {}
        self._tell()
        self._on_clear()

    def _tell(self) -> None:
        self._bar.visible = bool(self._ids)
        self._count.follow(_("{n} chosen", n=locale.number(len(self._ids))) if self._ids else "")

    def _acting(self, label: str, work: Callable[[], Coroutine[Any, Any, None]], icon: str) -> pmui.Button:
        button = _button(label, icon)
        button.on_click(Action(work, self.message, button).run)
        return button

    def _changed(self, changed: Changed, preview: Preview) -> None:
        self._last = changed
        told = ", ".join(f"{FIELDS[name].label} {value}" for name, value in preview.changes.items())
        text = f"{told}. {left_text(changed.left_out)}".strip()
        self._undo_button.visible = True
        self.done.say("success", text, _("{sales} changed:", sales=counted(len(changed.sales), "transaction")))
        self._on_changed()

    async def _undo(self) -> None:
        if self._last is None:
            return
        back = await asyncio.to_thread(undo_many, self._sales, self._last.operation)
        self._last = None
        self._undo_button.visible = False
        count = len(back.sales)
        lead = ngettext(
            "{n} transaction is as before.", "{n} transactions are as before.", count, n=locale.number(count)
        )
        self.done.say("warning" if back.left_out else "success", left_text(back.left_out), lead)
        self._on_changed()

    def __panel__(self) -> pn.Column:
        shown = (self._bar, self.message, self.done, self.change)
        return pn.Column(*shown, sizing_mode="stretch_width", margin=0)


def _button(label: str, icon: str) -> pmui.Button:
    return pmui.Button(label=label, icon=icon, variant="text", size="small", margin=(2, 0))


def left_text(left_out: Iterable[Refused]) -> str:
    """Which were left out, and why; empty for none."""
    why: Mapping[int, str] = {each.transaction_id: each.why for each in left_out}
    if not why:
        return ""
    if len(why) <= 3:
        return _("Left out: {why}", why=" ".join(why.values()))
    named = ", ".join(map(str, list(why)[:MOST_NAMED])) + (", ..." if len(why) > MOST_NAMED else "")
    return _("{n} left out: transaction {ids}.", **{"n": locale.number(len(why)), "ids": named})
