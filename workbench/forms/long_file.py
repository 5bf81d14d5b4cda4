"""A file that may take long to write: how far it is, a button that stops it, and no one else who waits for it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import panel as pn
from panel.viewable import Viewable, Viewer

from workbench import locale
from workbench.components.browser.downloads import Downloads, written
from workbench.components.inline import is_closed
from workbench.components.tasks import Advance, Job, JobControls, Progress, ShouldStop
from workbench.database.askers import Asker
from workbench.errors import FileRefused, FileStopped
from workbench.locale import N_, _

LOOK_SECONDS, SOON_SECONDS = 0.1, 0.5
AT_ONCE = 2  # of a process: the others wait
STOPPED = N_("Stopped: no file was written.")
_turn = threading.BoundedSemaphore(AT_ONCE)


class LongFile(Viewer):
    """One at a time for a page; it is written on a thread of its own, and ends with its page."""

    def __init__(self, downloads: Downloads) -> None:
        super().__init__()
        self._downloads, self._asker = downloads, Asker()
        self._job = Job(_("The file was not written."))
        self._controls = JobControls(self._job, self._stop, size="small")

    async def hand_out(self, name: str, write: Callable[[Path, Advance], object]) -> None:
        """Has ``write`` write the file of this name, and hands it out.

        ``write`` tells how many rows of how many it has. Raises FileRefused, and in words what ``write`` raises.
        """
        made: list[IO[bytes]] = []
        asker = self._asker = Asker()

        def work(advance: Advance, should_stop: ShouldStop) -> str:
            def tell(rows: int, of: int) -> None:
                advance(rows, of)
                if should_stop():
                    raise FileStopped(_(STOPPED))

            with _in_turn(self._job, should_stop), asker.asks():
                made.append(written(name, lambda path: write(path, tell)))
            return ""

        if not self._controls.start(work):
            raise FileRefused(_("Another file is being written: wait for it, or stop it."))
        await self._follow(name)
        progress = self._job.progress
        if made:
            self._downloads.hand_out(name, made[0])
        elif progress.is_error:
            raise FileRefused(progress.said)
        else:
            self._controls.said.say(_(STOPPED))

    async def _follow(self, name: str) -> None:
        began, said = time.monotonic(), self._controls.said
        said.follow("")
        while (progress := self._job.progress).is_running:
            await asyncio.sleep(LOOK_SECONDS)
            if is_closed():
                self._stop()
            elif time.monotonic() - began > SOON_SECONDS:
                self._controls.follow()
                said.follow(_("Stopping …") if progress.is_stopping else progress.note or _how_far(name, progress))
        self._controls.follow()
        said.follow("")

    def _stop(self) -> None:
        self._job.stop()
        self._asker.leave()

    def __panel__(self) -> Viewable:
        row = pn.Row(self._controls.said, self._controls.stop, sizing_mode="stretch_width", margin=0)
        return pn.Column(self._controls.bar, row, sizing_mode="stretch_width", margin=0)


def _how_far(name: str, progress: Progress) -> str:
    if not progress.total:
        return _("Writing {file}: reading …", file=name)
    rows = {"done": locale.number(progress.done), "of": locale.number(progress.total)}
    return _("Writing {file}: {done} of {of} rows …", file=name, **rows)


@contextmanager
def _in_turn(job: Job, should_stop: ShouldStop) -> Iterator[None]:
    """Waits until few enough files are being written. Raises FileStopped when it is stopped meanwhile."""
    while not _turn.acquire(timeout=0.2):
        job.note(_("Waiting: other files are being written …"))
        if should_stop():
            raise FileStopped(_(STOPPED))
    try:
        job.note("")
        yield
    finally:
        _turn.release()
