"""Page "Pipeline": the servers and how far behind they are, slots, queries, schema, sample data."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param
from markupsafe import Markup
from panel.viewable import Viewable, Viewer

from workbench import locale, migrations, telemetry
from workbench.accounts import current_actor
from workbench.components import theme
from workbench.components.html import html_pane, table_html
from workbench.components.inline import done_at_once, while_shown
from workbench.components.messages import Said
from workbench.components.theme import age, esc, freshness, size
from workbench.connection import Workbench
from workbench.dashboards.pipeline_cards import CommitLatency, Reconciliation
from workbench.dashboards.sample_section import SampleSection
from workbench.dashboards.tile import html
from workbench.database.engines import Engines
from workbench.errors import WorkbenchError
from workbench.locale import N_, _, ngettext
from workbench.servers.health import Health, Status

HEADS = {N_("Engine"): False, N_("Queries"): True, "p50": True, "p95": True}
ENGINES = {"columns": N_("Columns"), "replica": N_("Replica"), "master": N_("Master"), "risingwave": "RisingWave"}
REASONS = {
    "no such view": N_("no such view"),
    "view missing": N_("view missing"),
    "read nothing yet": N_("read nothing yet"),
    "behind": N_("behind"),
    "away": N_("away"),
}


class QueryTimes(Viewer):
    """Queries by engine since this process started. ``follow`` is called again and again."""

    def __init__(self) -> None:
        super().__init__()
        self._table = html()
        self.follow()

    def follow(self) -> None:
        """Takes over what was counted since."""
        found = telemetry.QUERIES.quantiles()
        rows = [
            (_(title), theme.count(found[name].count), theme.duration(found[name].p50), theme.duration(found[name].p95))
            for name, title in ENGINES.items()
            if name in found
        ]
        table = table_html(_heads(HEADS), rows, kind="full") if rows else f'<p class="soft">{_("No query yet.")}</p>'
        reasons = telemetry.REASONS.most_common()
        counted = ", ".join(f"{_(REASONS.get(reason, reason))} {theme.count(times)}" for reason, times in reasons)
        passed_over = theme.esc(_("RisingWave was passed over: {reasons}.", reasons=counted)) if counted else ""
        self._table.object = table + (f'<p class="soft">{passed_over}</p>' if passed_over else "")

    def __panel__(self) -> Viewable:
        n = locale.number(telemetry.MOST_RECENT)
        about = _("Since this process started; p50 and p95 of the last {n}.", n=n)
        heading = html(f'<h2>{_("Queries by engine")}</h2><p class="soft">{about}</p>')
        return pn.Column(heading, self._table, sizing_mode="stretch_width", margin=0)


BEAT_LIMIT_SECONDS = 5.0
ROLES = {
    "master": (N_("Master"), N_("Takes every write.")),
    "replica": (N_("Replica"), N_("Follows the master's WAL and answers reads.")),
    "risingwave": ("RisingWave", N_("Keeps metrics as materialized views.")),
}
STATES = {"up": N_("Up"), "down": N_("Down"), "not configured": N_("Not configured")}
STATE_CLASSES = {"up": "up", "down": "down", "not configured": "off"}
SLOT_HEADS = {N_("Slot"): False, N_("Type"): False, N_("State"): False, N_("WAL kept"): True, N_("WAL status"): False}


def _heads(heads: Mapping[str, bool]) -> list[tuple[str, bool]]:
    return [(_(head), is_number) for head, is_number in heads.items()]


def server_html(name: str, health: Health, now: datetime) -> str:
    """The card of one server; ``now`` is what the age of its heartbeat is measured against."""
    title, role = map(_, ROLES[name])
    rows = "".join(f"<dt>{label}</dt><dd>{value}</dd>" for label, value in _rows(name, health, now))
    facts = f"<dl>{rows}</dl>" if rows else ""
    note_class = "note bad" if health.state != "not configured" else "note"
    note = f'<p class="{note_class}">{esc(_(health.note))}</p>' if health.note else ""
    return (
        f'<section class="server" aria-label="{title}"><header><h2>{title}</h2>'
        f"{state(_(STATES[health.state]), STATE_CLASSES[health.state])}</header>"
        f'<p class="soft">{role}</p>{facts}{note}</section>'
    )


def _rows(name: str, health: Health, now: datetime) -> list[tuple[str, str]]:
    """Label and value (HTML) of what is known."""
    rows = []
    if health.address:
        rows.append((_("Address"), esc(health.address)))
    if health.version:
        rows.append(
            (_("Version"), f"PostgreSQL {esc(health.version)}" if name != "risingwave" else esc(health.version))
        )
    if name == "master" and health.lsn:
        rows.append((_("WAL position"), esc(health.lsn)))
    lag = [] if health.lag_bytes is None else [size(health.lag_bytes)]
    lag += [] if health.lag_seconds is None else [f"{locale.number(health.lag_seconds, 1)} s"]
    if lag:
        rows.append((_("Lag"), ", ".join(lag)))
    if health.state == "up":
        rows.append((_("Heartbeat"), _freshness(health, now)))
    return rows


def _freshness(health: Health, now: datetime) -> str:
    if health.beat_at is None:
        return state(_("no heartbeat yet"), "off")
    seconds = max((now - health.beat_at).total_seconds(), 0.0)
    return state(age(seconds), freshness(seconds, BEAT_LIMIT_SECONDS))


def slots_html(slots: list[dict[str, Any]], is_master_up: bool) -> str:
    """The table of the slots, or why there is none."""
    if not slots:
        why = _("The master has no slots.") if is_master_up else _("The master is away: its slots are not known.")
        return f'<p class="soft">{why}</p>'
    return table_html(_heads(SLOT_HEADS), map(_slot_row, slots))


def _slot_row(slot: dict[str, Any]) -> tuple[str, ...]:
    is_lost = slot["wal_status"] == "lost"
    return (
        slot["slot_name"],
        slot["slot_type"],
        state(_("In use"), "up") if slot["is_active"] else state(_("Not in use"), "off"),
        size(slot["retained_bytes"]),
        state(_("lost"), "down") if is_lost else slot["wal_status"] or _("not known"),
    )


def state(word: str, kind: str) -> Markup:
    """A word with its dot; ``kind`` is a class of theme.css."""
    return Markup(f'<span class="state {kind}">{esc(word)}</span>')


class SchemaSection(Viewer):
    """Asks the master when it is made, when the master comes back and after a run; not every second."""

    is_needed = param.Boolean(default=False)  # something is pending, or broken
    is_running = param.Boolean(default=False)

    def __init__(self, engines: Engines) -> None:
        super().__init__()
        self._engines, self._actor = engines, current_actor()
        self._seen: tuple[bool, str] | None = None
        self._list = html_pane()
        self._said = Said()
        self._run_button = pmui.Button(
            label=_("Run migrations"), variant="outlined", margin=0, width=170, disabled=True
        )
        self._run_button.on_click(self._run)
        self._show(self._ask())

    async def follow(self, is_master_up: bool, note: str = "") -> None:
        """Takes note of the master's state, and of what is said of it; looks again when that has changed."""
        if (is_master_up, note) != self._seen:
            self._seen = (is_master_up, note)
            self._show(await asyncio.to_thread(self._ask))

    def _ask(self) -> tuple[bool, str]:
        """Whether the master says that there is something to run, and what the page says of it (HTML)."""
        try:
            pending, broken = migrations.pending(self._engines), migrations.broken_indexes(self._engines)
        except WorkbenchError as error:
            return False, f'<p class="note bad">{theme.esc(error)}</p>'
        return bool(pending or broken), schema_html(migrations.applied(pending), pending, broken)

    def _show(self, found: tuple[bool, str]) -> None:
        self.is_needed, self._list.object = found

    @param.depends("is_needed", "is_running", watch=True)
    def _switch(self) -> None:
        self._run_button.param.update(disabled=self.is_running or not self.is_needed, loading=self.is_running)

    async def _run(self, event: object) -> None:
        if self.is_running:  # the second click of a double click arrives before the button is off
            return
        self.is_running = True
        try:
            done = await asyncio.to_thread(migrations.migrate, self._engines, actor=self._actor)
            self._said.say(done.text() if done else _("There was nothing to run."), "good")
        except WorkbenchError as error:
            self._said.say(str(error), "bad")
        finally:
            self.param.update(is_running=False, is_needed=False)
            self._show(await asyncio.to_thread(self._ask))

    def __panel__(self) -> Viewable:
        heading = pn.pane.HTML(f"<h2>{_('Schema')}</h2>", stylesheets=[theme.stylesheet()], margin=0)
        run = [self._run_button, self._said] if self._actor.may("admin") else []
        return pmui.Column(heading, self._list, *run, sx={"gap": "16px"}, sizing_mode="stretch_width")


