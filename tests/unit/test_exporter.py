"""What a server does when it loads the plugin: before it listens."""

from __future__ import annotations

import subprocess
import sys

ASK = """
import gc, sys, workbench.exporter
print(gc.get_freeze_count(), len(gc.get_objects()), *(name for name in sys.argv[1:] if name not in sys.modules))
"""
PAGES = ("holoviews", "hvplot", "panel_material_ui", "workbench.dashboards.sales_dashboard", "workbench.forms")


def test_what_is_loaded_is_left_out_of_collections() -> None:
    """A collection stops every page; nearly all that it would look through is what was loaded."""
    done = subprocess.run([sys.executable, "-c", ASK, *PAGES], capture_output=True, text=True, check=True)
    left_out, looked_through, *not_loaded = done.stdout.split()
    assert not not_loaded
    assert int(left_out) > 100_000 > 10 * int(looked_through)
