"""PivotTable: a question as rows and columns, with the totals that the engine gives; a click on a head sorts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from workbench.components.theme import count, esc
from workbench.dashboards.chart import unit_text
from workbench.dashboards.feed import Feed, Moment
from workbench.dashboards.question_figures import (
    ALL,
    EACH,
    LEFT_OUT,
    ORDERED,
    GroupNames,
    adds_nothing,
    figure_text,
    figures_of,
    ranked,
    rows_of,
    totals_of,
)
from workbench.dashboards.tile import Tile
from workbench.database.replication import Answer
from workbench.filters.question import Asked, heading_of, title_of
from workbench.locale import N_, _
from workbench.metrics import DIMENSIONS, METRICS, MetricQuery

MOST_DOWN, MOST_ACROSS = 20, 12
ALL_DOWN, ALL_ACROSS, ALL_CELLS = 500, 60, 20_000  # a browser draws no more at once; files have all
OVERALL = N_("All")
Column = tuple[Any, str]  # a group across (OVERALL: of them all), and a metric
Row = tuple[str, list[Any]]  # a name, and a figure for each column


class PivotTable(Tile):
    """A row for each group of the first dimension; across, the groups of the second one with each metric."""

    is_slow = True

    def __init__(self, source: Feed, asked: Asked) -> None:
        self.asked = asked
        self.title = title_of(asked.metrics, asked.by)
        super().__init__(source)
        self.card.about = ". ".join(unit_text(name, self.currency) for name in asked.metrics)
        self._sort: tuple[Column | None, bool] | None = None  # None: by name; and whether the most is first
        self._frame, self._names = pd.DataFrame(), GroupNames(pd.DataFrame(), source.live.names.now)

    @property
    def heading(self) -> str:
        """What is asked."""
        return heading_of(self.asked.metrics, self.asked.by)

    def asks(self, moment: Moment) -> Iterable[MetricQuery]:
        """Every total; pairs of groups are asked for once it is known how many there are."""
        return self.asked.totals(moment.where)

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """The rows of ``figures_of``."""
        return figures_of(moment, self.asked)

    def draw(self, moment: Moment, frame: pd.DataFrame) -> None:
        """Writes the table."""
        self._frame, self._names = frame, GroupNames(frame, moment.names)
        self._write()

    def pressed(self, button: str) -> None:
        """Sorts by a column, the other way when it is the one; or shows all, or the first alone again."""
        if button == "all":
            self.is_whole = not self.is_whole
        elif (number := button.removeprefix("sort ")).isdigit():
            self._sort_by(int(number))
        self._write()

    def _sort_by(self, number: int) -> None:
        columns = [None, *self._columns()[0]]
        if number < len(columns):
            chosen = columns[number]
            is_most_first = not self._sort[1] if self._sort and self._sort[0] == chosen else chosen is not None
            self._sort = (chosen, is_most_first)

    def _write(self) -> None:
        columns, left_out = self._columns()
        body, more = self._body(columns)
        not_asked = self._frame.attrs.get(LEFT_OUT, "")
        said = filter(None, (*left_out, *more, not_asked))
        words = "".join(f'<p class="soft">{esc(text)}</p>' for text in said)
        self.card.fill(words + self._html(columns, body))
        is_cut = bool(left_out or more) or self.is_whole
        self.card.buttons = [("all", _("All"), self.is_whole)] if is_cut else []

    def _columns(self) -> tuple[list[Column], list[str]]:
        """Those that are shown, and what is not."""
        metrics = self.asked.metrics
        if len(self.asked.by) < 2:
            return [(OVERALL, metric) for metric in metrics], []
        across = self.asked.by[1]
        groups = ranked(totals_of(self._frame, across, self.asked.by), across, metrics[0])
        shown = groups[: ALL_ACROSS if self.is_whole else MOST_ACROSS]
        columns = [((group,), metric) for group in shown for metric in metrics]
        return [*columns, *((OVERALL, metric) for metric in metrics)], self._cut(len(shown), len(groups), across)

    def _cut(self, shown: int, all_groups: int, by: str) -> list[str]:
        if shown >= all_groups:
            return []
        values = {"by": DIMENSIONS[by].noun, "shown": shown, "n": count(all_groups)}
        if by in ORDERED:
            text = _("By {by}, {shown} of {n}: the first; {rest}, the totals are of all.")
        else:
            text = _("By {by}, {shown} of {n}: those with the most of {metric}; {rest}, the totals are of all.")
        rest = _("the files have more") if self.is_whole else _("All shows more")
        return [text.format(**values, metric=METRICS[self.asked.metrics[0]].label, rest=rest)]

    def _body(self, columns: Sequence[Column]) -> tuple[list[Row], list[str]]:
        """The rows that are shown as name and figures, the total last; and what is not shown."""
        if not self.asked.by:
            return [("", self._total(columns))], []
        down = self.asked.by[0]
        totals = totals_of(self._frame, down, self.asked.by)
        figures = self._figures(totals)
        groups = ranked(totals, down, self.asked.metrics[0])
        rows = [
            (self._names.of(down, group), [self._of(figures, group, column) for column in columns]) for group in groups
        ]
        most = min(ALL_DOWN, ALL_CELLS // len(columns)) if self.is_whole else MOST_DOWN
        shown = self._sorted(rows, columns)[:most]
        cut = self._cut(len(shown), len(rows), "day" if self._sort else down)
        return [*shown, (_("Total"), self._total(columns))], cut

    def _figures(self, totals: pd.DataFrame) -> dict[tuple[Any, Any, str], Any]:
        """Each figure by its row, its column and its metric."""
        down, *across = self.asked.by
        found: dict[tuple[Any, Any, str], Any] = {}
        cells = rows_of(self._frame, EACH)
        for metric in self.asked.metrics:
            found |= {(row, OVERALL, metric): value for row, value in zip(totals[down], totals[metric], strict=True)}
            if across:
                pairs = zip(cells[down], cells[across[0]], cells[metric], strict=True)
                found |= {(row, (column,), metric): value for row, column, value in pairs}
        return found

    def _of(self, figures: dict[tuple[Any, Any, str], Any], row: Any, column: Column) -> Any:
        return figures.get((row, *column), adds_nothing(column[1]))

    def _total(self, columns: Sequence[Column]) -> list[Any]:
        overall = rows_of(self._frame, ALL if self.asked.by else EACH)
        found: dict[Column, Any] = {(OVERALL, metric): overall[metric].iloc[0] for metric in self.asked.metrics}
        if len(self.asked.by) > 1:
            across = totals_of(self._frame, self.asked.by[1], self.asked.by)
            for metric in self.asked.metrics:
                pairs = zip(across[self.asked.by[1]], across[metric], strict=True)
                found |= {((group,), metric): value for group, value in pairs}
        return [found[column] for column in columns]

    def _sorted(self, rows: list[Row], columns: Sequence[Column]) -> list[Row]:
        """By the column that was chosen, what is undefined last; by name in its own order."""
        chosen, is_most_first = self._sort or (None, False)
        if self._sort is None or (chosen is not None and chosen not in columns):
            return rows
        if chosen is None:
            by_name = rows if self.asked.by[0] in ORDERED else sorted(rows, key=lambda row: row[0].casefold())
            return by_name[::-1] if is_most_first else by_name
        place = columns.index(chosen)
        known = [row for row in rows if row[1][place] is not None]
        known.sort(key=lambda row: row[1][place], reverse=is_most_first)
        return known + [row for row in rows if row[1][place] is None]

    def _html(self, columns: Sequence[Column], body: Sequence[Row]) -> str:
        rows = [self._row(name, columns, figures) for name, figures in body]
        foot = f"<tfoot>{rows.pop()}</tfoot>" if self.asked.by else ""
        table = f"<table><thead>{self._heads(columns)}</thead><tbody>{''.join(rows)}</tbody>{foot}</table>"
        return (
            f'<div class="tall pivot scroll" tabindex="0" role="region" aria-label="{esc(self.heading)}">{table}</div>'
        )

    def _row(self, name: str, columns: Sequence[Column], figures: Sequence[Any]) -> str:
        pairs = zip(columns, figures, strict=True)
        cells = "".join(
            f'<td class="{_css(column)}">{esc(figure_text(column[1], value))}</td>' for column, value in pairs
        )
        return f'<tr><th scope="row">{esc(name)}</th>{cells}</tr>'

    def _heads(self, columns: Sequence[Column]) -> str:
        if not self.asked.by:
            heads = "".join(
                f'<th scope="col" class="number">{esc(self._unit(metric))}</th>' for _group, metric in columns
            )
            return f"<tr><td></td>{heads}</tr>"
        first = self._sorting(0, None, DIMENSIONS[self.asked.by[0]].label, "")
        if len(self.asked.by) < 2:
            return f"<tr>{first}{self._each(columns, [self._unit(metric) for _group, metric in columns])}</tr>"
        named = [self._group(column) for column in columns]
        if len(self.asked.metrics) == 1:
            return f"<tr>{first}{self._each(columns, named)}</tr>"
        width = len(self.asked.metrics)
        over = "".join(
            f'<th scope="colgroup" class="group" colspan="{width}">{esc(name)}</th>' for name in named[::width]
        )
        below = self._each(columns, [self._unit(metric) for _group, metric in columns])
        return f"<tr><td></td>{over}</tr><tr>{first}{below}</tr>"

    def _each(self, columns: Sequence[Column], texts: Sequence[str]) -> str:
        heads = enumerate(zip(columns, texts, strict=True), start=1)
        return "".join(self._sorting(number, column, text, _css(column)) for number, (column, text) in heads)

    def _sorting(self, number: int, column: Column | None, text: str, css: str) -> str:
        state = self._sort[1] if self._sort and self._sort[0] == column else None
        told, arrow = {None: ("none", ""), True: ("descending", " ↓"), False: ("ascending", " ↑")}[state]
        button = f'<button type="button" data-press="sort {number}">{esc(text)}{arrow}</button>'
        return f'<th scope="col" class="{css}" aria-sort="{told}">{button}</th>'

    def _group(self, column: Column) -> str:
        return _(OVERALL) if column[0] == OVERALL else self._names.of(self.asked.by[1], column[0][0])

    def _unit(self, metric: str) -> str:
        return unit_text(metric, self.currency)


def _css(column: Column) -> str:
    return "number of-all" if column[0] == OVERALL else "number"
