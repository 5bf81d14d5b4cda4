"""Page "Changes": what was changed of days after they were over, and the log of all sales."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup
from panel.viewable import Viewable, Viewer

from workbench import locale
from workbench.accounts import current_actor
from workbench.components.fields import CHOICE, LAYOUT, MARGIN, Fields, field_grid, text_field
from workbench.components.html import html_pane, table_html
from workbench.components.inline import done_at_once, is_served, read_aside, when_shown
from workbench.components.theme import NOTHING, esc, money
from workbench.connection import Workbench
from workbench.dashboards.pipeline import card
from workbench.database.failures import called
from workbench.database.replication import Answer, ReadPosition
from workbench.errors import FieldError, WorkbenchError
from workbench.filters.model import read_day, read_number
from workbench.live import shared_live
from workbench.locale import N_, _, in_sentence, ngettext
from workbench.metrics import DIMENSIONS
from workbench.sales.history import (
    PAGE,
    Corrected,
    LateChange,
    LogEntry,
    LogFilter,
    find_late,
    find_log,
    reason_in_words,
)
from workbench.words import counted

KINDS = {
    N_("Any"): None,
    N_("Created"): "created",
    N_("Edited"): "edited",
    N_("Voided"): "deleted",
    N_("Restored"): "restored",
    N_("Bulk load"): "bulk load",
    N_("Bulk undo"): "bulk undo",
    N_("Import"): "import",
}
NAMES = {kind: name for name, kind in KINDS.items()}
READING = N_("To read the log of all sales")
MOST_SHOWN = 100
WEEK, DAY = timedelta(days=7), timedelta(days=1)
LOG_HEADS = [(N_("When"), False), (N_("Who"), False), (N_("What"), False), (N_("Sale"), False), (N_("Store"), False)]
LOG_HEADS += [(N_("Before"), True), (N_("After"), True), (N_("Reason"), False)]
LATE_HEADS = [(N_("Day"), False), (N_("Revenue"), True), (N_("Sales"), True), (N_("What"), False), (N_("Sale"), False)]
LATE_HEADS += [(N_("Who"), False), (N_("When"), False)]
DAY_HEADS = [
    (N_("Day"), False),
    (N_("Revenue as reported"), True),
    (N_("As corrected"), True),
    (N_("Difference"), True),
]
DAY_HEADS += [(N_("Sales as reported"), True), (N_("As corrected"), True)]
ABOUT = N_(
    "A day is reported when it is over on the stores' clock. What was recorded, edited, voided, restored or loaded"
    " after that has changed its figures since, as the log has it."
)
BESIDE = {  # on a wide screen the cards stand side by side
    "display": "grid",
    "gap": "16px",
    "align-items": "start",
    "grid-template-columns": "repeat(auto-fit, minmax(min(1000px, 100%), 1fr))",
}
Texts = Mapping[str, Any]


class ChangesPage(Viewer):
    """Two cards, each with its fields; an address may say which days are looked at (``?first=…&last=…&store=…``),
    and by what else the figure is narrowed from which it leads here (``narrowed=…``)."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench, self._read_position = workbench, ReadPosition()
        self._known = shared_live(workbench).names
        self._actor = current_actor()
        yesterday = workbench.clock.today() - DAY
        given = _given() if is_served() else {}
        days = {"first_day": locale.day(yesterday - WEEK + DAY), "last_day": locale.day(yesterday)}
        self.late = QueryForm({name: text_field(name) for name in (*days, "store_id")}, self._late)
        self.late.fields.fill(days | given)
        self._narrowed = narrowed_text(_query().get("narrowed", [])) if is_served() else ""
        kinds = {_(name): name for name in KINDS}
        kind = pmui.Select(label=_("Kind"), options=kinds, value="Any", **LAYOUT, **CHOICE)
        fields = {name: text_field(name) for name in ("user", "store", "logged_from", "logged_to")}
        self.log = QueryForm({"kind": kind, **fields}, self._log, self._logged)
        self._older = pmui.Button(label=_("Older"), variant="outlined", margin=MARGIN, on_click=self._go_on)
        self._older_than: int | None = None
        self._next: int | None = None
        if not done_at_once(self._show):
            when_shown(self._show)

    async def _show(self) -> None:
        await self.late.ask()
        await self._begin()

    async def _begin(self) -> None:
        self._older_than = None
        await self.log.ask()

    async def _go_on(self, *_events: Any) -> None:
        self._older_than = self._next
        await self.log.ask()

    def _logged(self) -> None:
        """What the fields ask for next begins with the newest."""
        self._older_than = None
        self._older.disabled = self._next is None

    def _late(self, texts: Texts) -> Callable[[], str]:
        first, last, store = _read(texts, first_day=read_day, last_day=read_day, store_id=read_number)
        if missing := [name for name, day in (("first_day", first), ("last_day", last)) if day is None]:
            raise ExceptionGroup("missing", [FieldError(name, "", _("please give a day")) for name in missing])
        if last < first:
            wrong = FieldError("last_day", texts["last_day"], _("it must not be before the first"))
            raise ExceptionGroup("order", [wrong])

        def read() -> str:
            self._actor.need("admin", READING)
            clock = self._workbench.clock
            answer = self._workbench.reader.read(
                self._read_position, lambda c: find_late(c, first, last, clock, store), "late changes"
            )
            changes, days = answer.value
            return self._late_html(changes, days) + self._source(answer)

        return read

    def _log(self, texts: Texts) -> Callable[[], str]:
        store, first, last = _read(texts, store=read_number, logged_from=read_day, logged_to=read_day)
        wanted = LogFilter(texts["user"].strip() or None, store, KINDS[texts["kind"]], first, last)  # type: ignore[arg-type]
        older_than = self._older_than

        def read() -> str:
            self._actor.need("admin", READING)
            clock = self._workbench.clock
            answer = self._workbench.reader.read(
                self._read_position, lambda c: find_log(c, wanted, clock, older_than), "log"
            )
            entries = answer.value
            self._next = entries[PAGE - 1].audit_id if len(entries) > PAGE else None
            return self._log_html(entries[:PAGE]) + self._source(answer)

        return read

    def _late_html(self, changes: Sequence[LateChange], days: Sequence[Corrected]) -> str:
        moved = [day for day in days if (day.reported_revenue, day.reported_sales) != (day.revenue, day.sales)]
        if not moved and not changes:
            nothing = _(
                "Nothing: the figures of {days} with sales are as they were reported.", days=counted(len(days), "day")
            )
            return f"<p>{nothing}</p>"
        left = _("The largest {n} are shown.", n=MOST_SHOWN) if len(changes) > MOST_SHOWN else ""
        lead = ngettext(
            "{n} change after the day was over",
            "{n} changes after the day was over",
            len(changes),
            n=locale.number(len(changes)),
        )
        return (
            _table(DAY_HEADS, map(_day_cells, days))
            + f"<h3>{lead}</h3><p class='soft'>{left}</p>"
            + _table(LATE_HEADS, (self._late_cells(change) for change in changes[:MOST_SHOWN]))
        )

    def _late_cells(self, change: LateChange) -> tuple[object, ...]:
        what = (_(NAMES[change.kind]), sale_link(change.transaction_id), change.actor)
        sales = locale.number(change.sales, is_change=True)
        return locale.day(change.day), _signed(change.revenue), sales, *what, self._at(change)

    def _log_html(self, entries: Sequence[LogEntry]) -> str:
        if not entries:
            return f"<p>{_('Nothing in the log matches.')}</p>"
        return _table(LOG_HEADS, map(self._log_cells, entries))

    def _log_cells(self, entry: LogEntry) -> tuple[object, ...]:
        sale = sale_link(entry.transaction_id) if entry.loaded is None else counted(entry.loaded, "sale")
        store = (
            NOTHING if entry.store_id is None else self._known.now.name("store", entry.store_id, str(entry.store_id))
        )
        totals = money(entry.before), money(entry.after)
        return self._at(entry), entry.actor, _(NAMES[entry.kind]), sale, store, *totals, reason_in_words(entry.reason)

    def _at(self, entry: LogEntry | LateChange) -> str:
        return self._workbench.clock.text(entry.logged_at)

    def _source(self, answer: Answer[Any]) -> str:
        note = f" ({answer.note})" if answer.note else ""
        as_of = _("as of {moment}", moment=self._workbench.clock.time_text(answer.as_of))
        text = f"{called(answer.engine)}{note} · {as_of}"
        return f'<p class="soft">{esc(text)}</p>'

    def __panel__(self) -> Viewable:
        note = f'<p class="note">{esc(self._narrowed)}</p>' if self._narrowed else ""
        title = _("As reported, as corrected")
        heading = html_pane(f'<h2>{title}</h2><p class="soft">{_(ABOUT)}</p>{note}')
        newest = pmui.Button(label=_("Newest"), variant="text", margin=MARGIN)
        newest.on_click(lambda _event: pn.state.execute(self._begin))
        return pn.Column(
            card(heading, self.late),
            card(html_pane(f"<h2>{_('Log of all sales')}</h2>"), self.log, pn.Row(newest, self._older, margin=0)),
            styles=BESIDE,
            sizing_mode="stretch_width",
            margin=0,
        )


