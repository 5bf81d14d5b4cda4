"""Every metric as a plain function that gives a DataFrame: ``figures.revenue(workbench, by=["store"])``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import pandas as pd

from workbench.connection import Workbench
from workbench.database.replication import ReadPosition
from workbench.metrics import METRICS, AnyWhere, Source
from workbench.metrics import ask as ask_metrics


def ask(
    workbench: Workbench,
    metrics: Sequence[str],
    *,
    by: str | Sequence[str] = (),
    where: AnyWhere = None,
    read_position: ReadPosition | None = None,
    exact: bool = False,
) -> pd.DataFrame:
    """Several metrics side by side: one row for each group of ``by``, sorted by it; one row when it is empty.

    Money, percents and ratios are float64, ready to be drawn and described: each is the float nearest to a figure of
    two places, nan where it is undefined. With ``exact=True`` they are Decimal (None where undefined), whose sums are
    exact to the cent. A count is int, a day datetime64; columns and rounding are those of ``metrics.ask``.

    ``attrs`` says which engine answered (``engine``), as of when (``as_of``) and why it was not the replica (``note``).
    The answer holds what was saved with this workbench; with a ``read_position`` of its own, what was saved with that.
    Raises MetricError and ServerUnavailable.
    """
    groups = [by] if isinstance(by, str) else list(by)
    answer = ask_metrics(
        Source(workbench.reader, read_position or workbench.read_position), metrics, by=groups, where=where
    )
    decimals = [name for name in metrics if METRICS[name].unit != "count"]
    frame = answer.value if exact else answer.value.astype(dict.fromkeys(decimals, "float64"))
    frame.attrs = {"engine": answer.engine, "as_of": answer.as_of, "note": answer.note}
    return frame


def __getattr__(name: str) -> Callable[..., pd.DataFrame]:
    if name not in METRICS:
        raise AttributeError(f"There is no metric {name!r}. There are {', '.join(METRICS)}.")
    return _function(name)


@cache
def _function(name: str) -> Callable[..., pd.DataFrame]:
    """The function of one metric, with a signature of its own: editors complete it, and ``?`` shows it."""

    def figure(
        workbench: Workbench,
        *,
        by: str | Sequence[str] = (),
        where: AnyWhere = None,
        read_position: ReadPosition | None = None,
        exact: bool = False,
    ) -> pd.DataFrame:
        return ask(workbench, [name], by=by, where=where, read_position=read_position, exact=exact)

    given = ", ".join(METRICS[name].dimensions)
    figure.__name__ = figure.__qualname__ = name
    figure.__doc__ = f"""{METRICS[name].described}

    Columns are ``by`` (one name or several, any of {given}) and ``{name}``.
    ``where`` narrows it: ``Where(stores=[3], date_from=...)``, the same as a dict, or a ``Filters``.
    With ``exact=True`` money is Decimal instead of float. All else as in ``figures.ask``.
    """
    return figure


def __dir__() -> list[str]:
    return ["ask", *METRICS]
