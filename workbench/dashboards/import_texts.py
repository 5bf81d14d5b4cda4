"""What the page Import shows of a file: how it was read, its first rows, verdicts, and what was imported before."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from markupsafe import Markup

from workbench import locale
from workbench.components.html import table_html
from workbench.components.theme import esc
from workbench.config.clock import StoreClock
from workbench.dashboards.changes_page import sale_link
from workbench.imports import DryRun, Import, Imported, ImportFile
from workbench.imports.files import money
from workbench.imports.reading import DELIMITERS, ENCODINGS
from workbench.words import counted, visible

KINDS = {"csv": "CSV", "xlsx": "Excel", "parquet": "Parquet"}
MOST_LETTERS = 60
TOTAL_HEADS = [("Verdict", False), ("Rows", True), ("Come to", True), ("For example", False)]
IMPORT_HEADS = [("Import", True), ("When", False), ("Who", False), ("File", False), ("Sales", True), ("Revenue", True)]
IMPORT_HEADS += [("Refused rows", True), ("First sale", False), ("State", False)]


def read_html(file: ImportFile) -> str:
    """How a file was read, and its first rows."""
    table = file.table
    assert table is not None
    found = [KINDS[table.kind], ENCODINGS.get(table.encoding, table.encoding)]
    found += [f"separated by {DELIMITERS.get(table.delimiter, table.delimiter)}s"] if table.delimiter else []
    found += [f"sheet {visible(table.sheet)}"] if table.sheet else []
    about = f"{visible(file.name)}: {', '.join(filter(None, found))}; {counted(table.rows, 'row')}."
    return f"<p>{esc(about)}</p>{_frame_html(file.first_rows())}"


def totals_html(found: DryRun) -> str:
    """Rows by verdict with what they come to, by how much that falls short of the file, and what is doubtful."""
    rows = [[visible(of.kind), locale.number(of.rows), money(of.value), _short(of.example, 200)] for of in found.totals]
    rows.append(["All", locale.number(sum(of.rows for of in found.totals)), money(found.value), ""])
    notes = [found.shortfall] if found.shortfall else []
    notes += [f"To look at: {doubt}" for doubt in found.doubts]
    new = f"New: {found.new}."
    said = "".join(f'<p class="note">{esc(visible(note))}</p>' for note in notes)
    return f"{table_html(TOTAL_HEADS, rows, totals=1, kind='wraps')}<p>{esc(new)}</p>{said}"


def verdicts_html(file: ImportFile, found: DryRun) -> str:
    """The first rows of each verdict, to be unfolded."""
    return "".join(
        f"<details><summary>{esc(visible(of.kind))}: the first of {locale.number(of.rows)}</summary>"
        f"{_frame_html(file.verdicts(of.kind))}</details>"
        for of in found.totals
    )


def imported_html(made: Imported) -> str:
    """What became of an import, with the way to its sales."""
    if made.import_id is None:
        return "<p>Nothing was imported: no row is new.</p>"
    said = (
        f"Import {made.import_id}: {counted(made.sales, 'sale')} with {counted(made.lines, 'line')}, revenue"
        f" {money(made.revenue)}, in {made.seconds:.1f} s."
    )
    return f"<p>{esc(said)} Its first sale is {sale_link(made.first_id)}.</p>"


def imports_html(found: Sequence[Import], clock: StoreClock) -> str:
    """The imports that were saved."""
    if not found:
        return '<p class="soft">Nothing was imported yet.</p>'
    return table_html(IMPORT_HEADS, (_import_cells(each, clock) for each in found))


def _import_cells(each: Import, clock: StoreClock) -> tuple[object, ...]:
    first: object = Markup("") if each.first_id is None or not each.sales_left else sale_link(each.first_id)
    if each.undone_at is not None:
        state = f"undone by {each.undone_by}" + (f", {locale.number(each.sales_left)} left" if each.sales_left else "")
    else:
        state = "all there" if each.sales_left == each.sales else f"{locale.number(each.sales_left)} left"
    name = _short(each.file_name)
    counts = locale.number(each.sales), money(each.revenue), locale.number(each.refused_rows)
    return each.import_id, clock.text(each.imported_at), each.actor, name, *counts, first, state


def _frame_html(frame: pd.DataFrame) -> str:
    heads = [(_short(str(name)), name == "Row") for name in frame.columns]
    rows = [
        ["" if value is None or pd.isna(value) else _short(str(value), 200) for value in row]
        for row in frame.itertuples(index=False)
    ]
    return table_html(heads, rows)


def _short(text: str, most: int = MOST_LETTERS) -> str:
    text = visible(text)
    return text if len(text) <= most else text[: most - 3] + "..."
