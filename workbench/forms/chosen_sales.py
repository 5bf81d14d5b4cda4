"""The sales that are chosen in the table: what can be done with all of them, and the dialog that changes them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from workbench import locale
from workbench.catalogue.names import Names
from workbench.components.fields import CHOICE, LAYOUT, MARGIN, Fields, actions, field_grid, text_field
from workbench.components.html import flow, html_pane, table_html
from workbench.components.inline import read_aside
from workbench.components.messages import Action, Message, Said
from workbench.components.theme import esc
from workbench.errors import ManyRefused, SaleRefused, TooMany
from workbench.files import FORMATS
from workbench.forms.named_ids import NamedIds, no_names
from workbench.forms.sale_html import sale_text
from workbench.locale import N_, _, ngettext
from workbench.sales.fields import AT_ONCE, FIELDS, Field
from workbench.sales.many import MOST, Changed, Header, Preview, Refused, preview_many, undo_many, update_many
from workbench.sales.service import Sales
from workbench.words import counted

AS_IT_IS = N_("As it is")
FIRST, MOST_NAMED = 5, 10  # sales that are shown; refusals that are told in full
MOST_IDS = 40  # of further refusals


class ChangeMany(pn.viewable.Viewer):
    """Fields for what many sales are to get; ``on_changed`` gets what was done. It is placed once on the page."""

    def __init__(
        self, sales: Sales, on_changed: Callable[[Changed, Preview], None], names: Callable[[], Names] = no_names
    ) -> None:
        super().__init__()
        self._sales, self._on_changed, self._names = sales, on_changed, names
        self._ids: list[int] = []
        self._preview: Preview | None = None
        self.message = Message()
        self.fields = Fields({field.name: _widget(field) for field in AT_ONCE}, lambda _: self._withdraw())
        self._named = NamedIds(self.fields, names, {each.name: each.dimension for each in AT_ONCE if not each.choices})
        self._shown = html_pane(margin=MARGIN)
        self._doubts = Message(closeable=False)
        self._look_button = pmui.Button(label=_("Preview"), variant="outlined", margin=(6, 8))
        self.look = Action(self._look, self.message, self._look_button)
        self._look_button.on_click(self.look.run)
        for widget in self.fields.widgets.values():
            if "enter_pressed" in widget.param:
                widget.param.watch(self.look.run, "enter_pressed")
        self._button = pmui.Button(variant="contained", margin=(6, 8), visible=False)
        self.confirm = Action(self._change, self.message, self._button)
        self._button.on_click(self.confirm.run)
        self._cancel = pmui.Button(label=_("Cancel"), variant="text", margin=(6, 8), on_click=lambda _: self.close())
        self.dialog = pmui.Dialog(title_variant="h6", width_option="md", close_on_click=True)

    def open(self, ids: Sequence[int]) -> None:
        """Asks what these sales are to get."""
        self._ids = list(ids)
        self.message.clear()
        self.fields.fill(dict.fromkeys(self.fields.widgets, ""))
        self.fields.forgive()
        self._withdraw()
        if not self.dialog.objects:  # what is in it is drawn the first time
            form = field_grid(*self.fields.widgets.values(), width=190)
            buttons = actions(self._cancel, self._look_button, self._button)
            self.dialog.objects = [form, self._shown, self._doubts, self.message, buttons]
        self.dialog.param.update(title=_("Change {sales}", sales=counted(len(self._ids), "transaction")), open=True)

    def close(self) -> None:
        """Closes it; nothing is changed."""
        self._withdraw()
        self.dialog.open = False

    def _withdraw(self) -> None:
        """What was shown is of other values than those that are typed now."""
        self._preview = None
        self._shown.object = ""
        self._doubts.clear()
        self._button.visible = False

    async def _look(self) -> None:
        self.message.clear()
        self._named.fill()
        self._withdraw()
        try:
            preview = await read_aside(lambda: preview_many(self._sales, self._ids, **self.fields.texts()))
        except SaleRefused as refusal:
            if rest := self.fields.show(refusal.fields):
                self.message.say("error", "; ".join(map(str, rest)))
            return
        self._show(preview)

    def _show(self, preview: Preview) -> None:
        self._preview = preview
        self._shown.object = preview_html(preview, self._sales.engines.settings.workbench_currency, self._names())
        if preview.doubts:
            self._doubts.say("warning", " ".join([*preview.doubts, _("Is that right?")]), _("Not changed yet."))
        sales = counted(len(preview.sales), "transaction")
        label = _("Change the other {sales}", sales=sales) if preview.refused else _("Change {sales}", sales=sales)
        self._button.param.update(label=label, visible=bool(preview.sales))

    async def _change(self) -> None:
        preview = self._preview
        if preview is None:
            return
        self.message.clear()
        try:
            changed = await asyncio.to_thread(update_many, self._sales, preview, leave_out=bool(preview.refused))
        except ManyRefused:  # somebody was faster: what can be changed now is another question
            await self._look()
            now = _("Nothing was changed. Above is how it is now.")
            self.message.say("warning", now, _("Some were changed meanwhile."))
            return
        self.close()
        self._on_changed(changed, preview)

    def __panel__(self) -> pmui.Dialog:
        return self.dialog


def _widget(field: Field) -> Any:
    if field.choices:
        options = {_(AS_IT_IS): ""} | {choice: choice for choice in field.choices}
        return pmui.Select(label=field.label, options=options, value="", **LAYOUT, **CHOICE)
    return text_field(field.name, placeholder=_(AS_IT_IS))


def preview_html(preview: Preview, currency: str = "", names: Names = no_names()) -> str:
    """What a change of many would do, as HTML: how many sales get what instead of what, the first ones, the refused."""
    of = len(preview.sales) + len(preview.same) + len(preview.refused)
    told = _(
        "<strong>{n} of {sales}</strong> would change.",
        **{"n": locale.number(len(preview.sales)), "sales": counted(of, "transaction")},
    )
    if same := len(preview.same):
        already = ngettext(
            "{n} has these values already.", "{n} have these values already.", same, n=locale.number(same)
        )
        told = f"{told} {already}"
    return (
        f"<p>{told}</p>"
        + _counts_html(preview, names)
        + _first_html(preview, currency, names)
        + refused_html(preview.refused)
    )


def _counts_html(preview: Preview, names: Names) -> str:
    def text(name: str, value: Any) -> str:
        return sale_text(name, value, "", names)

    rows = [
        (FIELDS[name].label, text(name, old), text(name, preview.changes[name]), locale.number(count))
        for name, counts in preview.counts.items()
        for old, count in counts[:MOST_NAMED]
    ]
    heads = {_("Field"): False, _("Before"): False, _("After"): False, _("Transactions"): True}
    return table_html(heads.items(), rows) if rows else ""


def _first_html(preview: Preview, currency: str, names: Names) -> str:
    if not preview.sales:
        return ""
    stays = ("transaction_id", "transaction_time", "total_amount")
    heads = [(FIELDS[name].label, FIELDS[name].kind == "money") for name in (*stays, *preview.changes)]

    def cells(sale: Header) -> Iterator[object]:
        yield from (sale_text(name, sale[name], currency, names) for name in stays)
        for name, value in preview.changes.items():
            old, new = (sale_text(name, each, currency, names) for each in (sale[name], value))
            yield old if old == new else Markup(f"{esc(old)} → <mark>{esc(new)}</mark>")

    lead = "" if len(preview.sales) <= FIRST else f'<p class="soft">{_("The first {n}:", n=FIRST)}</p>'
    return lead + table_html(heads, [list(cells(sale)) for sale in preview.sales[:FIRST]])


def refused_html(refused: Sequence[Refused]) -> str:
    """Those that are not changed, the first ones with their reasons, then some ids, then how many more."""
    if not refused:
        return ""
    items = "".join(f"<li>{esc(each)}</li>" for each in refused[:MOST_NAMED])
    others = refused[MOST_NAMED : MOST_NAMED + MOST_IDS]
    rest = ", ".join(str(each.transaction_id) for each in others)
    unnamed = len(refused) - MOST_NAMED - len(others)
    more = _("Neither {ids}.", ids=esc(rest)) if rest else ""
    if unnamed > 0:
        more = _("Neither {ids} and {n} more.", **{"ids": esc(rest), "n": locale.number(unnamed)})
    lead = _("{n} cannot be changed:", n=locale.number(len(refused)))
    return f"<p><strong>{lead}</strong></p><ul>{items}</ul>{f'<p>{more}</p>' if more else ''}"


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
