"""What the program says: a notice, and how long after its commit a save was seen."""

from __future__ import annotations

import pytest

from workbench.components.messages import Notice, sentence


def test_what_was_closed_is_said_again() -> None:
    notice = Notice(closeable=True)
    place = notice.__panel__()
    assert not place.visible and not place.objects
    notice.say("There is no tab")
    (first,) = place.objects
    first.closed = True
    notice.say("There is no tab")
    (second,) = place.objects
    assert (second.title, second.closed, place.visible) == ("There is no tab", False, True)
    notice.say("")
    assert not place.visible and not place.objects


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
