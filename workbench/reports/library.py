"""The reports that there are, shipped or of one's own, and their parameters, checked before anything runs."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

from workbench import locale
from workbench.errors import ParameterRefused, ReportError
from workbench.locale import N_, _, in_sentence
from workbench.sales.models import EARLIEST, LATEST
from workbench.words import hidden

# What a notebook writes for them. Both are ISO text, so that papermill alone can set them too.
Day = str
Month = str


class Between:
    """A whole number from the one to the other: ``top: Between[1, 50] = 15``."""

    def __class_getitem__(cls, bounds: tuple[int, int]) -> type[int]:
        return int


Kind = Literal["int", "str", "date", "month", "choice"]
Value = int | str | None
KINDS: dict[str, Kind] = {"int": "int", "str": "str", "Day": "date", "Month": "month"}
MOST_LETTERS = 200
MOST_DIGITS = 9
ANY_NUMBER = (1 - 10**MOST_DIGITS, 10**MOST_DIGITS - 1)
FIRST_YEAR, LAST_YEAR = EARLIEST.year, LATEST.year - 1
YEARS = {"first": FIRST_YEAR, "last": LAST_YEAR}
EXAMPLE = date(2026, 10, 31)
# Which day of a period is meant, or which month of it.
EDGES = {"first": N_("first of {period}"), "last": N_("last of {period}")}
# What the reports that are shipped are called, and are of: theirs stands in their notebooks. Others read as they are.
SHIPPED = (
    *(N_("Daily sales by store"), N_("What each store sold on each day of a month, and what that adds up to.")),
    *(N_("Month in review"), N_("A month beside the month before it and the same month a year earlier.")),
    *(
        N_("Product performance"),
        N_("Which products bring the revenue, what is bought together, and what prices and discounts did."),
    ),
    *(N_("Reconciliation"), N_("Do the replica and RisingWave show what the master holds?")),
    *(N_("The month to report"), N_("The month to compare"), N_("Days after this one are left out")),
    *(N_("One store; nothing for all stores"), N_("One category; nothing for all")),
    *(N_("What the list of products is sorted by"), N_("How many products and pairs are listed")),
)


@dataclass(frozen=True)
class Parameter:
    """One parameter: ``default`` is what the notebook holds, ``about`` its comment, ``choices`` those of a choice.

    ``bounds`` are the least and the most that a number may be.
    """

    name: str
    kind: Kind
    default: Value
    about: str = ""
    choices: tuple[str, ...] = ()
    is_optional: bool = False
    bounds: tuple[int, int] = ANY_NUMBER

    @property
    def allowed(self) -> str:
        """What may be given, in words."""
        words = {
            "int": self._numbers,
            "str": _("a text of at most {n} characters, all of which can be seen", n=MOST_LETTERS),
            "date": _(
                "a day from {first} to {last}, as {day}, yesterday or first of last week",
                **YEARS,
                day=locale.day(EXAMPLE),
            ),
            "month": _("a month from {first} to {last}, as 2026-10 or last month", **YEARS),
            "choice": _("one of {names}", names=", ".join(self.choices)),
        }[self.kind]
        return _("{allowed}, or nothing", allowed=words) if self.is_optional else words

    def proposed(self, today: date) -> Value:
        """The default outside the notebook's own tests, which stand still: the last whole day or month."""
        if self.default is None or self.kind not in ("date", "month"):
            return self.default
        if self.kind == "date":
            return f"{today - timedelta(days=1):%Y-%m-%d}"
        return f"{today.replace(day=1) - timedelta(days=1):%Y-%m}"

    def plain(self, text: str) -> str:
        """What is typed as here as files have it: days are ISO, numbers without groups, periods named in English."""
        if self.kind == "int":
            return locale.plain_whole(text)
        if self.kind == "date":
            with suppress(ValueError):
                return locale.read_day(text).isoformat()
        return english_period(text) if self.kind in ("date", "month") else text

    def meant(self, typed: str, today: date) -> str:
        """The day or the month that a period's name stands for, as ``last month`` does; any other text ``plain``.

        Raises ParameterRefused for a period of more than one, of which ``first of`` or ``last of`` has to say which.
        """
        edge, period = _named(typed) if self.kind in ("date", "month") else ("", None)
        if period is None:
            return self.plain(typed)
        from workbench.filters.periods import days_of

        first, last = days_of(period, today, (None, None))
        if first is None or last is None:
            return typed
        letters = 10 if self.kind == "date" else 7
        begin, end = first.isoformat()[:letters], last.isoformat()[:letters]
        if begin != end and not edge:
            said = (
                _("{name}={value} is more than one day: write {first}, or {last}.")
                if self.kind == "date"
                else _("{name}={value} is more than one month: write {first}, or {last}.")
            )
            edges = {name: _(words, period=typed) for name, words in EDGES.items()}
            raise ParameterRefused(said.format(name=self.name, value=repr(typed), **edges))
        return begin if edge != "last" else end

    def parse(self, text: str) -> Value:
        """The value that ``text`` stands for. Raises ParameterRefused."""
        if not text and self.is_optional:
            return None
        parse = {"int": self._int, "str": _as_text, "date": _day, "month": _month, "choice": self._choice}[self.kind]
        value = parse(text)
        if value is None:
            values = {"name": self.name, "value": repr(text[:60]), "allowed": self.allowed}
            raise ParameterRefused(_("{name}={value} cannot be used: give {allowed}.", **values))
        return value

    @property
    def _numbers(self) -> str:
        if self.bounds == ANY_NUMBER:
            return _("a whole number of at most {n} digits", n=MOST_DIGITS)
        low, high = map(locale.number, self.bounds)
        return _("a whole number from {low} to {high}", low=low, high=high)

    def _int(self, text: str) -> Value:
        if not re.fullmatch(rf"-?[0-9]{{1,{MOST_DIGITS}}}", text, re.ASCII):
            return None
        return number if self.bounds[0] <= (number := int(text)) <= self.bounds[1] else None

    def _choice(self, text: str) -> Value:
        return text if text in self.choices else None


