"""Which reports there are, and what their parameters take: nothing is run here."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from workbench.errors import ParameterRefused, ReportError
from workbench.reports.library import find_report, library, parse_all, read_parameters, read_report, reports_folder

CELL = """
month: Month = "2026-10"  # The month
day: Day = "2026-10-31"  # The day
store_id: int | None = None  # One store
name: str = "a # b"  # A text
order: Literal["revenue", "growth"] = "revenue"  # The order
top: Between[1, 50] = 15  # How many
"""
TODAY = date(2027, 3, 1)
A_MONTH, A_DAY = (
    "a month from 2000 to 2099, as 2026-10 or last month",
    "a day from 2000 to 2099, as 2026-10-31, yesterday or first of last week",
)
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
    found = {report.name: [parameter.name for parameter in report.parameters] for report in library().reports}
    usual = ["month", "store_id", "as_of"]
    assert found == {
        "daily_sales": usual,
        "month_in_review": usual,
        "product_performance": [*usual, "category", "order", "top"],
        "reconciliation": ["month", "as_of"],
    }
    assert all(report.title and report.about for report in library().reports)


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
    given = {"month": "2026-02", "day": "2024-02-29", "store_id": "3", "name": HOSTILE, "order": "growth", "top": "50"}
    assert parse_all(read_parameters(CELL), given, TODAY) == {**given, "store_id": 3, "top": 50}


def test_what_is_not_given_is_the_last_whole_day_or_month_or_as_it_stands() -> None:
    found = parse_all(read_parameters(CELL), {}, TODAY)
    usual = {"month": "2027-02", "day": "2027-02-28", "store_id": None, "name": "a # b", "order": "revenue", "top": 15}
    assert found == usual


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("month", "2026-13", A_MONTH),
        ("month", "2026-1", A_MONTH),
        ("month", "", A_MONTH),
        ("day", "2026-02-30", A_DAY),
        ("day", "1999-12-31", A_DAY),
        ("day", "２０２６-10-31", A_DAY),
        ("store_id", "3.5", "a whole number of at most 9 digits, or nothing"),
        ("store_id", "9999999999", "a whole number of at most 9 digits, or nothing"),
        ("store_id", "__import__('os')", "a whole number of at most 9 digits, or nothing"),
        ("name", "x" * 201, "a text of at most 200 characters, all of which can be seen"),
        ("name", "a\0b", "a text of at most 200 characters, all of which can be seen"),
        ("order", "Revenue", "one of revenue, growth"),
        ("month", "1999-01", A_MONTH),
        ("month", "2100-01", A_MONTH),
        ("top", "-3", "a whole number from 1 to 50"),
        ("top", "0", "a whole number from 1 to 50"),
        ("top", "51", "a whole number from 1 to 50"),
    ],
)
def test_a_wrong_value_is_refused_by_name_with_what_is_allowed(name: str, value: str, allowed: str) -> None:
    with pytest.raises(ParameterRefused) as refused:
        parse_all(read_parameters(CELL), {name: value}, TODAY)
    assert str(refused.value) == f"{name}={value[:60]!r} cannot be used: give {allowed}."


def test_an_unknown_parameter_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ParameterRefused, match="no parameter 'monat'. It has month, day, store_id, name, order, top."):
        parse_all(read_parameters(CELL), {"monat": "2026-10"}, TODAY)


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("month = 3  # no type", "not of the form"),
        ("import os", "not of the form"),
        ("x: float = 1.0  # a kind that is not known", "its type is none of int, str, Day, Month"),
        ('x: str = open("/etc/passwd").read()  # runs', "malformed node"),
        ('x: Month = "October"  # not one', "cannot be used: give a month"),
        ("x: Between[5, 1] = 3  # upside down", "Between takes two whole numbers, the lower one first"),
        ("x: Between[1] = 1  # one bound", "Between takes two whole numbers"),
        ("x: Between[1, 5] = 6  # not in it", "give a whole number from 1 to 5"),
        ("x: Literal[1, 2] = 1  # no texts", "must be texts"),
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


def test_a_draft_that_cannot_be_used_is_out_alone_with_its_message(tmp_path: Path) -> None:
    usable = (reports_folder() / "daily_sales.ipynb").read_text()
    for name in ("mine", "daily_sales"):
        (tmp_path / f"{name}.ipynb").write_text(usable)
    drafts = {
        "broken": '{"cells": [',
        "listed": '{"cells": [{"cell_type": "markdown", "source": "# T", "metadata": []}]}',
        "wrong": notebook(("markdown", "# T", []), ("code", "x: float = 1.0  # no", ["parameters"])),
        "Untitled": notebook(("markdown", "# T", [])),
    }
    for name, text in drafts.items():
        (tmp_path / f"{name}.ipynb").write_text(text)
    there = library(tmp_path)
    assert [report.name for report in there.reports if report.path.parent == tmp_path] == ["mine"]
    taken = str(tmp_path / "daily_sales.ipynb")
    assert set(there.problems) == {*drafts, taken}
    assert there.problems[taken] == f"{taken} is left out: there is a report daily_sales already. Rename it."
    assert "its type is none of int" in there.problems["wrong"]
    assert find_report("mine", tmp_path).title == "Daily sales by store"
    with pytest.raises(ReportError, match="wrong.ipynb: The line"):
        find_report("wrong", tmp_path)
    with pytest.raises(ReportError, match="There is no report 'other'. There are daily_sales, .*, mine."):
        find_report("other", tmp_path)
