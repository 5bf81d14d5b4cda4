"""Addresses of mail, one of which a setting or whoever makes a schedule gives."""

from __future__ import annotations

import re
from collections.abc import Iterable

MOST_LETTERS = 254
_NAME = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_NAME}(?:\.{_NAME})*@{_LABEL}(?:\.{_LABEL})*")


def checked_address(text: str) -> str:
    """The bare address, as ``ann@example.com``. Raises ValueError; nothing that could end a header is one."""
    address = text.strip(" ")
    if len(address) > MOST_LETTERS or not _ADDRESS.fullmatch(address):
        raise ValueError(f"{text[:80]!r} is no address such as ann@example.com")
    return address


def checked_addresses(texts: Iterable[str]) -> tuple[str, ...]:
    """The addresses of lists with commas, each once. Raises ValueError for the first that is none."""
    return tuple(dict.fromkeys(checked_address(part) for text in texts for part in text.split(",")))
