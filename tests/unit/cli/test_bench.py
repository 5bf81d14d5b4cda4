"""Figures judged against their targets, the page that is written of them, and what is refused before measuring."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from workbench import cli
from workbench.cli.bench.kinds import Kind, judged
from workbench.cli.bench.run import Measured, written
from workbench.errors import BenchFailed
from workbench.locale import texts


def test_a_page_whose_marks_are_gone_keeps_all_that_it_says(tmp_path: Path) -> None:
    page = tmp_path / "PERFORMANCE.md"
    page.write_text("Only words.\n")
    written(page, [Measured(10, (), (), 60.0, 0.5, {"exchanges": 2.0})])
    text = page.read_text()
    assert text.startswith("Only words.\n")
    assert "10 sales: 50%" in text and "| exchanges of a save with the master | 2.00 |" in text


@pytest.mark.parametrize(
    ("kind", "figure", "found"),
    [
        (Kind("a", "", "s", most=5.0, of="base", times=4.0), 4.0, (2.0, True)),
        (Kind("a", "", "s", most=5.0, of="base", times=1.5), 4.0, (2.0, False)),
        (Kind("a", "", "", of="base", times=0.5, is_more_better=True), 0.8, (0.4, False)),
        (Kind("a", "", "", of="gone", times=0.5), 0.8, (None, None)),
        (Kind("a", "", "s"), 0.8, (None, None)),
    ],
)
def test_a_target_is_missed_by_the_figure_or_by_its_ratio(
    kind: Kind, figure: float, found: tuple[float | None, bool | None]
) -> None:
    ratio, is_reached = judged(kind, {"a": figure, "base": 2.0})
    assert (ratio and round(ratio, 6), is_reached) == found


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--sales", "0", "--sales"),
        ("--write", "nowhere/page.md", "There is no folder nowhere to write page.md to."),
        ("--write", ".", "is a directory"),
        ("--folder", "file/below", "The servers cannot be made below"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_measured(
    option: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("file").touch()
    monkeypatch.setattr(sys, "argv", ["workbench", "bench", "--quick", option, value])
    monkeypatch.setattr(texts, "_is_english", False)  # and again afterwards
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = " ".join("".join(capsys.readouterr()).replace("│", " ").split())
    assert ended.value.code and words in said
    assert "Measuring the columns" not in said


def test_a_page_that_cannot_be_written_stays_and_is_told(tmp_path: Path) -> None:
    (tmp_path / "page.md").mkdir()
    with pytest.raises(BenchFailed, match="could not be written to .*page.md"):
        written(tmp_path / "page.md", [Measured(10, (), (), 60.0, 0.5, {"exchanges": 2.0})])
