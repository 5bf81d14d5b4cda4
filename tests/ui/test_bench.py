"""`workbench bench` as a user runs it, as small as it goes: every figure is measured, and the page is written."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.integration.test_cli import COMMAND
from workbench.cli.bench.kinds import KINDS, watched
from workbench.cli.bench.run import BEGIN, END


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
