"""The fields of a report's parameters, and the form that makes a schedule; what is wrong stands beside each field."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, time
from typing import Any

import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewable, Viewer

from workbench import locale
from workbench.accounts.actor import Actor
from workbench.components.fields import CHOICE, Fields, field_grid
from workbench.components.html import html_pane
from workbench.components.messages import Said
from workbench.components.theme import esc
from workbench.config import Settings
from workbench.config.addresses import checked_addresses
from workbench.errors import FieldError, ParameterRefused, WorkbenchError
from workbench.files.chromium import installed_chromium
from workbench.locale import N_, _
from workbench.reports.history import Form
from workbench.reports.library import Parameter, Report, Value
from workbench.reports.mail import can_send
from workbench.reports.schedules import MOST_RECIPIENTS, Schedules
from workbench.reports.texts import EVERY, shown_day
from workbench.words import heading

MONTHS = 36  # that can be picked, the present one first
FIELD: dict[str, Any] = {"margin": 0, "width": None, "sizing_mode": "stretch_width", "size": "small"}


class ReportFields(Viewer):
    """A field for each parameter, holding what is proposed for ``today``. ``on_change`` is called when one changes."""

    def __init__(
        self, parameters: Sequence[Parameter], today: date, on_change: Callable[..., None] = lambda *_changed: None
    ) -> None:
        super().__init__()
        self._parameters, self._today = parameters, today
        self._fields = Fields({parameter.name: _widget(parameter, today) for parameter in parameters}, on_change)

    def texts(self) -> dict[str, str]:
        """What every field holds, as files have it: days as ISO has them, numbers without groups."""
        typed = self._typed()
        return {parameter.name: parameter.plain(typed[parameter.name]) for parameter in self._parameters}

    def _typed(self) -> dict[str, str]:
        return {name: _text(value).strip() for name, value in self._fields.texts().items()}

    def changed(self) -> dict[str, str]:
        """The texts of the fields that do not hold what is proposed, which moves with the days."""
        proposed = {parameter.name: _text(parameter.proposed(self._today)) for parameter in self._parameters}
        return {name: text for name, text in self.texts().items() if text != proposed[name]}

    def fill(self, texts: Mapping[str, str]) -> None:
        """Puts such texts into the fields."""
        self._fields.fill({each.name: _held(each, texts[each.name]) for each in self._parameters})

    def values(self) -> dict[str, Value] | None:
        """The value of each parameter; None after saying by the fields what is wrong with them."""
        found, errors, typed = dict[str, Value](), list[FieldError](), self._typed()
        for parameter in self._parameters:
            try:
                found[parameter.name] = parameter.parse(parameter.meant(typed[parameter.name], self._today))
            except ParameterRefused:
                errors.append(
                    FieldError(parameter.name, typed[parameter.name], _("give {allowed}", allowed=parameter.allowed))
                )
        self._fields.show(errors)
        return None if errors else found

    def __panel__(self) -> Viewable:
        row = field_grid(*self._fields.widgets.values(), width=220)
        row.styles = {**row.styles, "gap": "12px 16px"}
        return row


def _widget(parameter: Parameter, today: date) -> Any:
    value = parameter.proposed(today)
    named = {"label": heading(parameter.name), "helper_text": _(parameter.about), **FIELD}
    made: Any
    if parameter.kind == "choice":
        options = {heading(choice): choice for choice in parameter.choices}
        choices = ({"": None} if parameter.is_optional else {}) | options
        made = pmui.Select(options=choices, value=value, **named, **CHOICE)
    elif parameter.kind == "month":
        made = pmui.Select(options=_months(today, parameter.is_optional), value=value, **named, **CHOICE)
    else:  # a day too: a picker says nothing of a text that is none, and keeps the day before it
        hint = locale.day_hint() if parameter.kind == "date" else _("all") if parameter.is_optional else ""
        made = pmui.TextInput(value=_held(parameter, _text(value)), placeholder=hint, **named)
    return made


def _held(parameter: Parameter, text: str) -> str | None:
    """A text as the widget of this parameter holds it: a day as it is written here, a text as it is."""
    if parameter.kind in ("choice", "month"):
        return text or None
    return shown_day(text) if parameter.kind == "date" else text


def _months(today: date, is_optional: bool) -> dict[str, str | None]:
    found: dict[str, str | None] = {"": None} if is_optional else {}
    for back in range(MONTHS):
        number = today.year * 12 + today.month - 1 - back
        year, month = number // 12, number % 12 + 1
        found[locale.named_month(date(year, month, 1), is_whole=True)] = f"{year}-{month:02d}"
    return found


def _text(value: Any) -> str:
    return "" if value is None else str(value)


WHEN = EVERY | {"month": N_("Every month")}
FORMS: dict[str, Form] = {"HTML": "html", "Notebook": "ipynb", "PDF": "pdf"}
NO_MAIL = N_("To send mail, WORKBENCH_SMTP_HOST and WORKBENCH_SMTP_FROM have to be set where the app runs.")
ABOUT = N_(
    "It runs the report that is picked above, with its parameters as they are set. A month or a day that is left as"
    " proposed is the last whole one each time; a day can be said in words, as first of last week."
)
SEVEN = time(7)
OPEN, CLOSE = N_("New schedule"), N_("Close")
Chosen = tuple[Report, Mapping[str, str]]


class ScheduleForm(Viewer):
    """Folded until somebody opens it; made for an admin alone, for it says where files of the server are.

    ``chosen`` gives the report and what of its parameters was set, or None after saying what is wrong with them.
    """

    def __init__(
        self,
        settings: Settings,
        actor: Actor,
        said: Said,
        chosen: Callable[[], Chosen | None],
        on_made: Callable[[], None],
    ) -> None:
        super().__init__()
        self._settings, self._actor, self._said = settings, actor, said
        self._chosen, self._on_made, self._schedules = chosen, on_made, Schedules(settings)
        self._is_making = False
        forms = {name: form for name, form in FORMS.items() if form != "pdf" or installed_chromium()}
        can_mail = can_send(settings)
        self.fields = Fields(
            {
                "when": pmui.Select(
                    label=_("When"),
                    options={_(text): name for name, text in WHEN.items()},
                    value="day",
                    **FIELD,
                    **CHOICE,
                ),
                "day": pmui.TextInput(label=_("Day of the month"), value="1", visible=False, **FIELD),
                "at": pmui.TextInput(
                    label=_("At"), value=locale.clock_time(SEVEN), helper_text=_("Of the stores' clock"), **FIELD
                ),
                "form": pmui.Select(label=_("As"), options=forms, value="html", **FIELD, **CHOICE),
                "to": pmui.TextInput(
                    label=_("Mail to"),
                    placeholder="ann@example.com, bob@example.com",
                    disabled=not can_mail,
                    **FIELD,
                ),
            },
            lambda _name: self._show_day(),
        )
        self._folder = pmui.Checkbox(label=_("Keep it in a folder too"), value=False, size="small", margin=0)
        self._make = pmui.Button(
            label=_("Make schedule"), color="primary", size="small", margin=(8, 0), on_click=self._add
        )
        where = _soft(_("The folder is {folder}, where the app runs.", folder=self._schedules.own_folder))
        mail = html_pane() if can_mail else _soft(_(NO_MAIL))
        fields = field_grid(*self.fields.widgets.values(), width=170)
        fields.styles = {**fields.styles, "gap": "12px 16px"}
        self._form = pn.Column(
            _soft(_(ABOUT)), fields, mail, self._folder, where, self._make, visible=False, sizing_mode="stretch_width"
        )
        self._open = pmui.Button(label=_(OPEN), variant="outlined", size="small", margin=(8, 0))
        self._open.on_click(lambda _event: self._show(not self._form.visible))

    def _show(self, is_open: bool) -> None:
        self._form.visible = is_open
        self._open.label = _(CLOSE if is_open else OPEN)

    def _show_day(self) -> None:
        self.fields.widgets["day"].visible = self.fields.text("when") == "month"

    async def _add(self, _event: Any) -> None:
        """The second click of a double click makes no second schedule, whether the first is done by then or not."""
        if self._is_making or not self._form.visible:
            return
        self._is_making = True
        try:
            await self._add_one()
        finally:
            self._is_making = False

    async def _add_one(self) -> None:
        texts = {name: str(text).strip() for name, text in self.fields.texts().items()}
        errors, to = _looked_at(texts)
        self.fields.show(errors)
        chosen = self._chosen()
        if errors or chosen is None:
            return
        report, given = chosen
        folder = self._schedules.own_folder if self._folder.value else None
        form: Any = texts["form"]
        try:
            by = self._actor.need("admin", _("To make a schedule")).name
            made = await asyncio.to_thread(
                self._schedules.add, report.name, given, _every(texts), by=by, form=form, folder=folder, to=to
            )
        except WorkbenchError as error:
            self._said.say(str(error), "bad")
            return
        following = self._schedules.next_of(made)
        said = _("Made the schedule {name}, due first on {moment}.") if following else _("Made the schedule {name}.")
        due = self._settings.clock.text(following) if following else ""
        self._said.say(said.format(name=made.name, moment=due), "good")
        self._show(False)
        self._on_made()

    def __panel__(self) -> Viewable:
        return pn.Column(self._open, self._form, sizing_mode="stretch_width", margin=0)


def _soft(text: str) -> pn.pane.HTML:
    return html_pane(f"<p class='soft'>{esc(text)}</p>")


def _every(texts: Mapping[str, str]) -> str:
    day = f"month-{texts['day']}" if texts["when"] == "month" else texts["when"]
    return f"{day}-{texts['at'].replace('.', ':')}"


def _looked_at(texts: Mapping[str, str]) -> tuple[list[FieldError], tuple[str, ...]]:
    """What is wrong by its field, and the addresses."""
    errors, to = [], tuple[str, ...]()
    if texts["when"] == "month" and not re.fullmatch(r"0?[1-9]|[12][0-9]|3[01]", texts["day"], re.ASCII):
        errors.append(
            FieldError("day", texts["day"], _("give a day from 1 to 31; in a shorter month 31 is the last one"))
        )
    if not re.fullmatch(r"([01][0-9]|2[0-3])[:.][0-5][0-9]", texts["at"], re.ASCII):
        last, seven = locale.clock_time(time(23, 59)), locale.clock_time(SEVEN)
        allowed = _("give a time from {first} to {last}, as {time}", first=locale.hour(0), last=last, time=seven)
        errors.append(FieldError("at", texts["at"], allowed))
    try:
        to = checked_addresses([texts["to"]]) if texts["to"] else ()
    except ValueError as error:
        errors.append(FieldError("to", texts["to"], str(error)))
    if len(to) > MOST_RECIPIENTS:
        errors.append(FieldError("to", texts["to"], _("give at most {n} addresses, or a list's", n=MOST_RECIPIENTS)))
    return errors, to
