"""Tiles whose body is a table of texts, every one of them escaped."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import ClassVar

import pandas as pd

from workbench.components import theme
from workbench.components.html import table_html
from workbench.connection import Workbench
from workbench.dashboards.feed import Feed, Moment
from workbench.dashboards.tile import Tile
from workbench.filters import Filters


class TableTile(Tile):
    """``heads`` names the columns, and says of each whether it holds numbers."""

    heads: ClassVar[Mapping[str, bool]] = {}

    def __init__(self, source: Workbench | Feed, filters: Filters | None = None) -> None:
        super().__init__(source, filters)
        self._frame, self._above, self._first = pd.DataFrame(), "", ""

    def rows(self, frame: pd.DataFrame) -> Iterable[Sequence[str]]:
        """The plain texts of each row."""
        raise NotImplementedError

    def above(self, moment: Moment, frame: pd.DataFrame) -> str:
        """What is said above the table, as plain text."""
        return ""

    def draw(self, moment: Moment, frame: pd.DataFrame) -> None:
        """Writes the table."""
        self._frame, self._above, self._first = frame, self.above(moment, frame), self.prepared(moment, frame)
        self._write()

    def prepare(self, moment: Moment, frame: pd.DataFrame) -> str:
        """The first rows as HTML."""
        return self._table(frame.head(self.most))

    def _table(self, frame: pd.DataFrame) -> str:
        return table_html(self.heads.items(), self.rows(frame), kind="full")

    def _write(self) -> None:
        above = f'<p class="soft">{theme.esc(self._above)}</p>' if self._above else ""
        self.card.fill(above + (self._table(self._frame) if self.is_whole else self._first))
        self.card.buttons = self.all_button(len(self._frame))

    def pressed(self, button: str) -> None:
        """Shows all rows, or the first ones alone again."""
        if button == "all":
            self.is_whole = not self.is_whole
            self._write()


def columns(*names: str, texts: Collection[str]) -> dict[str, bool]:
    """The heads of a table whose columns hold numbers, except for ``texts``."""
    return {name: name not in texts for name in names}


def percent(value: Decimal | None, is_change: bool = False) -> str:
    """``12.3%`` for 12.3; a dash for None."""
    return theme.percent(None if value is None else value / 100, is_change)
