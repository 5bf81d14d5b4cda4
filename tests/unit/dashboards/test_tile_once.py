"""What is made of an object once."""

from __future__ import annotations

from workbench.dashboards import tile as module
from workbench.dashboards.tile import MOST_KEPT, once


def test_it_is_made_once_for_an_object_and_a_key() -> None:
    one, equal, made = [1], [1], list[int]()

    def make() -> int:
        made.append(len(made))
        return made[-1]

    assert [once(one, "a", make), once(one, "a", make)] == [0, 0]
    assert [once(one, "b", make), once(equal, "a", make)] == [1, 2]


def test_the_newest_are_kept() -> None:
    first = [0]
    once(first, "kept", lambda: 1)
    for number in range(MOST_KEPT):
        once([number], "other", lambda: 1)
    assert len(module._made) == MOST_KEPT
    assert once(first, "kept", lambda: 2) == 2
