"""Every metric as a plain function that gives a DataFrame: ``figures.revenue(workbench, by=["store"])``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from workbench.connection import Workbench
from workbench.metrics import METRICS, Source, Where
from workbench.metrics import ask as ask_metrics
from workbench.replication import Session


def ask(
    workbench: Workbench,
    metrics: Sequence[str],
    *,
    by: str | Sequence[str] = (),
    where: Where = Where(),
    session: Session | None = None,
) -> pd.DataFrame:
    """Several metrics side by side: one row for each group of ``by``, sorted by it; one row when it is empty.

    Columns, types and rounding are those of ``metrics.ask``: money is Decimal in cents, a count int, a day datetime64.
    ``attrs`` says which engine answered (``engine``), as of when (``as_of``) and why it was not the replica (``note``).
    With the ``session`` that a form has saved in, the answer holds what was saved. Raises MetricError and
    ServerUnavailable.
    """
    groups = [by] if isinstance(by, str) else list(by)
    answer = ask_metrics(Source(workbench.reader, session or Session()), metrics, by=groups, where=where)
    frame = answer.value
    frame.attrs = {"engine": answer.engine, "as_of": answer.as_of, "note": answer.note}
    return frame


def __getattr__(name: str) -> Callable[..., pd.DataFrame]:
    metric = METRICS.get(name)
    if metric is None:
        raise AttributeError(f"There is no metric {name!r}. There are {', '.join(METRICS)}.")

    def figure(workbench: Workbench, **how: Any) -> pd.DataFrame:
        return ask(workbench, [name], **how)

    given = ", ".join(metric.dimensions)
    figure.__name__ = figure.__qualname__ = name
    figure.__doc__ = f"{metric.about}\n\nColumns are ``by`` (any of {given}) and ``{name}``; all else as in ``ask``."
    return figure


def __dir__() -> list[str]:
    return ["ask", *METRICS]
