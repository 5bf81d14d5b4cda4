"""The numbers that the sample data form takes."""

from __future__ import annotations

import pytest

from workbench.components.tasks import Progress
from workbench.dashboards.sample_section import progress_text, whole_number
from workbench.errors import FieldError


@pytest.mark.parametrize(
    ("text", "number"), [("1", 1), (" 10,000 ", 10_000), ("00012", 12), ("1,000,000", 1_000_000), ("1 000", 1_000)]
)
def test_a_whole_number_may_group_its_thousands(text: str, number: int) -> None:
    assert whole_number(text, "number_of_sales", 1, 1_000_000) == number


@pytest.mark.parametrize("text", ["", "many", "0", "-5", "1.5", "1e3", "1,00", "1 00", "1000001", "9" * 400, "1_0"])
def test_anything_else_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(FieldError, match="give a whole number from 1 to 1,000,000"):
        whole_number(text, "number_of_sales", 1, 1_000_000)


def test_what_a_load_waits_for_is_said_beside_how_far_it_is() -> None:
    under_way = Progress(is_running=True, done=50_000, total=70_000)
    assert progress_text(under_way, is_master_up=True) == ("50,000 of 70,000 sales", "")
    waits = Progress(is_running=True, done=50_000, total=70_000, note="Waiting: the slot replica keeps 2 MB.")
    assert progress_text(waits, is_master_up=True)[0] == "50,000 of 70,000 sales. Waiting: the slot replica keeps 2 MB."
