"""A report that has run, as one file: HTML that asks no network for anything, the notebook itself, or PDF."""

from __future__ import annotations

import copy
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Literal

import nbformat
from bokeh.resources import INLINE
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from nbconvert import HTMLExporter
from nbformat import NotebookNode

from workbench.errors import ReportError
from workbench.reports.charts import CLASS
from workbench.reports.parameters import Value
from workbench.reports.run import Finished
from workbench.words import label

Format = Literal["html", "ipynb", "pdf"]
FOLDER = Path(__file__).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PRINT_SECONDS = 90
DRAWING_MS = 10_000  # of the page's own clock: until its charts are drawn


def export(finished: Finished, kind: Format) -> bytes:
    """The report in a format. Raises ReportError when it should be PDF and there is no Chromium."""
    if kind == "ipynb":
        return nbformat.writes(finished.notebook).encode()
    page = html(finished)
    return pdf(page) if kind == "pdf" else page.encode()


def html(finished: Finished) -> str:
    """A page of prose, tables, pictures and charts, without code, under a heading with what it was run with."""
    body = _body(finished.notebook)
    has_charts = f'class="{CLASS}"' in body
    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("page.html.j2").render(
        report=finished.report,
        values={label(name): shown(value) for name, value in finished.values.items()},
        engine=finished.engine,
        as_of=finished.as_of and finished.clock.text(finished.as_of),
        ran_at=finished.clock.text(finished.ran_at),
        by=finished.by,
        currency=finished.currency,
        css=Markup((FOLDER / "page.css").read_text(encoding="utf-8")),  # ours
        scripts=[Markup(text) for text in _bokeh()] if has_charts else [],  # Bokeh's own
        body=Markup(body),  # made from the report's notebook, which escapes what it shows
    )


def shown(value: Value) -> str:
    """A parameter's value as people read it."""
    return "all" if value is None else str(value)


def pdf(page: str) -> bytes:
    """The page as Chromium prints it. Raises ReportError when Chromium is missing or fails."""
    browser = refuse_pdf_without_browser()
    with tempfile.TemporaryDirectory(prefix="workbench-pdf-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "report.html").write_text(page, encoding="utf-8")
        options = [
            "--headless",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-pdf-header-footer",
            f"--user-data-dir={folder / 'profile'}",
            f"--virtual-time-budget={DRAWING_MS}",
            f"--print-to-pdf={folder / 'report.pdf'}",
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            options.append("--no-sandbox")  # Chromium refuses to run as root with it; the page is our own
        try:
            subprocess.run(
                [browser, *options, (folder / "report.html").as_uri()], capture_output=True, timeout=PRINT_SECONDS
            )
            return (folder / "report.pdf").read_bytes()
        except (subprocess.TimeoutExpired, OSError) as error:
            raise ReportError(f"Chromium ({browser}) did not print the report: {type(error).__name__}.") from None


def refuse_pdf_without_browser() -> str:
    """The path of a Chromium. Raises ReportError: better before a report is run than after it."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        raise ReportError("A PDF needs Chromium, which was not found: install it, or choose html.")
    return found


def _body(notebook: NotebookNode) -> str:
    """The notebook's prose and outputs; its title stands in the page's heading."""
    shown = copy.deepcopy(notebook)
    shown.cells[0].source = shown.cells[0].source.partition("\n")[2]
    exporter = HTMLExporter(
        template_name="basic", exclude_input=True, exclude_input_prompt=True, exclude_output_prompt=True
    )
    return str(exporter.from_notebook_node(shown)[0])


def _bokeh() -> list[str]:
    """BokehJS, as far as figures need it."""
    resources = INLINE.clone(components=["bokeh"])
    return list(resources.js_raw)
