"""run_recorded(): runs a report, and has the history say how that ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from workbench.config import Settings
from workbench.errors import ReportStopped, WorkbenchError
from workbench.reports.export import export
from workbench.reports.history import FAILED, KEPT, Recording
from workbench.reports.library import Report, Value
from workbench.reports.run import Finished, OnCell, never, quiet, run


def run_recorded(
    recording: Recording | None,
    report: Report,
    values: Mapping[str, Value],
    settings: Settings,
    *,
    by: str = "",
    seconds: float | None = None,
    progress: OnCell = quiet,
    should_stop: Callable[[], bool] = never,
) -> Finished:
    """As ``run``. Without a ``recording``, where none can be written, the history does not know of it."""
    began = time.monotonic()
    try:
        finished = run(report, values, settings, by=by, seconds=seconds, progress=progress, should_stop=should_stop)
        if recording is not None:
            files = {kind: export(finished, kind) for kind in KEPT}
            recording.done(files, finished.seconds, finished.engine, finished.as_of)
    except BaseException as error:
        if recording is not None:
            said = str(error) if isinstance(error, WorkbenchError) else FAILED
            recording.end("stopped" if isinstance(error, ReportStopped) else "failed", said, time.monotonic() - began)
        raise
    finally:
        if recording is not None:
            recording.history.tidy_once_a_day()
    return finished
