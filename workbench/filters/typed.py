"""What somebody types into a filter, read as the filter's value or refused in words."""

from __future__ import annotations

from datetime import date

from workbench.errors import FieldError


def read_day(name: str, text: str) -> date | None:
    """A typed day; None for nothing. Raises FieldError saying what is allowed."""
    if not text.strip():
        return None
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise FieldError(name, text, "it must be a day such as 2026-05-31") from None
    if not 2000 <= day.year <= 2099:
        raise FieldError(name, text, "it must be from 2000 to 2099")
    return day


def read_number(name: str, text: str) -> int | None:
    """A typed number of a store or a customer; None for nothing. Raises FieldError saying what is allowed."""
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) < 2**31):
        raise FieldError(name, text, "it must be a whole number such as 7")
    return int(text)


def read_customer(text: str) -> int | None:
    """A typed customer; None for nothing. Raises FieldError saying what is allowed."""
    return read_number("customer_id", text)