class QueryForm(Viewer):
    """Fields that say what is read, a button that reads it, and what came.

    ``parse`` makes of the fields' texts what reads and gives HTML; it raises an ExceptionGroup of FieldErrors.
    ``on_shown`` is called when that is shown.
    """

    def __init__(
        self,
        widgets: dict[str, Any],
        parse: Callable[[Texts], Callable[[], str]],
        on_shown: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__()
        self.fields, self._parse, self._on_shown = Fields(widgets), parse, on_shown
        self._asked = 0
        self._button = pmui.Button(label=_("Show"), margin=MARGIN, on_click=self.ask)
        self.shown = html_pane(f'<p class="soft waiting">{_("Loading ...")}</p>')
        for widget in widgets.values():
            if "enter_pressed" in widget.param:
                widget.param.watch(self.ask, "enter_pressed")

    async def ask(self, *_events: Any) -> None:
        """Reads what the fields say; what they cannot be is told by each, and what was shown stays."""
        self._asked += 1
        asked = self._asked
        try:
            read = self._parse(self.fields.texts())
        except* FieldError as refused:
            errors = (error for error in refused.exceptions if isinstance(error, FieldError))
            self.fields.show(errors, is_going_there=False)
        else:
            self.fields.forgive()
            text = await read_aside(_text_or_error, read)
            if asked == self._asked:  # else something newer was asked for meanwhile
                self.shown.object = text
                self._on_shown()

    def __panel__(self) -> Viewable:
        return pn.Column(
            field_grid(*self.fields.widgets.values()), self._button, self.shown, sizing_mode="stretch_width", margin=0
        )


def _text_or_error(read: Callable[[], str]) -> str:
    """What is read, or why it cannot be."""
    try:
        return read()
    except WorkbenchError as error:
        return f'<p class="note bad">{esc(error)}</p>'


def sale_link(transaction_id: int | None) -> str:
    """A link to the sale under Edit, with its history, also when it is gone."""
    if transaction_id is None:
        return NOTHING
    return Markup(f'<a href="sales?tab=edit&amp;sale={transaction_id:d}">{transaction_id:d}</a>')


def _read(texts: Texts, **readers: Callable[[str, str], Any]) -> list[Any]:
    """Each text as its reader has it. Raises an ExceptionGroup of all that cannot be."""
    found, errors = [], []
    for name, reader in readers.items():
        try:
            found.append(reader(name, texts[name]))
        except FieldError as error:
            errors.append(error)
    if errors:
        raise ExceptionGroup("refused", errors)
    return found


def _query() -> dict[str, list[str]]:
    location = pn.state.location
    return parse_qs((location.search or "").lstrip("?")) if location is not None else {}


def _given() -> dict[str, str]:
    """What the page's address says of the days."""
    query, names = _query(), {"first": "first_day", "last": "last_day", "store": "store_id"}
    return {field: query[name][0] for name, field in names.items() if name in query}


def narrowed_text(names: Sequence[str]) -> str:
    """What is to be said to who comes from a figure that is narrowed by these dimensions; nothing without any."""
    labels = {name: dimension.label for name, dimension in DIMENSIONS.items()} | {"customer": N_("Customer")}
    known = list(dict.fromkeys(labels[name] for name in names if name in labels))
    if not known:
        return ""
    return _(
        "The figure that led here is of some of these sales: it is narrowed by {what} as well. Here are the figures"
        " and the changes of all of them.",
        what=_(" and ").join(in_sentence(_(each)) for each in known),
    )


def _day_cells(day: Corrected) -> tuple[object, ...]:
    difference = day.revenue - day.reported_revenue
    sales = locale.number(day.reported_sales), locale.number(day.sales)
    return (
        f"{locale.day(day.day)} {locale.weekday(day.day.isoweekday())}",
        money(day.reported_revenue),
        money(day.revenue),
        _signed(difference),
        *sales,
    )


def _table(heads: Sequence[tuple[str, bool]], rows: Iterable[Sequence[object]]) -> str:
    return table_html([(_(head), is_number) for head, is_number in heads], rows, kind="fills")


def _signed(amount: Any) -> str:
    return f"+{money(amount)}" if amount > 0 else money(amount)
