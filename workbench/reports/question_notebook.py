"""A question as a notebook that asks it again: by figures, drawn by hvplot, with its totals."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.filters import Filters
from workbench.filters.question import heading_of
from workbench.locale import N_, _
from workbench.metrics import METRICS, SPANS

ABOUT = N_("""# {title}

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
TOTALS = N_("Each total is asked like every other figure: customers, averages and rates do not add up.")


def question_notebook(metrics: Sequence[str], by: Sequence[str], filters: Filters) -> str:
    """The notebook. Values from the database stand in it inside literals that Python itself has written."""
    from nbformat import v4, writes  # its validator takes as long to import as a page

    ask = ASK.format(filters=filters, metrics=list(metrics), by=list(by))
    cells = [
        v4.new_markdown_cell(_(ABOUT, title=heading_of(metrics, by))),
        v4.new_code_cell(ask if "datetime." in ask.partition("wb =")[2] else ask.removeprefix("import datetime\n\n")),
        *(v4.new_code_cell(_drawn(metric, by)) for metric in metrics if by),
    ]
    if by:
        cells += [v4.new_markdown_cell(_(TOTALS))]
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
