"""The categories of a sale in one text, as sql/metrics/rollup_sales_by_categories.sql writes them."""

from __future__ import annotations

from collections.abc import Iterator

NO_CATEGORY = "-"


def members(text: str) -> Iterator[str | None]:
    """The categories; None for lines without one. Lengths are told, so that a category may hold any character."""
    start = 0
    while start < len(text):
        if text[start] == NO_CATEGORY:
            yield None
            start += 1
        else:
            colon = text.index(":", start)
            end = colon + 1 + int(text[start:colon])
            yield text[colon + 1 : end]
            start = end
