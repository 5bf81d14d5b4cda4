"""The filter bar: period and comparison, lists to choose from, words for the days, and a chip for all that narrows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param
from panel.viewable import Viewable, Viewer

from workbench import locale
from workbench.components import theme
from workbench.components.fields import CHOICE, LOW_CHOICE, Filling, calendar_button
from workbench.components.inline import read_aside
from workbench.config.clock import weekdays
from workbench.dashboards.bars import product_names
from workbench.dashboards.feed import Feed
from workbench.dashboards.tile import column, html
from workbench.errors import FieldError
from workbench.filters import (
    COMPARISONS,
    CUSTOM,
    LISTS,
    PERIODS,
    Chip,
    Filters,
    chips,
    read_customer,
    read_day,
    until_words,
    value_text,
    words,
)
from workbench.locale import N_, _
from workbench.metrics import DIMENSION_OF
from workbench.words import heading


class FilterChips(Viewer):
    """A row of the chips of ``filters``, and Clear all at its end."""

    def __init__(self, filters: Filters) -> None:
        super().__init__()
        self._filters = filters
        self._shown: list[Chip] = []
        self._row = column(css="flex-flow: row wrap; gap: 8px; align-items: center;")
        self._row.visible = False

    def follow(self, names: Mapping[str, Mapping[Any, str]]) -> None:
        """Shows the chips that there are now, by the ``names`` of each dimension."""
        found = chips(self._filters, names)
        if found == self._shown:
            return  # a button that is taken away while it is being drawn is an error in the browser
        self._shown = found
        buttons = [_chip(f"{chip.text}  ✕", partial(self._filters.param.update, **chip.cleared)) for chip in found]
        if found:
            buttons.append(_chip(_("Clear all"), self._filters.clear, variant="text"))
        self._row.param.update(objects=buttons, visible=bool(found))

    def __panel__(self) -> Viewable:
        return self._row


def _chip(label: str, act: Any, variant: str = "outlined") -> pmui.Button:
    return pmui.Button(label=label, on_click=lambda _event: act(), variant=variant, size="small", margin=0)


FIELD: dict[str, Any] = {"size": "small", "width": None, "sizing_mode": "stretch_width", "margin": 0}
DATES = {"date_from": N_("From"), "date_to": N_("To")}
TYPED = (tuple(DATES), ("customer_id",))  # each together
FIRST = ("stores", "categories", "payment_methods")
MORE, FEWER = N_("More filters"), N_("Fewer filters")
# A list says how many of it are chosen; which, say the chips below, once for all that narrows.
COUNTED = """
.MuiSelect-select { counter-reset: chosen; }
.MuiSelect-select .MuiChip-root { counter-increment: chosen; visibility: hidden; position: absolute; }
.MuiSelect-select:has(.MuiChip-root)::after { content: "BEFORE" counter(chosen) "BEHIND"; }
"""
ROW = "flex-flow: row wrap; gap: 8px 16px; align-items: center;"
FLOW = (
    "display: grid; gap: 12px; align-items: center;"
    "grid-template-columns: repeat(auto-fit, minmax(min(170px, calc(50% - 6px)), 1fr));"
)
MOST_WIDTH = 280  # pixels of a field: on a wide screen it would be a line of nothing


def flow_of(fields: int) -> str:
    """Fields beside one another, none wider than it is read."""
    return f"{FLOW} max-width: {fields * MOST_WIDTH}px;"


FOLDED = "folded"  # what is behind "More filters" on a phone alone: there the figures would stand below the screen
FOLDS = f"@media (max-width: 599px) {{ :host(.{FOLDED}) {{ display: none !important; }} }}"


class FilterBar(Viewer):
    """Widgets for ``feed.filters``, both ways: what is clicked in a chart shows here too.

    ``controls`` stand at the right, beside the words that say which days are looked at. Without ``is_compared`` nobody
    chooses what they are compared with.
    """

    filters: Any = param.ClassSelector(class_=Filters)
    is_open = param.Boolean(default=False)  # those behind "More filters" are seen

    def __init__(self, feed: Feed, *controls: Viewable | Viewer, is_compared: bool = True) -> None:
        super().__init__(filters=feed.filters)
        self._feed = feed
        self._controls = column(*controls, css=f"{ROW} width: auto;", more=FOLDS)
        self._revision = feed.live.revision  # whose values are offered, by their names
        self.names = dict(feed.live.names.now.by_dimension)  # by dimension and id; of products once they are read
        self._chosen = [select(feed.filters.param.period, _("Period"), PERIODS)]
        if is_compared:
            self._chosen.append(select(feed.filters.param.comparison, _("Compare with"), COMPARISONS))
        self._fields = {name: _text(_(label), locale.day_hint()) for name, label in DATES.items()}
        self._fields["customer_id"] = _text(_("Customer ID"))
        self._filling = Filling()
        self._calendars = {name: calendar_button() for name in DATES}
        self._days = {name: pn.Row(margin=0) for name in DATES}  # filled when it is first seen, as others are
        self._narrowed: set[str] = set()  # what is behind "More filters" and was chosen
        self._lists = {name: self._list(name) for name in LISTS}
        self._more = pmui.Button(variant="text", margin=0)
        self._others = pn.Column(sizing_mode="stretch_width", margin=0)
        self._words = html()
        self._words.styles = {"flex": "1 1 260px", "align-self": "center"}
        self._chips = FilterChips(feed.filters)
        self._connect()
        self._open()
        self._fill(set(self._fields))
        self._show()

    def _connect(self) -> None:
        for name, field in self._fields.items():
            field.param.watch(self._typed, "value")
            if name in DATES:
                self._calendars[name].param.watch(partial(self._picked, field), "value")
        self._more.on_click(self._turn)
        # Not changes alone: a view with the days that are looked at already is opened over what was typed meanwhile.
        self.filters.param.watch(
            lambda *events: self._fill({event.name for event in events}), ["period", *self._fields], onlychanged=False
        )

    def follow(self) -> None:
        """Offers the values that there are now."""
        shown, self._revision = self._revision, self._feed.live.revision
        if self._revision == 0 or shown != self._revision:
            self._offer()
        if shown != self._revision:  # a product may have got another name, which the tiles show by now
            pn.state.execute(self.load_names)

    def _offer(self) -> None:
        """Options and values at once: neither is drawn without the other."""
        for name, widget in self._lists.items():
            widget.param.update(options=self._options(name), value=list(getattr(self.filters, name)))

    def _options(self, name: str) -> dict[str, Any]:
        offered = weekdays() if name == "weekdays" else self._feed.live.choices(DIMENSION_OF[name])
        values = dict.fromkeys([*offered, *getattr(self.filters, name)])
        return {self._option(name, value): value for value in values}

    async def load_names(self) -> None:
        """Finds the names by which filters are chosen and their chips read."""
        moment = self._feed.moment()
        names = {**moment.names.by_dimension, "product": await read_aside(product_names, moment)}
        if names != self.names:
            self.names = names
            self._show()

    def _option(self, name: str, value: Any) -> str:
        names = self.names.get(DIMENSION_OF[name], {})
        text = value_text(name, value, names)
        is_told = value not in names or text in (str(value), f"{names[value]} ({value})")
        return text if is_told or text.endswith(f"({value})") else f"{text} ({value})"  # found by either

    def _list(self, name: str) -> pmui.MultiChoice:
        layout = {key: value for key, value in FIELD.items() if key != "size"}
        return pmui.MultiChoice.from_param(
            self.filters.param[name],
            label=heading(name),
            options=self._options(name),
            visual_size="small",
            searchable=True,
            stylesheets=[LOW_CHOICE, FOLDS, _counted()],
            **layout,
        )

    def _typed(self, _event: Any) -> None:
        """Narrows by what can be used: a day that is moved beyond the other one waits for that to follow."""
        if self._filling.is_on:
            return
        found, wrong = dict[str, Any](), dict[str, str]()
        for name, field in self._fields.items():
            try:
                found[name] = (partial(read_day, name) if name in DATES else read_customer)(field.value or "")
            except FieldError as error:
                wrong[name] = str(error)
        first, last = (found.get(name) for name in DATES)
        if first and last and last < first:
            wrong["date_to"] = _("To is before From.")
        with self._filling:
            for name, field in self._fields.items():
                field.param.update(error_state=name in wrong, helper_text=wrong.get(name, ""))
            for name, calendar in self._calendars.items():
                calendar.value = found.get(name)  # a day that it still had could not be picked again
        usable = {name for group in TYPED if wrong.keys().isdisjoint(group) for name in group}
        self.filters.param.update(**{name: found[name] for name in usable})

    def _picked(self, field: Any, event: Any) -> None:
        """A day of the calendar is what could have been typed."""
        if event.new is not None and not self._filling.is_on:
            field.value = locale.day(event.new)

    def _fill(self, given: set[str]) -> None:
        """Shows in the fields what the filters were ``given``, be it the same; what does not fit stays till then."""
        if "period" in given:  # and with it other days
            given = given.union(DATES)
        with self._filling:
            for name in (name for group in TYPED if not given.isdisjoint(group) for name in group):
                value = getattr(self.filters, name)
                self._fields[name].param.update(value=locale.field_text(value), error_state=False, helper_text="")
                if name in DATES:
                    self._calendars[name].value = value

    @param.depends("filters.param", watch=True)
    def _show(self) -> None:
        """Shows the filters in widgets, words and chips."""
        filters: Filters = self.filters
        now = self._feed.workbench.clock.now()
        self._offer()
        for name, place in self._days.items():
            _see(place, filters.period == CUSTOM, self._fields[name], self._calendars[name])
        compared = filters.comparison_where(now)
        days, clock = words(*filters.days(now)), _("{zone} time", zone=self._feed.workbench.clock.name)
        if compared:
            days = _("{days}, compared with {others}", days=days, others=words(compared.date_from, compared.date_to))
        if compared and compared.before:
            days = _("{compared}, both {until}", compared=days, until=until_words(compared.before))
        self._words.object = f'<p class="soft">{theme.esc(f"{days} · {clock}")}</p>'
        self._chips.follow(self.names)
        before, behind = self._narrowed, [name for name in LISTS if name not in FIRST]
        self._narrowed = {name for name in (*behind, "customer_id") if getattr(filters, name)}
        if self._narrowed - before:  # not with each refresh: whoever has closed it has seen them
            self.is_open = True

    def _turn(self, _event: Any) -> None:
        self.is_open = not self.is_open

    @param.depends("is_open", watch=True)
    def _open(self) -> None:
        lists = [self._lists[name] for name in LISTS if name not in FIRST]
        _see(self._others, self.is_open, column(*lists, self._fields["customer_id"], css=flow_of(len(lists) + 1)))
        for folded in (*(self._lists[name] for name in FIRST), self._controls):
            folded.css_classes = [] if self.is_open else [FOLDED]
        self._more.label = _(FEWER if self.is_open else MORE)

    def __panel__(self) -> Viewable:
        lists = [self._lists[name] for name in FIRST]
        fields = [*self._chosen, *self._days.values(), *lists, self._more]
        first = column(*fields, css=flow_of(len(fields) - len(self._days)))
        foot = column(self._words, self._controls, css=ROW)
        return column(first, self._others, foot, self._chips, css="gap: 12px;")


def _text(label: str, hint: str = "") -> pmui.TextInput:
    return pmui.TextInput(label=label, placeholder=hint, **FIELD)


def _counted() -> str:
    before, _n, behind = _("{n} chosen").partition("{n}")
    return COUNTED.replace("BEFORE", before).replace("BEHIND", behind)


def select(parameter: param.Parameter, label: str, names: Mapping[str, str]) -> pmui.Select:
    """A list of one choice of ``parameter``, by the texts of ``names`` in the language of the locale."""
    options = {_(text): name for name, text in names.items()}
    return pmui.Select.from_param(parameter, label=label, options=options, **FIELD, **CHOICE)


def _see(layout: Any, is_seen: bool, *widgets: Any) -> None:
    """Shows or hides a layout; its widgets are drawn when it is first seen."""
    if is_seen and not layout.objects:
        layout.objects = list(widgets)
    layout.visible = is_seen
