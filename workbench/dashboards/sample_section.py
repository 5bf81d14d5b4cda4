"""Sample sales on the Pipeline page: loading them, with progress and Stop, and taking the last load back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewable, Viewer

from workbench import locale
from workbench.accounts.actor import Actor, current_actor
from workbench.components import theme
from workbench.components.browser.page import Unsaved
from workbench.components.fields import Fields
from workbench.components.html import html_pane
from workbench.components.inline import is_served
from workbench.components.messages import Kind
from workbench.components.tasks import Advance, Job, JobControls, Progress, ShouldStop
from workbench.database.engines import Engines
from workbench.errors import FieldError, RealSales, SampleChanged, WorkbenchError
from workbench.locale import N_, _
from workbench.sample import MAX_SALES, Load, load, loads, refuse_real, undo
from workbench.sample import entries as catalogue
from workbench.words import counted

MAX_SEED = 2**31 - 1
DEFAULT_SALES, DEFAULT_SEED = 10_000, "42"
NUMBERS = {"number_of_sales": (1, MAX_SALES), "seed": (0, MAX_SEED)}  # of each field the least and the most
CONSENT = "made up"  # what is typed where there are real sales
AGREE = N_('type "{consent}", and they are mixed with yours; below they can be taken back')
FIELDS = (N_("Number Of Sales"), N_("Seed"), N_("Consent"))  # what errors call them
_FIELD: dict[str, Any] = {"margin": 0, "width": 260, "size": "small"}


class SampleSection(Viewer):
    """Draws what the process's one load or undo does; ``follow`` is called again and again to keep up with it."""

    def __init__(self, engines: Engines) -> None:
        super().__init__()
        self._engines, self._actor = engines, current_actor()
        self._load: Job = pn.state.as_cached("sample-load", partial(Job, _("That failed, and nothing was changed.")))
        self._controls = JobControls(self._load, self._stop)
        self._count = pmui.TextInput(label=_("Number of sales"), value=locale.number(DEFAULT_SALES), **_FIELD)
        self._seed = pmui.TextInput(label=_("Seed"), value=DEFAULT_SEED, **_FIELD)
        label = _('There are real sales: type "{consent}" to load', consent=CONSENT)
        wide: dict[str, Any] = {"margin": 0, "size": "small", "sizing_mode": "stretch_width", "max_width": 532}
        self._consent = pmui.TextInput(label=label, visible=False, **wide)
        self._unsaved = Unsaved("sample", self._draft, self._restore, asks=False)
        widgets = {"number_of_sales": self._count, "seed": self._seed, "consent": self._consent}
        self._fields = Fields(widgets, self._unsaved.changed)
        self._start_button = pmui.Button(label=_("Load sample data"), color="primary", margin=0, width=170)
        self._start_button.on_click(self._start)
        self._undo_button = pmui.Button(label=_("Undo this load"), variant="outlined", margin=0, width=170)
        self._undo_button.on_click(self._undo)
        self._also_changed = pmui.Checkbox(value=False, margin=0)
        self._last = html_pane()
        self._undo_place = pmui.Column(
            self._last, self._also_changed, self._undo_button, sx={"gap": "12px"}, margin=0, visible=False
        )
        self._is_master_up = True
        self._looked_at: tuple[bool, int] | None = None
        self._last_load: Load | None = None
        self._show_sales(*self._ask())

    async def look(self, is_master_up: bool) -> None:
        """Asks what sales there are when the master comes back, and after each load and undo; not every second."""
        now = (is_master_up, self._load.progress.ended)
        if is_master_up and now != self._looked_at:
            self._looked_at = now
            self._show_sales(*await asyncio.to_thread(self._ask))

    def _ask(self) -> tuple[bool, Load | None]:
        """Whether there are real sales, and the last load of which something is left."""
        try:
            found = loads(self._engines)
            refuse_real(self._engines)
        except RealSales:
            return True, found[0] if found else None
        except WorkbenchError:
            return False, None  # the page says that the master is away; a load asks again
        return False, found[0] if found else None

    def _show_sales(self, has_real: bool, last: Load | None) -> None:
        self._consent.visible, self._last_load = has_real, last
        self._undo_place.visible = last is not None
        if last is not None:
            when = self._engines.settings.clock.text(last.loaded_at)
            parts = [last.text, when, _("by {who}", who=last.actor), *([last.note] if last.note else [])]
            self._last.object = f"<p>{theme.esc(_('Last load: {facts}.', facts=', '.join(parts)))}</p>"
            label = _("Also the {n} that were changed since", n=locale.number(last.changed))
            self._also_changed.param.update(label=label, visible=last.changed > 0, value=False)

    def follow(self, is_master_up: bool) -> None:
        """Takes note of the master's state and of how far the load is."""
        self._is_master_up = is_master_up
        self._draw()

    def _draw(self) -> None:
        progress = self._controls.follow(stops_unknown=False)
        is_running = progress.is_running
        self._start_button.disabled = is_running or not self._is_master_up
        self._count.disabled = self._seed.disabled = self._consent.disabled = is_running
        self._undo_button.disabled = is_running or not self._is_master_up
        text, kind = progress_text(progress, self._is_master_up)
        said = self._controls.said
        (said.say if self._controls.own_has_ended() else said.follow)(text, kind)

    def _draft(self) -> dict[str, str]:
        return {name: self._fields.text(name) for name in NUMBERS}

    def _restore(self, draft: dict[str, str]) -> None:
        self._fields.fill({name: str(draft[name]) for name in NUMBERS})

    def _start(self, event: object) -> None:
        if (typed := self._typed()) is not None:
            count, seed = typed
            work = partial(loaded, self._engines, self._actor, count, seed, self._consent.visible, self._load.note)
            self._controls.start(work, count)
            self._fields.fill({"consent": ""})
        self._draw()

    def _typed(self) -> list[int] | None:
        """The numbers that are typed; None after saying by the fields what is wrong with them.

        Where there are real sales each load is agreed to by itself.
        """
        texts, numbers, errors = self._fields.texts(), list[int](), list[FieldError]()
        for name, (low, high) in NUMBERS.items():
            try:
                numbers.append(whole_number(texts[name], name, low, high))
            except FieldError as error:
                errors.append(error)
        if self._consent.visible and texts["consent"].strip().lower() != CONSENT:
            errors.append(FieldError("consent", texts["consent"], _(AGREE, consent=CONSENT)))
        self._fields.show(errors)
        return None if errors else numbers

    def _stop(self) -> None:
        self._actor.need("admin", _("To stop a load"))
        self._load.stop()

    def _undo(self, event: object) -> None:
        if self._last_load is not None:
            self._controls.start(
                partial(undone, self._engines, self._actor, self._last_load.load_id, self._also_changed.value)
            )
        self._draw()

    def __panel__(self) -> Viewable:
        about = _("Adds made-up sales of the last 400 days. All or none.")
        intro = f"<h2>{_('Sample data')}</h2><p class='soft'>{about}</p>"
        heading = pn.pane.HTML(intro, stylesheets=[theme.stylesheet()], margin=0)
        fields = pmui.Row(self._count, self._seed, sx={"gap": "12px", "flexWrap": "wrap"})
        buttons = pmui.Row(self._start_button, self._controls.stop, sx={"gap": "12px"})
        kept = [self._unsaved] if is_served() else []
        return pmui.Column(
            heading,
            fields,
            self._consent,
            buttons,
            self._controls.bar,
            self._controls.said,
            self._undo_place,
            *kept,
            sx={"gap": "16px"},
            sizing_mode="stretch_width",
        )


