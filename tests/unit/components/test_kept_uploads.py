"""Uploads that outlive their page: given back to whom they belong, and gone after their hour."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import wait_until
from workbench.components.browser import kept_uploads
from workbench.components.browser.kept_uploads import KeptUploads


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("1;2")
    return path


def test_an_upload_is_its_owners_alone_and_outlives_the_page(file: Path) -> None:
    kept = KeptUploads()
    token = kept.keep(file, "sales.csv", "ann")
    file.unlink()  # as the page does when it is left
    found = kept.find(token, "ann")
    assert found is not None and (found.path.read_text(), found.name) == ("1;2", "sales.csv")
    assert kept.find(token, "ben") is None
    kept.forget(token, "ben")
    assert kept.find(token, "ann") is not None
    kept.forget(token, "ann")
    assert kept.find(token, "ann") is None and not found.folder.exists()


def test_the_oldest_of_many_goes_and_each_after_its_time(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = KeptUploads()
    tokens = [kept.keep(file, f"{n}.csv", "ann") for n in range(4)]
    assert [kept.find(token, "ann") is not None for token in tokens] == [False, True, True, True]
    monkeypatch.setattr(kept_uploads, "SECONDS", 0.0)
    soon = kept.keep(file, "soon.csv", "ben")
    wait_until(lambda: kept.find(soon, "ben") is None, "the end of its time")
    kept.clear()
    assert not any(kept.find(token, "ann") for token in tokens)
