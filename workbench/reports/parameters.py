"""Parameters of a report: read from the notebook's tagged cell, checked before anything runs."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from workbench.errors import ParameterRefused, ReportError
from workbench.models import EARLIEST, LATEST
from workbench.words import hidden

# What a notebook writes for them. Both are ISO text, so that papermill alone can set them too.
Day = str
Month = str

Kind = Literal["int", "str", "date", "month", "choice"]
Value = int | str | None
KINDS: dict[str, Kind] = {"int": "int", "str": "str", "Day": "date", "Month": "month"}
MOST_LETTERS = 200
MOST_DIGITS = 9


@dataclass(frozen=True)
class Parameter:
    """One parameter: ``default`` is what the notebook holds, ``about`` its comment, ``choices`` those of a choice."""

    name: str
    kind: Kind
    default: Value
    about: str = ""
    choices: tuple[str, ...] = ()
    is_optional: bool = False

    @property
    def allowed(self) -> str:
        """What may be given, in words."""
        words = {
            "int": f"a whole number of at most {MOST_DIGITS} digits",
            "str": f"a text of at most {MOST_LETTERS} characters, all of which can be seen",
            "date": "a day as 2026-10-31",
            "month": "a month as 2026-10",
            "choice": f"one of {', '.join(self.choices)}",
        }[self.kind]
        return f"{words}, or nothing" if self.is_optional else words

    def proposed(self, today: date) -> Value:
        """The default outside the notebook's own tests, which stand still: the last whole day or month."""
        if self.default is None or self.kind not in ("date", "month"):
            return self.default
        if self.kind == "date":
            return f"{today - timedelta(days=1):%Y-%m-%d}"
        return f"{today.replace(day=1) - timedelta(days=1):%Y-%m}"

    def parse(self, text: str) -> Value:
        """The value that ``text`` stands for. Raises ParameterRefused."""
        if not text and self.is_optional:
            return None
        parse = {"int": _int, "str": _text, "date": _day, "month": _month, "choice": self._choice}[self.kind]
        value = parse(text)
        if value is None:
            raise ParameterRefused(f"{self.name}={text[:60]!r} cannot be used: give {self.allowed}.")
        return value

    def _choice(self, text: str) -> Value:
        return text if text in self.choices else None


def parse_all(parameters: tuple[Parameter, ...], given: Mapping[str, str], today: date) -> dict[str, Value]:
    """A value for each parameter: what is given, else what is proposed. Raises ParameterRefused."""
    names = [parameter.name for parameter in parameters]
    for name in given:
        if name not in names:
            known = f"It has {', '.join(names)}." if names else "It has none."
            raise ParameterRefused(f"The report has no parameter {name[:60]!r}. {known}")
    return {
        parameter.name: parameter.parse(given[parameter.name]) if parameter.name in given else parameter.proposed(today)
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
        kind, choices = _kind(annotation)
        default = ast.literal_eval(node.value)
        about = line[node.end_col_offset or 0 :].strip().removeprefix("#").strip()
        return _checked(Parameter(node.target.id, kind, default, about, choices, is_optional))
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


def _kind(annotation: ast.expr) -> tuple[Kind, tuple[str, ...]]:
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Literal":
        values: Any = ast.literal_eval(annotation.slice)
        return "choice", values if isinstance(values, tuple) else (values,)
    name = ast.unparse(annotation)
    if name not in KINDS:
        raise ValueError(f"its type is none of {', '.join(KINDS)} and Literal")
    return KINDS[name], ()


def _int(text: str) -> Value:
    return int(text) if re.fullmatch(rf"-?[0-9]{{1,{MOST_DIGITS}}}", text, re.ASCII) else None


def _text(text: str) -> Value:
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
