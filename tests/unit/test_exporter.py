"""What a server does when it loads the plugin: before it listens."""

from __future__ import annotations

import subprocess
import sys

ASK = "import gc, workbench.exporter; print(gc.get_freeze_count(), len(gc.get_objects()))"


def test_what_is_loaded_is_left_out_of_collections() -> None:
    """A collection stops every page; nearly all that it would look through is what was loaded."""
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    left_out, looked_through = map(int, done.stdout.split())
    assert left_out > 100_000 > 10 * looked_through
