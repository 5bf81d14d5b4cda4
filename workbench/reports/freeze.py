"""Notebooks of what is looked at: a view frozen with its figures, or a question that is asked again."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pandas as pd

from workbench import locale
from workbench.catalogue.names import NO_NAMES, Names
from workbench.config.clock import StoreClock, find_zone
from workbench.database.failures import called
from workbench.database.replication import Answer
from workbench.errors import ReportError
from workbench.filters import Filters
from workbench.filters.question import heading_of
from workbench.locale import N_, _, english
from workbench.metrics import DIMENSION_OF, METRICS, SPANS, Where
from workbench.reports.data import ReportData
from workbench.reports.html import Table
from workbench.words import counted, label

Ask = Callable[[Sequence[str], Sequence[str], Where], Answer[pd.DataFrame]]

# What is frozen: every metric in total, and what the page's charts show.
QUESTIONS: tuple[tuple[str | None, tuple[str, ...]], ...] = (
    (None, tuple(METRICS)),
    ("day", ("revenue", "sales")),
    ("store", ("revenue", "sales")),
    ("cashier", ("revenue", "sales")),
    ("payment_method", ("revenue", "sales")),
    ("category", ("revenue", "items_sold")),
    ("product", ("revenue", "items_sold")),
)
ABOUT = """# Frozen view

The figures that the page Analytics showed as of {moment}, and what has become of them.

The next cell holds the filter and the figures as data. Run all cells: the same is asked again, and each figure that is
not the same any more is listed with its change. As it stands it holds what it showed then: `pytest --nbval` on it
fails once a figure has changed."""
HOLD = """from workbench.reports import FrozenView, ReportData, table

frozen = FrozenView.read(
{lines}
)
table(frozen.about())"""
CHANGES = """data = ReportData()
changes = frozen.changes(data)
print(frozen.counted(changes))
table(changes)"""
TOTALS = "table(frozen.totals(data))"

Key = tuple[str | None, Any, str]  # dimension (None: in total), group, metric


@dataclass(frozen=True)
class FrozenView:
    """A filter with the figures that it gave; ``figures`` are the texts of Decimals and ints, None where undefined."""

    where: Where
    engine: str
    as_of: datetime
    figures: dict[Key, str | None]
    timezone: str = "UTC"  # of the stores' clock

    @classmethod
    def of(cls, ask: Ask, where: Where, timezone: str = "UTC") -> FrozenView:
        """What ``ask`` answers now. Raises what it raises."""
        answers = [(by, names, ask(names, () if by is None else (by,), where)) for by, names in QUESTIONS]
        figures = {key: value for by, names, answer in answers for key, value in _figures(by, names, answer.value)}
        oldest = Answer.oldest(answer for _, _, answer in answers)
        return cls(where, oldest.engine, oldest.as_of, figures, timezone)

    @classmethod
    def read(cls, text: str) -> FrozenView:
        """What ``write`` wrote. Raises ReportError for anything else, and for metrics that there are no more."""
        try:
            held = json.loads(text)
            figures = {(by, group, metric): value for by, group, metric, value in held["figures"]}
            as_of, timezone = datetime.fromisoformat(held["as_of"]), held.get("timezone", "UTC")
            where = _where(held["where"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            cause = f"{type(error).__name__}: {error}"
            raise ReportError(f"This is no frozen view of this version, or was changed by hand ({cause}).") from None
        if unknown := sorted({metric for _, _, metric in figures} - set(METRICS)):
            raise ReportError(f"This view was frozen with the metric {unknown[0]!r}, which this version does not have.")
        return cls(where, held["engine"], as_of, figures, timezone)

    def write(self) -> str:
        """The view as JSON, a figure a line, in ASCII."""
        given = _given(self.where)
        head = {"engine": self.engine, "as_of": self.as_of.isoformat(), "timezone": self.timezone, "where": given}
        lines = ",\n".join(json.dumps([*key, value]) for key, value in self.figures.items())
        return f'{json.dumps(head, default=str)[:-1]},\n"figures": [\n{lines}\n]}}'

    def notebook(self) -> str:
        """The notebook. Names from the database stand in it inside literals that Python itself has written."""
        import nbformat  # its validator takes as long to import as the whole page
        from nbformat import v4

        lines = "\n".join(f"    {line!r}" for line in self.write().splitlines())
        nothing, totals = _table([]), _table([(key, *2 * (value,)) for key, value in self._in_total])
        parts = (
            (ABOUT.format(moment=self._as_of_text), HOLD.format(lines=lines), "", self.about()),
            ("## What has changed", CHANGES, self.counted(nothing), nothing),
            ("## Totals", TOTALS, "", totals),
        )
        cells = []
        for number, (prose, code, printed, shown) in enumerate(parts, start=1):
            outputs = [v4.new_output("stream", name="stdout", text=f"{printed}\n")] if printed else []
            data = {"text/plain": repr(Table(shown)), "text/html": Table(shown)._repr_html_()}
            outputs.append(v4.new_output("execute_result", data=data, execution_count=number))
            cells.append(v4.new_markdown_cell(prose))
            cells.append(v4.new_code_cell(code, outputs=outputs, execution_count=number))
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        return str(nbformat.writes(v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})))

    def counted(self, changes: pd.DataFrame) -> str:
        """How many figures have changed, in words."""
        return f"Of {english(counted(len(self.figures), 'figure'))}, {locale.number(len(changes))} changed"

    @property
    def _in_total(self) -> list[tuple[Key, str | None]]:
        return [(key, value) for key, value in self.figures.items() if key[0] is None]

    @property
    def _as_of_text(self) -> str:
        return StoreClock(find_zone(self.timezone)).text(self.as_of)

    def about(self) -> pd.DataFrame:
        """The filter, the engine and the as-of, as two columns of text."""
        rows = [[name, value] for name, value in in_words(self.where).items()]
        rows += [["Answered by", english(called(self.engine))], ["Data as of", self._as_of_text]]
        return pd.DataFrame(rows, columns=["what", "value"], dtype=object)

    def changes(self, data: ReportData) -> pd.DataFrame:
        """A row for each figure that is another now: ``metric``, ``by``, ``group``, ``frozen``, ``now``, ``change``.

        A group that was not there, or is there no more, counts as zero. The change is None where one is undefined.
        """
        now = FrozenView.of(data.answer, self.where).figures
        keys = [key for key in {**self.figures, **now} if self.figures.get(key) != now.get(key)]
        return _table([(key, self.figures.get(key, "0"), now.get(key, "0")) for key in keys])

    def totals(self, data: ReportData) -> pd.DataFrame:
        """Every metric in total, as ``changes`` shows it, changed or not."""
        now = FrozenView.of(data.answer, self.where).figures
        return _table([(key, value, now[key]) for key, value in self._in_total])


def _figures(by: str | None, metrics: Sequence[str], frame: pd.DataFrame) -> list[tuple[Key, str | None]]:
    groups = [None] * len(frame) if by is None else [_plain(group) for group in frame[by].tolist()]
    columns = {metric: frame[metric].tolist() for metric in metrics}
    return [
        ((by, group, metric), None if values[row] is None else str(values[row]))
        for row, group in enumerate(groups)
        for metric, values in columns.items()
    ]


def _plain(group: Any) -> Any:
    return f"{group:%Y-%m-%d}" if isinstance(group, pd.Timestamp) else group


def _table(rows: Sequence[tuple[Key, str | None, str | None]]) -> pd.DataFrame:
    shown = []
    for (by, group, metric), then, now in rows:
        before, after = _number(metric, then), _number(metric, now)
        change = None if before is None or after is None else after - before
        where = ("in total", "") if by is None else (label(by), "(none)" if group is None else str(group))
        shown.append([METRICS[metric].english, *where, before, after, change])
    return pd.DataFrame(shown, columns=["metric", "by", "group", "frozen", "now", "change"], dtype=object)


def _number(metric: str, text: str | None) -> Decimal | int | None:
    if text is None:
        return None
    if METRICS[metric].unit == "count":
        return int(text)
    return Decimal(text).quantize(Decimal("0.01"))


def _shown(value: Any, names: Mapping[Any, str]) -> str:
    if isinstance(value, tuple):
        return ", ".join("(none)" if one is None else names.get(one, str(one)) for one in value)
    return str(value)


def in_words(where: Where, names: Names = NO_NAMES) -> dict[str, str]:
    """What is narrowed to what, as texts; by ``names`` where values have any."""
    return {label(name): _shown(value, names.of(DIMENSION_OF.get(name, ""))) for name, value in _given(where).items()}


def _given(where: Where) -> dict[str, Any]:
    return {name: value for name, value in dataclasses.asdict(where).items() if value not in (None, ())}


def _where(given: dict[str, Any]) -> Where:
    """The filter, whose days and times are texts in JSON."""
    for name, read in {
        "date_from": date.fromisoformat,
        "date_to": date.fromisoformat,
        "time_from": time.fromisoformat,
        "time_to": time.fromisoformat,
        "before": datetime.fromisoformat,
    }.items():
        if given.get(name):
            given[name] = read(given[name])
    return Where(**given)


ABOUT_QUESTION = N_("""# {title}

