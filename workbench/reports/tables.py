"""table(): a frame as a report shows it. Plain text for tests to compare, HTML for people."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd

from workbench import locale
from workbench.components.html import table_html
from workbench.components.theme import NOTHING
from workbench.locale import _
from workbench.words import heading


class Table:
    """Shows ``frame``, in the order that it has; the last ``totals`` rows are set apart."""

    def __init__(self, frame: pd.DataFrame, totals: int = 0) -> None:
        self.frame = frame
        self._totals = totals

    def __repr__(self) -> str:
        texts = self.frame.map(text).rename(columns=str)
        return texts.to_string(index=False, max_rows=None, max_cols=None) if len(texts) else "no rows"

    def _repr_html_(self) -> str:
        """The table with escaped texts, numbers to the right, thousands separated."""
        if self.frame.empty:
            return '<p class="nothing">' + _("Nothing to show.") + "</p>"
        heads = [(heading(name), _is_number(self.frame[name])) for name in self.frame.columns]
        rows = (
            [text(value, is_grouped=True) for value in row] for row in self.frame.itertuples(index=False, name=None)
        )
        return table_html(heads, rows, totals=self._totals)


def folded(frame: pd.DataFrame) -> str:
    """The figures behind a chart, as HTML that opens on a click: for readers of screens, and to copy."""
    return f'<details class="figures"><summary>{_("The figures")}</summary>{Table(frame)._repr_html_()}</details>'


def table(frame: pd.DataFrame, totals: int = 0) -> Table:
    """The frame as a table; its last ``totals`` rows are totals."""
    return Table(frame, totals)


def text(value: Any, *, is_grouped: bool = False) -> str:
    """One cell: days as they are written here, a dash for what is not there, numbers with all places that they have.

    Numbers are plain, for tests to compare, or as they are written here where they are ``is_grouped``.
    """
    if value is None or value is pd.NaT or value != value:
        return NOTHING
    if isinstance(value, pd.Timestamp):
        return locale.day(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return str(value)
    return locale.number(value) if is_grouped else str(value)


def _is_number(column: pd.Series) -> bool:
    """Whether all that is there are numbers; a column of names for numbers (store) reads as such too."""
    known = [value for value in column.tolist() if value is not None and value == value]
    return bool(known) and all(isinstance(value, int | Decimal) and not isinstance(value, bool) for value in known)
