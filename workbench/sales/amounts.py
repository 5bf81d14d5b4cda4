"""Amounts as they are typed: a decimal comma is understood where it cannot be mistaken."""

from __future__ import annotations

import re

COMMA = re.compile(r"([+-]?\d+),(\d{1,2})")  # 3,50
GROUPED = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+,\d{1,2}")  # 1.234,50
GROUPED_BY_COMMAS = re.compile(r"[+-]?\d{1,3}(?:(?:,\d{3})+\.\d{1,2}|(?:,\d{3}){2,})")  # 1,234.50 and 1,234,567
UNCLEAR = re.compile(r"[+-]?(\d{1,3}),(\d{3})")


def with_point(text: str) -> str:
    """The amount with a decimal point and without groups. Raises ValueError where a comma may be either."""
    text = text.strip()
    if COMMA.fullmatch(text):
        return text.replace(",", ".")
    if GROUPED.fullmatch(text):
        return text.replace(".", "").replace(",", ".")
    if GROUPED_BY_COMMAS.fullmatch(text):
        return text.replace(",", "")
    unclear = UNCLEAR.fullmatch(text)
    if unclear:
        whole, rest = unclear.groups()
        raise ValueError(f"could be {whole}{rest} or {whole}.{rest}: write the one that is meant, without a comma")
    return text
