"""What the process tells Prometheus, and the exact quantiles that its page shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from workbench import telemetry
from workbench.telemetry import Quantiles, Recent

NAMES = {
    "workbench_query_seconds",
    "workbench_sessions",
    "workbench_replica_lag_seconds",
    "workbench_replica_lag_bytes",
    "workbench_freshness_seconds",
    "workbench_follower_up",
    "workbench_master_up",
    "workbench_slot_retained_bytes",
    "workbench_slot_active",
    "workbench_slot_lost",
    "workbench_writes",
    "workbench_conflicts",
    "workbench_refusals",
    "workbench_passed_over",
    "workbench_visible_seconds",
}


def samples(name: str) -> dict[tuple[str, ...], float]:
    """The samples of this name by the values of their labels."""
    families = text_string_to_metric_families(telemetry.exposition().decode())
    return {tuple(s.labels.values()): s.value for family in families for s in family.samples if s.name == name}


def slot(name: str, wal_status: str = "reserved") -> dict[str, object]:
    """A row of sql/queries/slots.sql."""
    return {
        "slot_name": name,
        "slot_type": "physical",
        "is_active": True,
        "wal_status": wal_status,
        "retained_bytes": 5,
    }


def test_the_names_are_those_that_alerts_are_written_against() -> None:
    found = {family.name for family in text_string_to_metric_families(telemetry.exposition().decode())}
    assert {name for name in found if not name.endswith("_created")} == NAMES


def test_quantiles_are_exact_and_of_the_newest() -> None:
    recent = Recent(most=100)
    for milliseconds in [5000.0, *range(1, 101)]:
        recent.add("replica", milliseconds / 1000)
    recent.add("master", 0.25)
    assert recent.quantiles() == {"replica": Quantiles(101, 0.05, 0.095), "master": Quantiles(1, 0.25, 0.25)}


def test_a_query_is_counted_by_engine_and_metric() -> None:
    before = samples("workbench_query_seconds_count").get(("risingwave", "revenue"), 0)
    counted = telemetry.QUERIES.quantiles().get("risingwave", Quantiles(0, 0.0, 0.0)).count
    telemetry.queried("risingwave", "revenue", 0.2)
    assert samples("workbench_query_seconds_count")[("risingwave", "revenue")] == before + 1
    assert telemetry.QUERIES.quantiles()["risingwave"].count == counted + 1


def test_freshness_counts_on_while_the_follower_is_away() -> None:
    telemetry.follower_is("replica", is_up=True, beat_at=datetime.now(UTC) - timedelta(seconds=40))
    telemetry.follower_is("replica", is_up=False, beat_at=None)
    assert samples("workbench_follower_up")[("replica",)] == 0
    assert samples("workbench_freshness_seconds")[("replica",)] == pytest.approx(40, abs=5)


def test_lag_that_is_not_known_is_no_number() -> None:
    telemetry.lag_is(0, 0.0)
    assert samples("workbench_replica_lag_bytes")[()] == 0
    telemetry.lag_is(None, None)
    assert samples("workbench_replica_lag_bytes")[()] != samples("workbench_replica_lag_bytes")[()]  # NaN


def test_a_slot_that_is_gone_is_shown_no_more() -> None:
    telemetry.slots_are([slot("one"), slot("two", "lost")])
    assert samples("workbench_slot_lost") == {("one", "physical"): 0, ("two", "physical"): 1}
    telemetry.slots_are([slot("two")])
    assert samples("workbench_slot_retained_bytes") == {("two", "physical"): 5}