What the page Explore showed, asked again whenever the next cell runs. `figures` gives numbers ready to be drawn; with
`exact=True` they are Decimal.""")
ASK = """import datetime

from workbench import Filters, connect, figures

import hvplot.pandas  # gives frames their hvplot; after workbench, which makes the notebook ready to draw

wb = connect()
filters = {filters!r}
metrics = {metrics!r}
frame = figures.ask(wb, metrics, by={by!r}, where=filters)
frame"""
EACH_ASKED = N_("Each total is asked like every other figure: customers, averages and rates do not add up.")


def question_notebook(metrics: Sequence[str], by: Sequence[str], filters: Filters) -> str:
    """The notebook. Values from the database stand in it inside literals that Python itself has written."""
    from nbformat import v4, writes  # its validator takes as long to import as a page

    ask = ASK.format(filters=filters, metrics=list(metrics), by=list(by))
    cells = [
        v4.new_markdown_cell(_(ABOUT_QUESTION, title=heading_of(metrics, by))),
        v4.new_code_cell(ask if "datetime." in ask.partition("wb =")[2] else ask.removeprefix("import datetime\n\n")),
        *(v4.new_code_cell(_drawn(metric, by)) for metric in metrics if by),
    ]
    if by:
        cells += [v4.new_markdown_cell(_(EACH_ASKED))]
        parts = dict.fromkeys([*((name,) for name in by if len(by) > 1), ()])
        cells += [v4.new_code_cell(f"figures.ask(wb, metrics, by={list(part)!r}, where=filters)") for part in parts]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return str(writes(v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})))


def _drawn(metric: str, by: Sequence[str]) -> str:
    """A line over time, bars, or cells, as on the page."""
    look = f"title={METRICS[metric].label!r}"
    times = [name for name in by if name == "day" or name in SPANS]
    if times:
        others = "".join(f", by={name!r}" for name in by if name != times[0])
        return f"frame.hvplot.line(x={times[0]!r}, y={metric!r}{others}, {look})"
    if len(by) == 1:
        return f"frame.astype({{{by[0]!r}: str}}).hvplot.barh(x={by[0]!r}, y={metric!r}, {look})"
    return f"frame.hvplot.heatmap(x={by[1]!r}, y={by[0]!r}, C={metric!r}, {look})"