def schema_html(done: list[migrations.Revision], pending: list[migrations.Revision], broken: list[str]) -> str:
    """Each migration with what it makes and whether it has run, and in words what is to be done."""
    rows = [(r, "up", _("Applied")) for r in done] + [(r, "amber", _("Pending")) for r in pending]
    items = "".join(
        f'<li><span class="state {kind}">{what}</span> <code>{theme.esc(r.revision)}</code>{theme.esc(r.title)}</li>'
        for r, kind, what in rows
    )
    waiting = ngettext("{n} migration is pending.", "{n} migrations are pending.", len(pending), n=len(pending))
    summary = waiting if pending else _("The schema is up to date.")
    if broken:
        names = ", ".join(broken)
        summary += " " + _("Reading indexes are missing, so that figures are slow: {names}.", names=names)
    return f'<p>{summary}</p><ul class="plain">{items}</ul>'


LOOK_MS = 500
SERVERS = ("master", "replica", "risingwave")


class PipelinePage(Viewer):
    """Cards of master, replica and RisingWave that renew themselves, and what can be done on the master."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._servers = {name: html_pane() for name in SERVERS}
        self._slots = html_pane()
        self._latency = CommitLatency(workbench.monitor.stopwatch, workbench.clock)
        self._queries = QueryTimes()
        self._schema = SchemaSection(workbench.engines)
        self._sample = SampleSection(workbench.engines) if current_actor().may("admin") else None
        self._reconciliation = Reconciliation(workbench)
        self._show(workbench.monitor.status())

    async def _renew(self) -> None:
        status = await asyncio.to_thread(self._workbench.monitor.status)
        self._show(status)
        await self._schema.follow(status.master.state == "up", status.master.note)
        if self._sample is not None:
            await self._sample.look(status.master.state == "up")
        await self._reconciliation.follow(status.master.state == "up")

    def _show(self, status: Status) -> None:
        """Sets texts and switches; what has not changed sends nothing to the browser."""
        now = self._workbench.monitor.now()
        for name, pane in self._servers.items():
            pane.object = server_html(name, getattr(status, name), now)
        self._slots.object = slots_html(status.slots, status.master.state == "up")
        self._latency.follow()
        self._queries.follow()
        if self._sample is not None:
            self._sample.follow(status.master.state == "up")

    def __panel__(self) -> Viewable:
        slots = card(html_pane(f"<h2>{_('Replication slots of the master')}</h2>"), self._slots)
        view = pmui.Column(
            row(*(card(pane) for pane in self._servers.values())),
            row(card(self._latency), stack(card(self._queries), slots)),
            row(*(card(section) for section in (self._sample, self._schema) if section is not None)),
            card(self._reconciliation),
            sx={"gap": "16px"},
            sizing_mode="stretch_width",
        )
        done_at_once(self._renew)
        while_shown(view, self._renew, LOOK_MS)
        return view


def stack(*cards: pmui.Paper) -> pmui.Column:
    """Cards one below the other, the last one as high as is left."""
    layout = {"display": "grid", "gridTemplateRows": "auto 1fr", "gap": "16px"}
    return pmui.Column(*cards, sx=layout, sizing_mode="stretch_width", margin=0)


def row(*cards: Viewable) -> pmui.Column:
    """Cards side by side, equally wide and high; one below the other on a phone."""
    columns = {"xs": "minmax(0, 1fr)", "md": f"repeat({len(cards)}, minmax(0, 1fr))"}
    layout = {"display": "grid", "gridTemplateColumns": columns, "gap": "16px"}
    return pmui.Column(*cards, sx=layout, sizing_mode="stretch_width")


def card(*objects: Viewable | Viewer) -> pmui.Paper:
    """A sheet of paper around ``objects``."""
    return pmui.Paper(
        *objects,
        variant="outlined",
        margin=0,
        sx={"p": "20px", "gap": "12px"},
        stylesheets=[":host, .paper { height: 100%; }"],  # cards of one row are equally high
        sizing_mode="stretch_width",
    )
