"""What the tests of this folder make of the locale is undone after each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from workbench import locale


@pytest.fixture(autouse=True)
def _neutral_again() -> Iterator[None]:
    yield
    locale.use_locale("")
