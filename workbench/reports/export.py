"""A report that has run, as one file: HTML that asks no network for anything, the notebook itself, or PDF."""

from __future__ import annotations

import copy
from typing import Literal

import nbformat
from nbconvert import HTMLExporter
from nbformat import NotebookNode

from workbench.files.chromium import printed
from workbench.locale import _
from workbench.reports.html_page import page
from workbench.reports.run import Finished
from workbench.reports.texts import engines_text, shown
from workbench.words import heading

Format = Literal["html", "ipynb", "pdf"]


def export(finished: Finished, kind: Format) -> bytes:
    """The report in a format. Raises FileRefused when it should be PDF and there is no Chromium."""
    if kind == "ipynb":
        return nbformat.writes(finished.notebook).encode()
    text = html(finished)
    return printed(text) if kind == "pdf" else text.encode()


def html(finished: Finished) -> str:
    """A page of prose, tables, pictures and charts, without code, under a heading with what it was run with."""
    values = {"moment": finished.clock.text(finished.ran_at), "who": finished.by, "currency": finished.currency}
    source = _("Run {moment} by {who}. Money in {currency}.", **values)
    if finished.as_of:
        values = {"engine": engines_text(finished.engine), "moment": finished.clock.text(finished.as_of)}
        source = f"{_('Answered by the {engine}, data as of {moment}.', **values)} {source}"
    kinds = finished.report.kinds
    given = {heading(name): shown(value, kinds.get(name)) for name, value in finished.values.items()}
    return page(_(finished.report.title), given, source, _body(finished.notebook))


def _body(notebook: NotebookNode) -> str:
    """The notebook's prose and outputs; its title stands in the page's heading."""
    shown = copy.deepcopy(notebook)
    shown.cells[0].source = shown.cells[0].source.partition("\n")[2]
    exporter = HTMLExporter(
        template_name="basic", exclude_input=True, exclude_input_prompt=True, exclude_output_prompt=True
    )
    return str(exporter.from_notebook_node(shown)[0])
