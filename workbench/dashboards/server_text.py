"""What the Pipeline page says of a server and of the slots, as HTML; whatever a server told is escaped."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from markupsafe import Markup

from workbench.components.html import table_html
from workbench.components.theme import age, esc, freshness, size
from workbench.servers.health import Health

BEAT_LIMIT_SECONDS = 5.0
SERVERS = {
    "master": ("Master", "Takes every write."),
    "replica": ("Replica", "Follows the master's WAL and answers reads."),
    "risingwave": ("RisingWave", "Keeps metrics as materialized views."),
}
STATE_CLASSES = {"up": "up", "down": "down", "not configured": "off"}
SLOT_HEADS = {"Slot": False, "Type": False, "State": False, "WAL kept": True, "WAL status": False}


def server_html(name: str, health: Health, now: datetime) -> str:
    """The card of one server; ``now`` is what the age of its heartbeat is measured against."""
    title, role = SERVERS[name]
    rows = "".join(f"<dt>{label}</dt><dd>{value}</dd>" for label, value in _rows(name, health, now))
    facts = f"<dl>{rows}</dl>" if rows else ""
    note_class = "note bad" if health.state != "not configured" else "note"
    note = f'<p class="{note_class}">{esc(health.note)}</p>' if health.note else ""
    return (
        f'<section class="server" aria-label="{title}"><header><h2>{title}</h2>'
        f"{state(health.state.capitalize(), STATE_CLASSES[health.state])}</header>"
        f'<p class="soft">{role}</p>{facts}{note}</section>'
    )


def _rows(name: str, health: Health, now: datetime) -> list[tuple[str, str]]:
    """Label and value (HTML) of what is known."""
    rows = []
    if health.address:
        rows.append(("Address", esc(health.address)))
    if health.version:
        rows.append(("Version", f"PostgreSQL {esc(health.version)}" if name != "risingwave" else esc(health.version)))
    if name == "master" and health.lsn:
        rows.append(("WAL position", esc(health.lsn)))
    lag = [] if health.lag_bytes is None else [size(health.lag_bytes)]
    lag += [] if health.lag_seconds is None else [f"{health.lag_seconds:.1f} s"]
    if lag:
        rows.append(("Lag", ", ".join(lag)))
    if health.state == "up":
        rows.append(("Heartbeat", _freshness(health, now)))
    return rows


def _freshness(health: Health, now: datetime) -> str:
    if health.beat_at is None:
        return state("no heartbeat yet", "off")
    seconds = max((now - health.beat_at).total_seconds(), 0.0)
    return state(age(seconds), freshness(seconds, BEAT_LIMIT_SECONDS))


def slots_html(slots: list[dict[str, Any]], is_master_up: bool) -> str:
    """The table of the slots, or why there is none."""
    if not slots:
        why = "The master has no slots." if is_master_up else "The master is away: its slots are not known."
        return f'<p class="soft">{why}</p>'
    return table_html(SLOT_HEADS.items(), map(_slot_row, slots))


def _slot_row(slot: dict[str, Any]) -> tuple[str, ...]:
    is_lost = slot["wal_status"] == "lost"
    return (
        slot["slot_name"],
        slot["slot_type"],
        state("In use", "up") if slot["is_active"] else state("Not in use", "off"),
        size(slot["retained_bytes"]),
        state("lost", "down") if is_lost else slot["wal_status"] or "not known",
    )


def state(word: str, kind: str) -> Markup:
    """A word with its dot; ``kind`` is a class of theme.css."""
    return Markup(f'<span class="state {kind}">{esc(word)}</span>')
