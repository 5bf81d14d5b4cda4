"""The tests of this folder need no server, and none of them starts one."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest

from workbench.cluster.processes import Programs

WRONG_PLACE = "A test in tests/unit asks for servers: it belongs into tests/integration."


@pytest.fixture(scope="session")
def settings() -> NoReturn:
    """Takes the place of the running pair, on which all other fixtures with servers rest."""
    pytest.fail(WRONG_PLACE, pytrace=False)


@pytest.fixture(autouse=True)
def _no_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        pytest.fail(WRONG_PLACE)

    monkeypatch.setattr(Programs, "run", refuse)
