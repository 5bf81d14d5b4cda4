"""Drafts: what a form gives the browser to keep, and takes back."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from workbench.components.browser.unsaved import Unsaved


def test_a_draft_is_given_and_taken_back() -> None:
    form: dict[str, Any] = {"typed": "77"}
    taken: list[dict[str, Any]] = []
    draft = Unsaved("form", lambda: form or None, taken.append)
    draft.tell()
    assert json.loads(draft.text) == form
    draft.kept = draft.text
    assert taken == [form]
    form.clear()
    draft.tell()
    assert draft.text == ""


@pytest.mark.parametrize("kept", ["no JSON", "[]", "{}", '{"typed": null}'])
def test_a_draft_that_cannot_be_used_is_left_out(kept: str, caplog: pytest.LogCaptureFixture) -> None:
    def take(draft: dict[str, Any]) -> None:
        draft["typed"].strip()

    with caplog.at_level(logging.WARNING):
        Unsaved("form", lambda: None, take).kept = kept
    assert "could not be used" in caplog.text
