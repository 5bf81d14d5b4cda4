"""Files that are written whole: on the disk before they take the place of what was there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from workbench.servers.disk import written_whole


def test_a_file_is_on_the_disk_before_it_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, there = tmp_path / "sales.csv", list[str]()
    path.write_text("before")
    sync = os.fsync
    monkeypatch.setattr("os.fsync", lambda handle: (there.append(path.read_text()), sync(handle)))
    with written_whole(path) as made:
        made.write_text("after")
        assert made.suffix == ".csv"
    assert (there, path.read_text(), list(tmp_path.iterdir())) == (["before"], "after", [path])


def test_what_was_there_stays_when_the_next_one_fails(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("before")
    with pytest.raises(OSError, match="no more"), written_whole(path) as made:
        made.write_text("aft")
        raise OSError("no more")
    assert (path.read_text(), list(tmp_path.iterdir())) == ("before", [path])
