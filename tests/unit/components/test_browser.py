"""What a component asks of its browser: uploads that outlive their page, and drafts."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import wait_until
from workbench.components.browser import files
from workbench.components.browser.files import KeptUploads
from workbench.components.browser.page import Unsaved


@pytest.fixture
def kept(tmp_path: Path) -> KeptUploads:
    return KeptUploads(tmp_path / "data" / "uploads")


def uploaded(folder: Path, text: str = "1;2") -> Path:
    path = folder / f"file of {text}"
    path.write_text(text)
    return path


def is_there(kept: KeptUploads, token: str, owner: str) -> bool:
    try:
        kept.take(token, owner).unlink()
    except OSError:
        return False
    return True


def test_an_upload_is_its_owners_alone_and_outlives_page_and_app(kept: KeptUploads, tmp_path: Path) -> None:
    file = uploaded(tmp_path)
    token = kept.keep(file, "ann")
    file.unlink()  # as the page does when it is left
    started_again = KeptUploads(kept.folder)
    taken = started_again.take(token, "ann")
    assert taken.read_text() == "1;2"
    taken.unlink()
    assert not is_there(started_again, token, "ben")
    started_again.forget(token, "ben")
    assert is_there(started_again, token, "ann")
    started_again.forget(token, "ann")
    assert not is_there(started_again, token, "ann") and not list(kept.folder.iterdir())


def test_the_oldest_of_many_goes_and_each_after_its_time(
    kept: KeptUploads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = [kept.keep(uploaded(tmp_path, str(n)), "ann") for n in range(4)]
    assert [is_there(kept, token, "ann") for token in tokens] == [False, True, True, True]
    monkeypatch.setattr(files, "SECONDS", -1.0)
    kept.keep(uploaded(tmp_path, "soon"), "ben")
    wait_until(lambda: not list(kept.folder.iterdir()), "the end of its time")


def test_the_hour_of_what_has_waited_begins_when_it_is_kept(kept: KeptUploads, tmp_path: Path) -> None:
    waited = uploaded(tmp_path)
    os.utime(waited, (0, 0))
    assert is_there(kept, kept.keep(waited, "ann"), "ann")


def test_what_cannot_be_kept_has_no_token(kept: KeptUploads, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")
    assert kept.keep(uploaded(tmp_path), "ann") == ""
    kept.tidy()


LEAVE = """
from workbench.accounts.actor import current_actor
from workbench.components.browser.files import new_file
from workbench.imports import ImportFile

file = ImportFile(None, new_file(), "till.csv", current_actor())
"""


def test_no_copy_of_what_was_uploaded_outlives_the_process(tmp_path: Path) -> None:
    """A server that is stopped closes none of its pages."""
    subprocess.run([sys.executable, "-c", LEAVE], env={**os.environ, "TMPDIR": str(tmp_path)}, check=True)
    assert not list(tmp_path.iterdir())


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
