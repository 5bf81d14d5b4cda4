"""Words around numbers: one sale, two sales."""

from __future__ import annotations

import re
from pathlib import Path

from workbench.words import counted, items_text

PACKAGE = Path(__file__).parents[2] / "workbench"
NOUNS = "sales?|lines?|items?|rows?|figures?|bars?|points?|bytes?|indexes|views?|transactions?|stores?|days?|tables?"
# A number by itself before a noun: it would be "1 sales". After "of 12 " it tells how far something is.
BARE = re.compile(rf"(?<!of )\{{(?:[^{{}}]*:,d?|len\([^{{}}]*\))\}} (?:\w+ )?(?:{NOUNS})\b")


def test_one_is_one_and_more_are_more() -> None:
    assert [counted(number, "sale") for number in (0, 1, 2, 2345)] == ["0 sales", "1 sale", "2 sales", "2,345 sales"]
    assert [items_text(lines) for lines in ([1], [1, 1], [3], [4, 2])] == [
        "1 item",
        "2 items",
        "3 items on 1 line",
        "6 items on 2 lines",
    ]


def test_no_text_counts_things_by_itself() -> None:
    assert BARE.search('f"Loaded {loaded.sales:,} sales"') and BARE.search("{gone.sales:,} sample sales")
    found = [
        f"{path.relative_to(PACKAGE)}: {match[0]}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for match in BARE.finditer(path.read_text())
    ]
    assert found == [], "use counted()"
