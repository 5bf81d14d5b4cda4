"""The ten most recent sales of what is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

import pandas as pd

from workbench.dashboards.feed import Moment
from workbench.dashboards.table import TableTile
from workbench.database.replication import Answer
from workbench.forms.line_table import sale_text
from workbench.metrics import Source
from workbench.metrics.sale_pages import newest_sales
from workbench.sales.fields import FIELDS

COLUMNS = ("transaction_id", "transaction_time", "store_id", "payment_method", "total_amount")
RECENT = 10


class RecentSales(TableTile):
    """A table of the newest sales."""

    title = "Recent transactions"
    heads: ClassVar[Mapping[str, bool]] = {FIELDS[name].label: FIELDS[name].is_number for name in COLUMNS}

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """COLUMNS of the ten newest sales, the newest first."""
        where = moment.where

        def work(source: Source) -> Answer[pd.DataFrame]:
            return newest_sales(source, where, RECENT).map(lambda rows: rows[list(COLUMNS)])

        return moment.answer(("recent", where), work)

    def rows(self, frame: pd.DataFrame) -> Iterable[Sequence[str]]:
        """The texts of a row for each sale, the newest first."""
        for sale in frame.itertuples(index=False):
            cells = zip(COLUMNS, sale, strict=True)
            yield [sale_text(name, value, self.currency, self.known_names) for name, value in cells]
