"""What this process counts and times, as Prometheus reads it, and exact quantiles of the newest for the page.

One registry of its own, without the client library's defaults. Labels come from the program, never from what is typed.
"""

from __future__ import annotations

import math
from collections import Counter as Tally
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

MOST_RECENT = 1000
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

REGISTRY = CollectorRegistry()
QUERY_SECONDS = Histogram(
    "workbench_query_seconds",
    "Time of a read, with getting a connection and waiting for the session's own writes",
    ("engine", "metric"),
    registry=REGISTRY,
    buckets=_BUCKETS,
)
VISIBLE_SECONDS = Histogram(
    "workbench_visible_seconds",
    "Time from a commit on the master until this follower shows it (heartbeats and saves)",
    ("follower",),
    registry=REGISTRY,
    buckets=_BUCKETS,
)
PASSED_OVER = Counter(
    "workbench_passed_over", "Figures that were not asked of RisingWave, by the reason", ("reason",), registry=REGISTRY
)
SESSIONS = Gauge("workbench_sessions", "Open pages", registry=REGISTRY)
WRITES = Counter("workbench_writes", "Sales written", ("kind",), registry=REGISTRY)
CONFLICTS = Counter("workbench_conflicts", "Writes that somebody else overtook", registry=REGISTRY)
REFUSALS = Counter("workbench_refusals", "Writes that were not done", ("reason",), registry=REGISTRY)

for _kind in ("create", "update", "delete"):
    WRITES.labels(_kind)  # there from the start: a first write is an increase too


class _Servers(Collector):
    """What is known of the servers, in gauges that are made when Prometheus reads them: what is gone is not among them.

    NaN is what is not known: 0 would read as no lag at all.
    """

    def __init__(self) -> None:
        self.is_master_up = self.lag_bytes = self.lag_seconds = math.nan
        self.followers: dict[str, bool] = {}
        self.beats: dict[str, datetime] = {}
        self.slots: dict[tuple[str, ...], Mapping[str, Any]] = {}

    def collect(self) -> Iterator[Metric]:
        """One family a gauge."""
        of_slot = ("slot", "slot_type")
        kept = {labels: _known(slot["retained_bytes"]) for labels, slot in self.slots.items()}
        active = {labels: slot["is_active"] for labels, slot in self.slots.items()}
        lost = {labels: slot["wal_status"] == "lost" for labels, slot in self.slots.items()}
        ages: dict[tuple[str, ...], float] = {(name,): _age(at) for name, at in self.beats.items()}
        up: dict[tuple[str, ...], float] = {(name,): is_up for name, is_up in self.followers.items()}
        yield _gauge("replica_lag_seconds", "How long the replica is behind", (), {(): self.lag_seconds})
        yield _gauge("replica_lag_bytes", "WAL that the replica has not replayed", (), {(): self.lag_bytes})
        yield _gauge("freshness_seconds", "Age of the newest heartbeat that a follower shows", ("follower",), ages)
        yield _gauge("master_up", "1 when the master answers", (), {(): self.is_master_up})
        yield _gauge("follower_up", "1 when the follower answers", ("follower",), up)
        yield _gauge("slot_retained_bytes", "WAL that the master keeps for a slot", of_slot, kept)
        yield _gauge("slot_active", "1 when a slot is in use", of_slot, active)
        yield _gauge("slot_lost", "1 when a slot's WAL is gone", of_slot, lost)


def _gauge(name: str, about: str, labels: Sequence[str], values: Mapping[tuple[str, ...], float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"workbench_{name}", about, labels=labels)
    for of, value in values.items():
        family.add_metric(of, value)
    return family


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _age(at: datetime) -> float:
    return max((datetime.now(UTC) - at).total_seconds(), 0.0)


_servers = _Servers()
REGISTRY.register(_servers)


@dataclass(frozen=True)
class Quantiles:
    """How many there were in all, and the median and 95th percentile of the newest MOST_RECENT, in seconds."""

    count: int
    p50: float
    p95: float


class Recent:
    """The newest durations by name (an engine, a follower), for exact quantiles. Any thread may use it."""

    def __init__(self, most: int = MOST_RECENT) -> None:
        self._most = most
        self._lock = Lock()
        self._counts: Tally[str] = Tally()
        self._seconds: dict[str, deque[float]] = {}

    def add(self, name: str, seconds: float) -> None:
        """Takes note of one duration."""
        with self._lock:
            self._counts[name] += 1
            self._seconds.setdefault(name, deque(maxlen=self._most)).append(seconds)

    def quantiles(self) -> dict[str, Quantiles]:
        """What is known of each name."""
        with self._lock:
            kept = {name: list(seconds) for name, seconds in self._seconds.items()}
            counts = dict(self._counts)
        found = {name: quantiles(seconds) for name, seconds in kept.items()}
        return {name: replace(of_name, count=counts[name]) for name, of_name in found.items() if of_name is not None}


def quantiles(seconds: Iterable[float]) -> Quantiles | None:
    """By nearest rank: a quantile is a duration that there was. None when there is none."""
    ordered = sorted(seconds)
    if not ordered:
        return None
    p50, p95 = (ordered[math.ceil(share * len(ordered)) - 1] for share in (0.5, 0.95))
    return Quantiles(len(ordered), p50, p95)


QUERIES = Recent()  # by engine
REASONS: Tally[str] = Tally()  # why RisingWave was passed over, since this process started
SAVES = Recent()  # commit of a save until a follower shows it, by follower


def queried(engine: str, metric: str, seconds: float) -> None:
    """Takes note of a read that ``engine`` has answered; ``metric`` is one of few names, never a value."""
    QUERY_SECONDS.labels(engine, metric).observe(seconds)
    QUERIES.add(engine, seconds)


def passed_over(reason: str) -> None:
    """Takes note of a figure that RisingWave was not asked for; ``reason`` is one of few names."""
    PASSED_OVER.labels(reason).inc()
    REASONS[reason] += 1


def master_is(*, is_up: bool) -> None:
    """Takes note of whether the master answers."""
    _servers.is_master_up = is_up


def follower_is(name: str, *, is_up: bool, beat_at: datetime | None) -> None:
    """Takes note of a follower's state; its freshness is counted on from the last heartbeat it was seen with."""
    _servers.followers = {**_servers.followers, name: is_up}
    if beat_at is not None:
        _servers.beats = {**_servers.beats, name: beat_at}


def lag_is(n_bytes: int | None, seconds: float | None) -> None:
    """Takes note of the replica's lag; None where it is not known."""
    _servers.lag_bytes, _servers.lag_seconds = _known(n_bytes), _known(seconds)


def slots_are(slots: Iterable[Mapping[str, Any]]) -> None:
    """Takes note of all slots of the master, as sql/queries/slots.sql gives them; one that is gone is shown no more."""
    _servers.slots = {(slot["slot_name"], slot["slot_type"]): slot for slot in slots}


def open_pages() -> int:
    """How many pages of this process are open."""
    return int(next(iter(SESSIONS.collect())).samples[0].value)


def exposition() -> bytes:
    """Everything in Prometheus' text format."""
    return generate_latest(REGISTRY)