def english_period(text: str) -> str:
    """``first of last week`` for what says so in the language of the locale; any text that names no period as it is."""
    edge, period = _named(text)
    if period is None:
        return text
    named = period.replace("_", " ")
    return EDGES[edge].format(period=named) if edge else named


def shown_period(text: str) -> str:
    """The other way round."""
    edge, period = _named(text)
    if period is None:
        return text
    from workbench.filters.periods import PERIODS

    named = in_sentence(_(PERIODS[period]))
    return _(EDGES[edge], period=named) if edge else named


def _named(text: str) -> tuple[str, str | None]:
    """Which end of which period is meant, in English or the language of the locale; None for no period."""
    if re.fullmatch(r"[\d-]*", text):
        return "", None
    from workbench.filters.periods import period_named  # two seconds of imports, for words alone

    edge, words = _edge(text)
    return edge, period_named(words)


def _edge(text: str) -> tuple[str, str]:
    """The end, and the period's words."""
    said = _words(text).replace("day of ", "of ")
    for edge, words in EDGES.items():
        for form in (words, _(words)):
            before, _period, after = _words(form).partition("{period}")
            if said.startswith(before) and said.endswith(after):
                return edge, said.removeprefix(before).removesuffix(after)
    return "", said


def _words(text: str) -> str:
    """Without what nobody has to type: capitals, a colon."""
    return " ".join(text.casefold().replace(":", " ").split())


def parse_all(parameters: tuple[Parameter, ...], given: Mapping[str, str], today: date) -> dict[str, Value]:
    """A value for each parameter: what is given, else what is proposed. Raises ParameterRefused."""
    names = [parameter.name for parameter in parameters]
    for name in given:
        if name not in names:
            said = _("The report has no parameter {name}. It has {names}.")
            raise ParameterRefused(said.format(name=repr(name[:60]), names=", ".join(names) or _("none")))
    return {
        parameter.name: parameter.parse(parameter.meant(given[parameter.name], today))
        if parameter.name in given
        else parameter.proposed(today)
        for parameter in parameters
    }


def read_parameters(source: str) -> tuple[Parameter, ...]:
    """The parameters of a cell of lines as ``month: Month = "2026-10"  # The month``. Raises ReportError."""
    lines = source.splitlines()
    return tuple(_parameter(node, lines) for node in ast.parse(source).body)


