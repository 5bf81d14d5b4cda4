"""What the stopwatch of a save says."""

from __future__ import annotations

import pytest

from workbench.forms.visible_after import sentence


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ({"replica": 0.0042}, "Commit → visible on the replica after 4 ms"),
        (
            {"replica": 0.012, "risingwave": 0.0},
            "Commit → visible on the replica after 12 ms → visible in the materialized views …",
        ),
        (
            {"replica": None, "risingwave": 1.2345},
            "Commit → visible on the replica not within 30 s → visible in the materialized views after 1,234 ms",
        ),
    ],
)
def test_it_says_where_a_save_is_visible_after_how_long(found: dict[str, float | None], text: str) -> None:
    assert sentence(found) == text
