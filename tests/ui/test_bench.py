"""`workbench bench` as a user runs it, as small as it goes: every figure is measured, and the page is written."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.integration.test_cli import COMMAND
from workbench.cli.bench.kinds import KINDS, Kind, judged, watched
from workbench.cli.bench.page import BEGIN, END, written
from workbench.cli.bench.run import Measured
from workbench.errors import BenchFailed


@pytest.mark.timeout(240)
def test_a_quick_run_measures_everything_and_keeps_what_people_wrote_around_it(tmp_path: Path) -> None:
    page = tmp_path / "PERFORMANCE.md"
    page.write_text(f"# Performance\n\n{BEGIN}\nold figures\n{END}\n\n## Beyond one machine\n\nBy hand.\n")
    run = [
        COMMAND,
        "bench",
        "--quick",
        "--sales",
        "300",
        "--pages",
        "2",
        "--processes",
        "2",
        "--json",
        "--write",
        str(page),
    ]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, timeout=220)
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)
    assert result["left_out"] == []
    assert set(result["figures"]) == {kind.name for kind in (*KINDS, *watched(2, 2))}
    wrong = {name: value for name, value in result["figures"].items() if value <= 0}
    assert set(wrong) <= {"shift", "columns_memory", "memory_2_2", "change_2_2"}, (
        "what others do may outweigh these few"
    )
    text = page.read_text()
    assert "old figures" not in text
    assert text.startswith("# Performance\n") and text.endswith("## Beyond one machine\n\nBy hand.\n")
    assert all(f"| {kind.label} |" in text for kind in KINDS)


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
    tmp_path: Path, option: str, value: str, words: str
) -> None:
    (tmp_path / "file").touch()
    run = [COMMAND, "bench", "--quick", option, value]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    said = " ".join(done.stderr.replace("│", " ").split())
    assert done.returncode != 0 and words in said and "Traceback" not in said
    assert "Measuring the columns" not in said


def test_a_page_that_cannot_be_written_stays_and_is_told(tmp_path: Path) -> None:
    (tmp_path / "page.md").mkdir()
    with pytest.raises(BenchFailed, match="could not be written to .*page.md"):
        written(tmp_path / "page.md", [Measured(10, (), (), 60.0, 0.5, {"exchanges": 2.0})])
