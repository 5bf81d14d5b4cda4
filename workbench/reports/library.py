"""The reports that there are: the notebooks that are shipped, and those of a folder of one's own."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from workbench.errors import ReportError
from workbench.reports.parameters import Parameter, read_parameters

NAME = re.compile(r"[a-z][a-z0-9_]*")
# What somebody's file may hold instead of a notebook: no JSON, other JSON, code that does not parse.
UNUSABLE = (ValueError, KeyError, IndexError, TypeError, AttributeError, SyntaxError, RecursionError)


@dataclass(frozen=True)
class Report:
    """A notebook that can be run: its name, its first heading, the sentence below that, and its parameters."""

    name: str
    path: Path
    title: str
    about: str
    parameters: tuple[Parameter, ...]


@cache
def reports_folder() -> Path:
    """The folder of report notebooks: inside an installed package, beside it in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "notebooks" / "reports"
    return inside if inside.is_dir() else package.parent / "notebooks" / "reports"


@dataclass(frozen=True)
class Library:
    """The notebooks of a folder by name: those that are reports, and why each of the others is none."""

    reports: tuple[Report, ...]
    problems: dict[str, str]


def library(*own: Path | None) -> Library:
    """Those that are shipped, then those of one's ``own`` folders.

    A draft that cannot be used is out, with its message, as one whose name is taken; the others are there.
    """
    found: dict[str, Report] = {}
    problems: dict[str, str] = {}
    for folder in filter(None, (reports_folder(), *own)):
        if not folder.is_dir():
            problems[str(folder)] = f"There is no folder {folder}, in which reports are looked for."
        for path in sorted(folder.glob("*.ipynb")):
            try:
                report = read_report(path)
            except ReportError as error:
                problems[path.stem] = str(error)
                continue
            if report.name in found:
                problems[str(path)] = f"{path} is left out: there is a report {report.name} already. Rename it."
            else:
                found[report.name] = report
    return Library(tuple(found.values()), problems)


def find_report(name: str, *own: Path | None) -> Report:
    """The report of this name, which is looked up among those that there are: a path is never made of it."""
    there = library(*own)
    for report in there.reports:
        if report.name == name:
            return report
    if name in there.problems:
        raise ReportError(there.problems[name])
    names = ", ".join(report.name for report in there.reports) or "none"
    raise ReportError(f"There is no report {name[:60]!r}. There are {names}.")


def read_report(path: Path) -> Report:
    """The report that a notebook is. Raises ReportError."""
    if not NAME.fullmatch(path.stem):
        raise ReportError(f"{path.name} is left out: a report's name is lower case letters, digits and _.")
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return _report(path, cells)
    except ReportError as error:
        raise ReportError(f"{path.name}: {error}") from None
    except OSError as error:
        raise ReportError(f"{path} cannot be read: {error.strerror}.") from None
    except UNUSABLE as error:
        raise ReportError(f"{path.name} is no notebook that can be run: {type(error).__name__}: {error}") from None


def _report(path: Path, cells: list[dict[str, Any]]) -> Report:
    tagged = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    if len(tagged) > 1:
        raise ReportError("it has more than one cell with the tag parameters")
    first = _text(cells[0]) if cells and cells[0]["cell_type"] == "markdown" else ""
    title, _, rest = first.partition("\n")
    if not title.startswith("# "):
        raise ReportError("its first cell does not begin with a title (# ...)")
    about = next((part.strip() for part in rest.split("\n\n") if part.strip()), "")
    parameters = read_parameters(_text(tagged[0])) if tagged else ()
    return Report(path.stem, path, title.removeprefix("# ").strip(), " ".join(about.split()), parameters)


def _text(cell: dict[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)
