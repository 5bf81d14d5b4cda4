"""Answers of the database, remembered until figures may have changed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import replace

from workbench.metrics.cube import Groups
from workbench.metrics.state import State
from workbench.replication import Answer

MOST_ANSWERS = 500


class Answers:
    """One for each process; any thread may ask."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, list[tuple[Mapping[str, str], Answer[Groups]]]] = {}
        self._revision = 0
        self._lock = threading.Lock()

    def remembered(
        self, state: State, question: Hashable, grains: Mapping[str, str], read: Callable[[], Answer[Groups]]
    ) -> Answer[Groups]:
        """The answer to ``read`` (not older than ``state``); asked once for each revision, also when more was asked."""
        with self._lock:
            if self._revision != state.revision or len(self._answers) >= MOST_ANSWERS:
                self._answers, self._revision = {}, state.revision
            known = list(self._answers.get(question, ()))
        for asked, found in known:
            if grains.items() <= asked.items() and state.as_of is not None:
                # Nothing has changed since: it is as new as the state.
                return replace(found, value=_restricted(found.value, grains), as_of=max(found.as_of, state.as_of))
        answer = read()
        with self._lock:
            if self._revision == state.revision:
                self._answers.setdefault(question, []).append((dict(grains), answer))
        return answer


def _restricted(groups: Groups, names: Iterable[str]) -> Groups:
    """The groups with these measures alone, without those that have none of them."""
    found = {key: {name: values[name] for name in names if name in values} for key, values in groups.items()}
    return {key: values for key, values in found.items() if values}
