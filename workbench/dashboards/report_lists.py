"""What was run, newest first, and the schedules, kept current while the page is open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import panel as pn
import panel_material_ui as pmui
import param
from panel.custom import JSComponent
from panel.viewable import Viewable, Viewer

from workbench import locale
from workbench.accounts.actor import Actor
from workbench.components import theme
from workbench.components.inline import is_served, read_aside, when_shown
from workbench.components.messages import Said
from workbench.config import Settings
from workbench.errors import WorkbenchError
from workbench.locale import N_, _
from workbench.reports.background import Runs
from workbench.reports.history import Entry, History, State
from workbench.reports.schedules import Schedule, Schedules
from workbench.reports.texts import ENDS, every_text, sent_text, values_text

OPEN, REPEAT = N_("Open"), N_("Repeat")
PAUSE, RESUME, REMOVE = N_("Pause"), N_("Resume"), N_("Remove")
ACTED = {
    PAUSE: N_("Paused the schedule {name}. What is due meanwhile is not run."),
    RESUME: N_("The schedule {name} goes on."),
    REMOVE: N_("Removed the schedule {name}. What it made stays."),
}
NEEDS = {
    PAUSE: N_("To pause a schedule"),
    RESUME: N_("To resume a schedule"),
    REMOVE: N_("To remove a schedule"),
}
PAGE = 20
RENEW_MS = 5_000
KINDS: dict[State, Literal["up", "down", "amber", "off", ""]] = {
    "running": "", "done": "up", "failed": "down", "stopped": "off", "interrupted": "amber"
}  # fmt: skip


class RunList(Viewer):
    """The runs that this one may see; ``on_action`` gets the id of a run and what is wanted with it."""

    def __init__(
        self,
        history: History,
        runs: Runs,
        settings: Settings,
        actor: Actor,
        on_action: Callable[[str, str], None],
    ) -> None:
        super().__init__()
        self._history, self._runs, self._settings, self._actor = history, runs, settings, actor
        self._most, self._shown = PAGE, ""
        self.list = EntryList(_("Nothing has been run yet."), on_action)
        self._older = pmui.Button(label=_("Older"), variant="text", size="small", margin=0, visible=False)
        self._older.on_click(lambda _event: self._go_on())
        _keep_current(self._read)

    def renew(self, shown: str | None = None) -> None:
        """Reads them again; ``shown`` is the run that the page shows."""
        self._shown = self._shown if shown is None else shown
        pn.state.execute(self._read)

    def _go_on(self) -> None:
        self._most += PAGE
        self.renew()

    async def _read(self) -> None:
        found = await read_aside(self._history.entries, self._actor, self._most + 1)
        self._older.visible = len(found) > self._most
        is_admin = self._actor.may("admin")
        self.list.fill([self._entry(entry, is_admin) for entry in found[: self._most]])

    def _entry(self, entry: Entry, is_admin: bool) -> ListEntry:
        clock = self._settings.clock
        began = f"{clock.text(entry.began_at)} · {entry.by}"
        took = f" · {locale.number(entry.seconds, 1)} s" if entry.seconds else ""
        by_schedule = f" · {_('schedule {name}', name=entry.schedule)}" if entry.schedule else ""
        gone = _("What it made is gone since {moment}.", moment=clock.text(entry.gone_at)) if entry.gone_at else ""
        where = (entry.handed_out, sent_text(entry, clock)) if is_admin else ()
        lines = (f"{began}{took}{by_schedule}", values_text(entry.values, entry.kinds), entry.said, gone, *where)
        can_open = self._runs.find(entry.id) is not None or (entry.state == "done" and entry.gone_at is None)
        actions = ((OPEN,) if can_open else ()) + ((REPEAT,) if entry.is_over else ())
        return ListEntry(
            key=entry.id,
            title=_(entry.title),
            lines=tuple(filter(None, lines)),
            actions=actions,
            state=_(ENDS[entry.state]),
            kind=KINDS[entry.state],
            is_shown=entry.id == self._shown,
        )

    def __panel__(self) -> Viewable:
        return pn.Column(self.list, self._older, sizing_mode="stretch_width", margin=0)


class ScheduleList(Viewer):
    """The schedules, which an admin may pause and remove."""

    def __init__(self, settings: Settings, actor: Actor, said: Said) -> None:
        super().__init__()
        self._settings, self._actor, self._said = settings, actor, said
        self._schedules = Schedules(settings)
        self.list = EntryList(_("There is none."), self._act)
        _keep_current(self._read)

    def renew(self) -> None:
        """Reads them again."""
        pn.state.execute(self._read)

    async def _read(self) -> None:
        is_admin = self._actor.may("admin")
        self.list.fill([self._entry(each, is_admin) for each in await read_aside(self._schedules.all)])

    def _entry(self, schedule: Schedule, is_admin: bool) -> ListEntry:
        following = self._schedules.next_of(schedule)
        due = every_text(schedule.every)
        if following:
            due = _("{every}, next {moment}", every=due, moment=self._settings.clock.text(following))
        to = ", ".join(filter(None, [str(schedule.folder or ""), *schedule.to]))
        goes = _("{form} to {places}", form=schedule.form, places=to) if to and is_admin else ""
        lines = (due, values_text(schedule.given, schedule.kinds), goes)
        state: tuple[str, Literal["off", "down", ""]] = (_("Failing"), "down") if schedule.is_failing else ("", "")
        state = (_("Paused"), "off") if schedule.is_paused else state
        actions = (RESUME if schedule.is_paused else PAUSE, REMOVE) if is_admin else ()
        return ListEntry(schedule.name, schedule.name, tuple(filter(None, lines)), actions, *state)

    def _act(self, name: str, action: str) -> None:
        try:
            self._actor.need("admin", _(NEEDS[action]))
            if action == REMOVE:
                self._schedules.remove(name)
            else:
                self._schedules.pause(name, is_paused=action == PAUSE)
        except WorkbenchError as error:
            self._said.say(str(error), "bad")
        else:
            self._said.say(_(ACTED[action], name=name), "good")
        self.renew()

    def __panel__(self) -> Viewable:
        return self.list


def _keep_current(read: Callable[[], Any]) -> None:
    """Has it read when the page is shown, and again and again as long as it is open."""
    if is_served():
        when_shown(read)
        # Executed, so that an error, or that nobody waits any more, ends where all errors of a session do.
        pn.state.add_periodic_callback(partial(pn.state.execute, read), RENEW_MS)


@dataclass(frozen=True)
class ListEntry:
    """One of them. ``kind`` is how the state is, ``actions`` in English what can be done with it; texts are drawn as
    text."""

    key: str
    title: str
    lines: tuple[str, ...]
    actions: tuple[str, ...] = ()
    state: str = ""
    kind: Literal["", "up", "down", "amber", "off"] = ""
    is_shown: bool = False


class EntryList(JSComponent):
    """``on_action`` gets the key of an entry and what to do with it; ``none`` is said when there is no entry."""

    entries = param.List(default=[])
    none = param.String(default="")

    _bundle = Path(__file__).with_name("entry_list.js")

    def __init__(self, none: str, on_action: Callable[[str, str], None]) -> None:
        css = Path(__file__).with_name("entry_list.css").read_text(encoding="utf-8")
        super().__init__(none=none, stylesheets=[theme.stylesheet(), css], margin=0, sizing_mode="stretch_width")
        self._on_action = on_action
        self.on_msg(lambda event: self._acted(event.data))

    def fill(self, entries: Sequence[ListEntry]) -> None:
        """Shows these, in this order."""
        found = [
            asdict(entry) | {"lines": list(entry.lines), "actions": [[name, _(name)] for name in entry.actions]}
            for entry in entries
        ]
        if found != self.entries:
            self.entries = found

    def _acted(self, message: dict[str, str]) -> None:
        """Only what is offered is done, whatever a browser sends."""
        offered = {entry["key"]: [name for name, _label in entry["actions"]] for entry in self.entries}
        if message.get("action") in offered.get(message.get("key", ""), ()):
            self._on_action(message["key"], message["action"])