def _parameter(node: ast.stmt, lines: list[str]) -> Parameter:
    line = lines[node.lineno - 1]
    try:
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name) or node.value is None:
            raise ValueError("it is not of the form name: type = default  # what it is")
        annotation, is_optional = _without_none(node.annotation)
        kind, values = _kind(annotation)
        default = ast.literal_eval(node.value)
        about = line[node.end_col_offset or 0 :].strip().removeprefix("#").strip()
        is_choice = kind == "choice"
        choices, bounds = (values, ANY_NUMBER) if is_choice else ((), values or ANY_NUMBER)
        return _checked(Parameter(node.target.id, kind, default, about, choices, is_optional, bounds))
    except (ValueError, ParameterRefused) as error:
        raise ReportError(f"The line {line.strip()!r} of the parameters cell cannot be used: {error}") from None


def _checked(parameter: Parameter) -> Parameter:
    """With a default that could also be given."""
    if not parameter.about:
        raise ValueError("a comment that says what it is is missing")
    if not (parameter.default is None and parameter.is_optional):
        parameter.parse(str(parameter.default))
    return parameter


def _without_none(annotation: ast.expr) -> tuple[ast.expr, bool]:
    """The type without ``| None``, and whether that was there."""
    is_union = isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr)
    if is_union and ast.unparse(annotation.right) == "None":  # type: ignore[attr-defined]
        return annotation.left, True  # type: ignore[attr-defined]
    return annotation, False


def _kind(annotation: ast.expr) -> tuple[Kind, tuple[Any, ...]]:
    """The kind, with the choices of a choice or the bounds of a number, if it has any."""
    name = ast.unparse(annotation.value) if isinstance(annotation, ast.Subscript) else ast.unparse(annotation)
    if name in ("Literal", "Between") and isinstance(annotation, ast.Subscript):
        held: Any = ast.literal_eval(annotation.slice)
        values = held if isinstance(held, tuple) else (held,)
        return ("choice", _texts(values)) if name == "Literal" else ("int", _bounds(values))
    if name not in KINDS or isinstance(annotation, ast.Subscript):
        raise ValueError(f"its type is none of {', '.join(KINDS)}, Literal[...] and Between[..., ...]")
    return KINDS[name], ()


def _texts(values: tuple[Any, ...]) -> tuple[str, ...]:
    if not all(isinstance(value, str) for value in values):
        raise ValueError("the choices of a Literal must be texts")
    return values


def _bounds(values: tuple[Any, ...]) -> tuple[int, int]:
    is_pair = len(values) == 2 and all(type(value) is int for value in values)
    if not is_pair or not ANY_NUMBER[0] <= values[0] <= values[1] <= ANY_NUMBER[1]:
        raise ValueError("Between takes two whole numbers, the lower one first")
    return values[0], values[1]


def _as_text(text: str) -> Value:
    return text if len(text) <= MOST_LETTERS and not hidden(text) else None


def _day(text: str) -> Value:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return text if EARLIEST.date() <= day < LATEST.date() else None


def _month(text: str) -> Value:
    return text if re.fullmatch(r"\d{4}-\d{2}", text, re.ASCII) and _day(f"{text}-01") else None


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

    @property
    def kinds(self) -> dict[str, Kind]:
        """The kind of each parameter, by its name."""
        return {parameter.name: parameter.kind for parameter in self.parameters}


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
            problems[str(folder)] = _("There is no folder {folder}, in which reports are looked for.", folder=folder)
        for path in sorted(folder.glob("*.ipynb")):
            try:
                report = read_report(path)
            except ReportError as error:
                problems[path.stem] = str(error)
                continue
            if report.name in found:
                values = {"file": path, "name": report.name}
                problems[str(path)] = _("{file} is left out: there is a report {name} already. Rename it.", **values)
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
    names = ", ".join(report.name for report in there.reports) or _("none")
    raise ReportError(_("There is no report {name}. There are {names}.", name=repr(name[:60]), names=names))


def read_report(path: Path) -> Report:
    """The report that a notebook is. Raises ReportError."""
    if not NAME.fullmatch(path.stem):
        said = _("{file} is left out: a report's name is lower case letters, digits and _.", file=path.name)
        raise ReportError(said)
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
    first = _source(cells[0]) if cells and cells[0]["cell_type"] == "markdown" else ""
    title, _line, rest = first.partition("\n")
    if not title.startswith("# "):
        raise ReportError("its first cell does not begin with a title (# ...)")
    about = next((part.strip() for part in rest.split("\n\n") if part.strip()), "")
    parameters = read_parameters(_source(tagged[0])) if tagged else ()
    return Report(path.stem, path, title.removeprefix("# ").strip(), " ".join(about.split()), parameters)


def _source(cell: dict[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)
