"""What the master says of a return that it refuses, in sentences."""

from __future__ import annotations

import pytest

from workbench.sales.returns import check_in_words


@pytest.mark.parametrize(
    ("said", "begin"),
    [
        (
            "of transaction 7 more money, or discount, of A at 5.00 would be given back than was paid, or given",
            "Of transaction 7 more money",
        ),
        ("transaction 7 sold 2 of A at 5.00, and 3 would be given back", "Transaction 7 sold 2 of A"),
    ],
)
def test_a_sentence_that_stands_alone_begins_as_one(said: str, begin: str) -> None:
    assert check_in_words(said).startswith(begin)
