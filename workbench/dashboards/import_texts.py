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
from workbench.imports.files import Total, money
from workbench.imports.reading import ENCODINGS
from workbench.locale import N_, _
from workbench.words import counted, visible

KINDS = {"csv": "CSV", "xlsx": "Excel", "parquet": "Parquet"}
MOST_LETTERS = 60
SEPARATED = {
    ",": N_("separated by commas"),
    ";": N_("separated by semicolons"),
    "\t": N_("separated by tabs"),
    "|": N_("separated by bars"),
}
TOTAL_HEADS = [(N_("Verdict"), False), (N_("Rows"), True), (N_("Come to"), True), (N_("For example"), False)]
IMPORT_HEADS = [(N_("Import"), True), (N_("When"), False), (N_("Who"), False), (N_("File"), False)]
IMPORT_HEADS += [(N_("Sales"), True), (N_("Revenue"), True), (N_("Refused rows"), True), (N_("First sale"), False)]
IMPORT_HEADS += [(N_("State"), False)]


def read_html(file: ImportFile) -> str:
    """How a file was read, and its first rows."""
    table = file.table
    assert table is not None
    found = [KINDS[table.kind], _(ENCODINGS.get(table.encoding, table.encoding))]
    found += [_(SEPARATED.get(table.delimiter, table.delimiter))] if table.delimiter else []
    found += [_("sheet {sheet}", sheet=visible(table.sheet))] if table.sheet else []
    about = f"{visible(file.name)}: {', '.join(filter(None, found))}; {counted(table.rows, 'row')}."
    return f"<p>{esc(about)}</p>{_frame_html(file.first_rows())}"


def totals_html(found: DryRun) -> str:
    """Rows by verdict with what they come to, by how much that falls short of the file, and what is doubtful."""
    rows = [
        [visible(_(of.kind)), locale.number(of.rows), money(of.value), _short(of.example, 200)] for of in found.totals
    ]
    rows.append([_("All"), locale.number(sum(of.rows for of in found.totals)), money(found.value), ""])
    notes = [found.shortfall] if found.shortfall else []
    notes += [_("To look at: {doubt}", doubt=doubt) for doubt in found.doubts]
    new = _("New: {what}.", what=found.new)
    said = "".join(f'<p class="note">{esc(visible(note))}</p>' for note in notes)
    heads = [(_(head), is_number) for head, is_number in TOTAL_HEADS]
    return f"{table_html(heads, rows, totals=1, kind='wraps')}<p>{esc(new)}</p>{said}"


def verdicts_html(file: ImportFile, found: DryRun) -> str:
    """The first rows of each verdict, to be unfolded."""
    return "".join(
        f"<details><summary>{esc(visible(_first_of(of)))}</summary>{_frame_html(file.verdicts(of.kind))}</details>"
        for of in found.totals
    )


def _first_of(of: Total) -> str:
    return _("{verdict}: the first of {n}", **{"verdict": _(of.kind), "n": locale.number(of.rows)})


def imported_html(made: Imported) -> str:
    """What became of an import, with the way to its sales."""
    if made.import_id is None:
        return f"<p>{_('Nothing was imported: no row is new.')}</p>"
    of = {"n": made.import_id, "sales": counted(made.sales, "sale"), "lines": counted(made.lines, "line")}
    of |= {"amount": money(made.revenue), "seconds": locale.number(made.seconds, 1)}
    said = _("Import {n}: {sales} with {lines}, revenue {amount}, in {seconds} s.", **of)
    return f"<p>{esc(said)} {_('Its first sale is {sale}.', sale=sale_link(made.first_id))}</p>"


def imports_html(found: Sequence[Import], clock: StoreClock) -> str:
    """The imports that were saved."""
    if not found:
        return f'<p class="soft">{_("Nothing was imported yet.")}</p>'
    heads = [(_(head), is_number) for head, is_number in IMPORT_HEADS]
    return table_html(heads, (_import_cells(each, clock) for each in found))


def _import_cells(each: Import, clock: StoreClock) -> tuple[object, ...]:
    first: object = Markup("") if each.first_id is None or not each.sales_left else sale_link(each.first_id)
    left = _("{n} left", n=locale.number(each.sales_left))
    if each.undone_at is not None:
        state = _("undone by {who}", who=each.undone_by) + (f", {left}" if each.sales_left else "")
    else:
        state = _("all there") if each.sales_left == each.sales else left
    name = _short(each.file_name)
    counts = locale.number(each.sales), money(each.revenue), locale.number(each.refused_rows)
    return each.import_id, clock.text(each.imported_at), each.actor, name, *counts, first, state


def _frame_html(frame: pd.DataFrame) -> str:
    heads = [(_short(str(name)), name == _("Row")) for name in frame.columns]
    rows = [
        ["" if value is None or pd.isna(value) else _short(str(value), 200) for value in row]
        for row in frame.itertuples(index=False)
    ]
    return table_html(heads, rows)


def _short(text: str, most: int = MOST_LETTERS) -> str:
    text = visible(text)
    return text if len(text) <= most else text[: most - 3] + "..."
