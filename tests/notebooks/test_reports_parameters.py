"""Which reports there are, and what their parameters take: nothing is run here."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from workbench.errors import ParameterRefused, ReportError
from workbench.reports.library import find_report, read_report, reports, reports_folder
from workbench.reports.parameters import parse_all, read_parameters

CELL = """
month: Month = "2026-10"  # The month
day: Day = "2026-10-31"  # The day
store_id: int | None = None  # One store
name: str = "a # b"  # A text
order: Literal["revenue", "growth"] = "revenue"  # The order
"""
TODAY = date(2027, 3, 1)
HOSTILE = '"); import os; os.system("touch /tmp/x") #\\'


def notebook(*cells: tuple[str, str, list[str]]) -> str:
    """A notebook's text, of kind, source and tags of each cell."""
    made = [
        {"cell_type": kind, "id": f"c{n}", "metadata": {"tags": tags}, "source": source}
        | ({"outputs": [], "execution_count": None} if kind == "code" else {})
        for n, (kind, source, tags) in enumerate(cells)
    ]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def test_the_four_reports_are_there_with_their_parameters() -> None:
    found = {report.name: [parameter.name for parameter in report.parameters] for report in reports()}
    usual = ["month", "store_id", "as_of"]
    assert found == {
        "daily_sales": usual,
        "month_in_review": usual,
        "product_performance": [*usual, "category", "order", "top"],
        "reconciliation": ["month", "as_of"],
    }
    assert all(report.title and report.about for report in reports())


@pytest.mark.parametrize(
    "name",
    ["../daily_sales", "daily_sales.ipynb", "", "/etc/passwd", "reports/daily_sales", "daily_sales\0", "x" * 9999],
)
def test_only_notebooks_of_the_folder_can_be_run(name: str) -> None:
    with pytest.raises(ReportError, match="There is no report .* There are daily_sales, "):
        find_report(name)


def test_a_notebook_beside_the_folder_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "secret.ipynb").write_text((reports_folder() / "daily_sales.ipynb").read_text())
    with pytest.raises(ReportError, match="There is no report '../secret'"):
        find_report("../secret", tmp_path / "reports")


def test_values_are_typed_by_the_cell() -> None:
    given = {"month": "2026-02", "day": "2024-02-29", "store_id": "3", "name": HOSTILE, "order": "growth"}
    assert parse_all(read_parameters(CELL), given, TODAY) == {**given, "store_id": 3}


def test_what_is_not_given_is_the_last_whole_day_or_month_or_as_it_stands() -> None:
    found = parse_all(read_parameters(CELL), {}, TODAY)
    assert found == {"month": "2027-02", "day": "2027-02-28", "store_id": None, "name": "a # b", "order": "revenue"}


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("month", "2026-13", "a month as 2026-10"),
        ("month", "2026-1", "a month as 2026-10"),
        ("month", "", "a month as 2026-10"),
        ("day", "2026-02-30", "a day as 2026-10-31"),
        ("day", "1999-12-31", "a day as 2026-10-31"),
        ("day", "２０２６-10-31", "a day as 2026-10-31"),
        ("store_id", "3.5", "a whole number of at most 9 digits, or nothing"),
        ("store_id", "9999999999", "a whole number of at most 9 digits, or nothing"),
        ("store_id", "__import__('os')", "a whole number of at most 9 digits, or nothing"),
        ("name", "x" * 201, "a text of at most 200 characters"),
        ("name", "a\0b", "a text of at most 200 characters"),
        ("order", "Revenue", "one of revenue, growth"),
    ],
)
def test_a_wrong_value_is_refused_by_name_with_what_is_allowed(name: str, value: str, allowed: str) -> None:
    with pytest.raises(ParameterRefused) as refused:
        parse_all(read_parameters(CELL), {name: value}, TODAY)
    assert str(refused.value) == f"{name}={value[:60]!r} is refused: give {allowed}."


def test_an_unknown_parameter_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ParameterRefused, match="no parameter 'monat'. It has month, day, store_id, name, order."):
        parse_all(read_parameters(CELL), {"monat": "2026-10"}, TODAY)


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("month = 3  # no type", "not of the form"),
        ("import os", "not of the form"),
        ("x: float = 1.0  # a kind that is not known", "its type is none of int, str, Day, Month"),
        ('x: str = open("/etc/passwd").read()  # runs', "malformed node"),
        ('x: Month = "October"  # not one', "cannot be used: give a month"),
        ("x: int = 1", "a comment that says what it is is missing"),
    ],
)
def test_a_cell_that_cannot_be_used_says_which_line_and_why(tmp_path: Path, line: str, cause: str) -> None:
    path = tmp_path / "wrong.ipynb"
    path.write_text(notebook(("markdown", "# T", []), ("code", line, ["parameters"])))
    with pytest.raises(ReportError, match=cause) as refused:
        read_report(path)
    assert str(refused.value).startswith("wrong.ipynb: ")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"cells": 3}',
        notebook(("markdown", "no title", [])),
        notebook(),
        notebook(("code", "x = (", [])),
    ],
)
def test_a_file_that_is_no_report_is_an_error_that_names_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wrong.ipynb"
    path.write_text(text)
    with pytest.raises(ReportError, match="^wrong.ipynb"):
        read_report(path)
