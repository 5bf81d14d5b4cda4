"""What Chromium makes of a page of HTML that is our own: a PDF, or the text that its scripts leave in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from workbench.errors import FileRefused
from workbench.locale import N_, _

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 90
DRAWING_MS = 10_000  # of the page's own clock: until its charts are drawn


def find_chromium(what: str) -> str:
    """The path of a Chromium, which ``what`` needs. Raises FileRefused: better before the work than after it."""
    if (found := installed_chromium()) is None:
        raise FileRefused(_("{what} needs Chromium, which was not found: install it, or choose html.", what=_(what)))
    return found


def installed_chromium() -> str | None:
    """The path of a Chromium; None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def printed(page: str) -> bytes:
    """The page as a PDF. Raises FileRefused when Chromium is missing or fails."""
    with tempfile.TemporaryDirectory(prefix="workbench-pdf-", ignore_cleanup_errors=True) as folder:
        target = Path(folder) / "page.pdf"
        _run(find_chromium(N_("A PDF")), page, Path(folder), "--no-pdf-header-footer", f"--print-to-pdf={target}")
        return target.read_bytes()


def scripted(page: str, what: str) -> str:
    """The page's own HTML once its scripts have run, to make ``what`` of it. Raises FileRefused as ``printed`` does."""
    with tempfile.TemporaryDirectory(prefix="workbench-page-", ignore_cleanup_errors=True) as folder:
        return _run(find_chromium(what), page, Path(folder), "--dump-dom").decode()


def _run(browser: str, page: str, folder: Path, *options: str) -> bytes:
    (folder / "page.html").write_text(page, encoding="utf-8")
    every = [
        "--headless",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        f"--user-data-dir={folder / 'profile'}",
        f"--virtual-time-budget={DRAWING_MS}",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        every.append("--no-sandbox")  # Chromium refuses to run as root with it; the page is our own
    command = [browser, *every, *options, (folder / "page.html").as_uri()]
    try:
        return subprocess.run(command, capture_output=True, timeout=SECONDS, check=True).stdout
    except (subprocess.SubprocessError, OSError) as error:
        raise FileRefused(
            _("Chromium ({path}) did not draw the page: {why}.", path=browser, why=type(error).__name__)
        ) from None
