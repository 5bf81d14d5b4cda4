"""GET /metrics of the served app: there before any page, and without a secret."""

from __future__ import annotations

import urllib.request

from playwright.sync_api import Browser
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import wait_until
from tests.ui.conftest import serving, visit, watched_page
from workbench.config import Settings

METRICS = "--plugins=workbench.exporter"
FORGET_SOON = ("--unused-session-lifetime=3000", "--check-unused-sessions=500")


def scraped(url: str) -> dict[tuple[str, ...], float]:
    """Each sample by its name and the values of its labels."""
    with urllib.request.urlopen(f"{url}/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        text = answer.read().decode()
    families = text_string_to_metric_families(text)
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def test_it_follows_the_servers_before_any_page_and_counts_pages(settings: Settings, browser: Browser) -> None:
    with serving(settings, METRICS, *FORGET_SOON) as app:
        wait_until(lambda: scraped(app.url).get(("workbench_follower_up", "replica")) == 1, "the replica to be up")
        found = scraped(app.url)
        assert found[("workbench_sessions",)] == 0
        assert 0 <= found[("workbench_freshness_seconds", "replica")] < 10
        assert found[("workbench_replica_lag_bytes",)] >= 0
        assert any(key[0] == "workbench_slot_active" and key[2] == "physical" for key in found)
        with watched_page(browser) as page:
            visit(page, f"{app.url}/sales")
            assert scraped(app.url)[("workbench_sessions",)] == 1
            assert scraped(app.url)[("workbench_query_seconds_count", "replica", "sale rows")] >= 1
        wait_until(lambda: scraped(app.url)[("workbench_sessions",)] == 0, "the page to be forgotten")
        assert not app.errors()