def loaded(
    engines: Engines,
    actor: Actor,
    count: int,
    seed: int,
    among_real: bool,
    waiting: Callable[[str], None],
    advance: Advance,
    should_stop: ShouldStop,
) -> str:
    """Loads sample sales: all of them or, when stopped, none."""
    if not among_real:
        refuse_real(engines)
    made = load(engines, count, seed=seed, progress=advance, waiting=waiting, should_stop=should_stop, actor=actor)
    if not among_real:
        catalogue.fill(engines, actor)
    return _("Loaded {what} in {n} s.", what=made.text, n=locale.number(made.seconds, 1))


def undone(
    engines: Engines, actor: Actor, load_id: int, also_changed: bool, _advance: Advance, _should_stop: ShouldStop
) -> str:
    """Takes back one load: all of it or nothing, so that there is nothing to stop."""
    try:
        gone = undo(engines, load_id, also_changed=also_changed, actor=actor)
        catalogue.take_back(engines, actor)
    except SampleChanged as error:
        raise SampleChanged(_("{error} Tick the box to remove these as well.", error=error)) from None
    return _("Removed {what} in {n} s.", what=gone.text, n=locale.number(gone.seconds, 1))


def whole_number(text: str, field: str, low: int, high: int) -> int:
    """The number in ``text``, which may have groups. Raises FieldError."""
    allowed = _("give a whole number from {low} to {high}", low=locale.number(low), high=locale.number(high))
    plain = locale.plain_whole(text.strip())
    if not re.fullmatch(r"[0-9]{1,15}", plain):
        raise FieldError(field, text, allowed)
    number = int(plain)
    if not low <= number <= high:
        raise FieldError(field, number, allowed)
    return number


def progress_text(progress: Progress, is_master_up: bool) -> tuple[str, Kind]:
    """In words how far the load is, what became of the last one, or why none can be started; and how that is."""
    if progress.is_stopping:
        return _("Stopping: taking back what was loaded ..."), ""
    if progress.is_running:
        done = (
            _("{n} of {all}", n=locale.number(progress.done), all=counted(progress.total, "sale"))
            if progress.total
            else _("Taking it back ...")
        )
        return f"{done}. {progress.note}" if progress.note else done, ""
    if not is_master_up:
        return _("The master is away: nothing can be loaded until it is back."), "bad"
    return progress.said, "bad" if progress.is_error else "good"
