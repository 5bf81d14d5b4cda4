"""The two ways into a notebook: connect() gives the workbench that all components take, sql() runs a query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from workbench.config import Settings, load_settings
from workbench.connection import Workbench, open_workbench
from workbench.database import sql_query
from workbench.database.replication import EngineName, ReadPosition


def connect(settings: Settings | None = None) -> Workbench:
    """The workbench of this process, its heartbeat running; the same one however often it is asked for.

    It is on the servers that the settings name, else on the embedded ones. Raises SettingsError for a bad setting, and
    ClusterError or ServerUnavailable, which say what to do, when no server answers.
    """
    return open_workbench(settings or load_settings(), must_answer=True)


def sql(
    statement: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    engine: EngineName = "replica",
    limit: int = sql_query.MOST_ROWS,
    seconds: int = sql_query.SECONDS,
    workbench: Workbench | None = None,
    read_position: ReadPosition | None = None,
    exact: bool = False,
) -> pd.DataFrame:
    """The rows of a query: ``sql("select * from sales_item where quantity > :most", {"most": 10})``.

    Read-only, on the ``engine`` that is named: replica, risingwave or master. It sees what was saved with the
    ``workbench`` (None: that of ``connect()``), or with a ``read_position`` of its own. Numbers with decimal places
    (numeric) are float64, ready to be drawn; with ``exact=True`` they are Decimal. All else as in ``sql_query.query``.
    """
    asked = workbench or connect()
    read_position = read_position or asked.read_position
    how: dict[str, Any] = {
        "engine": engine,
        "limit": limit,
        "seconds": seconds,
        "read_position": read_position,
        "exact": exact,
    }
    return sql_query.query(asked.reader, statement, parameters, **how)
