"""Each figure that is measured: its unit, what it is compared with, what is to be reached, and what its limit is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """``most`` is the target of the figure, ``times`` that of its ratio to the figure named ``of``.

    Both are upper bounds, for ``is_more_better`` lower ones. ``limit`` says where the time goes and what bounds it.
    """

    name: str
    label: str
    unit: str
    most: float | None = None
    of: str = ""
    times: float | None = None
    is_more_better: bool = False
    limit: str = ""


FILTERS = ("no filter", "one filter", "two filters", "three filters")
_ASKED = "two thirds are DuckDB, which reads once more for each filter that a bar leaves out; the rest makes frames"
_OVERVIEW = [
    Kind(f"overview_{days}_{count}", f"overview of {label}, {filters}, p95", "ms", most, limit=_ASKED)
    for days, label, most in (("30", "30 days", 60), ("all", "all days", 150))
    for count, filters in enumerate(FILTERS)
]


def _saves(name: str, clients: str, times: float) -> list[Kind]:
    statement = f"by pgbench, {clients}"
    return [
        Kind(
            f"bare_{name}", f"the statement of a save {statement}, bare tables", "saves/s", limit="the master's commit"
        ),
        Kind(
            f"pgbench_{name}",
            f"the same {statement}, with totals and audit",
            "saves/s",
            of=f"bare_{name}",
            is_more_better=True,
            limit="the totals and the audit entry, at commit",
        ),
        Kind(
            name,
            f"{clients} that save".replace("one client that save", "one client that saves"),
            "saves/s",
            of=f"bare_{name}",
            times=times,
            is_more_better=True,
            limit="checking, building the statement, exchanges; one process computes on one core",
        ),
    ]


KINDS: tuple[Kind, ...] = (
    Kind("pass", "one pass over both tables by SQL", "ms", limit="PostgreSQL reads and sums every row"),
    Kind("copy_out", "COPY of both tables to a file", "s", limit="one core of the server writes text"),
    Kind("copied", "both tables copied into the columns", "s", 5, "copy_out", 4, limit="the server's COPY"),
    Kind("reopened", "the columns again, from their file", "ms", 500, limit="opening the file"),
    Kind("columns_memory", "memory of the columns", "MB", 500, limit="DuckDB's pages, bounded by WORKBENCH_COLUMNS_MB"),
    Kind("saved_to_read", "a sale saved to its figures read, p95", "ms", 50, limit="a dozen statements of DuckDB"),
    *_OVERVIEW,
    Kind("tiles_most", "the slowest of these and of the other tabs", "ms", 300, limit=_ASKED),
    Kind("baskets_most", "pairs of products in baskets, the slowest", "ms", 2000, limit="joins every sale with itself"),
    Kind("table_of_sales", "the table of sales by its slowest sort, p95", "ms", 30, limit="sorting and counting"),
    Kind("exchanges", "exchanges of a save with the master", "", 2, limit="a statement, and the position after it"),
    *_saves("one_client", "one client", 0.35),
    *_saves("eight_clients", "eight clients", 0.25),
    Kind("empty", "address to an empty page of the same template", "s", limit="the browser loads scripts"),
    Kind("first_figures", "address to first figures", "s", None, "empty", 1.6, limit="tiles; the browser's layout"),
    Kind("first_chart", "address to the first chart", "s", None, "empty", limit="copying the chart; Bokeh draws it"),
    Kind("scrolled", "address to every tile drawn, scrolled through", "s", None, "empty", 2.5, limit="nine charts"),
    Kind("server_to_open", "computing of the server to open a page", "s", limit="making Panel's and Bokeh's models"),
    Kind("fresh", "a process started to its first page", "s", 3, limit="importing Panel, HoloViews and pandas"),
    Kind("filter", "a filter chosen to every visible tile redrawn, p95", "s", 0.25, limit="drawing charts"),
    Kind("tab", "back to a tab that was seen, median", "s", 0.1, limit="the browser's layout"),
    Kind("models", "models with the first screen", "", 200, limit="widgets of the filter bar, and one chart"),
    Kind("received", "bytes of the websocket at opening", "kB", 250, limit="style sheets, options of lists, the chart"),
    Kind("shift", "layout shift (CLS)", "", 0.05, limit="what comes has another height than its place had"),
)


def watched(pages: int, processes: int = 1) -> tuple[Kind, ...]:
    """What is measured with so many pages open, in the order of the figures."""
    most = {50: 1.5, 100: 3.0}.get(pages) if processes == 1 else None
    open_ = f"{pages} pages open" if processes == 1 else f"{pages} pages open in {processes} processes"
    of = f"{pages}" if processes == 1 else f"{pages}_{processes}"
    return (
        Kind(f"last_page_{of}", f"{open_}: commit to the last page's figures, p95", "s", most, limit=_ONE_THREAD),
        Kind(f"change_{of}", f"{open_}: one change, computing a page", "ms", 15, limit="tiles that differ, drawn"),
        Kind(f"memory_{of}", f"{open_}: memory a page", "MB", 5, limit="models of Panel and of Bokeh"),
    )


_ONE_THREAD = "one thread draws all pages of a process; a page rests five times as long as it was busy"


def judged(kind: Kind, figures: Mapping[str, float]) -> tuple[float | None, bool | None]:
    """The ratio of a figure to what it is compared with, and whether all its targets are reached; None for none."""
    value, base = figures[kind.name], figures.get(kind.of)
    ratio = value / base if base else None
    bounds = [(value, kind.most), (ratio, kind.times)]
    reached = [
        found >= bound if kind.is_more_better else found <= bound
        for found, bound in bounds
        if found is not None and bound is not None
    ]
    return ratio, all(reached) if reached else None
