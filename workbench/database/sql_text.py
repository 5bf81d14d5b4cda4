"""The text of a query: what in it is code and what is only quoted, and values put in the places of its parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

# Where something begins that is not code: a comment, a text, a name in quotes. A dollar inside a name opens nothing.
_OPENS = re.compile(r"""--|/\*|(?<![\w$])[eE]'|['"]|(?<![\w$])\$(?:[^\W\d]\w*)?\$""")
_ENDS = {
    "--": re.compile(r"[^\n]*"),
    "'": re.compile(r"(?:[^']|'')*(?:'|$)"),
    '"': re.compile(r'(?:[^"]|"")*(?:"|$)'),
    "e'": re.compile(r"(?:[^'\\]|''|\\.)*(?:'|\\?$)", re.DOTALL),
}
_COMMENT = re.compile(r"/\*|\*/")
# :name, as what `in` looks through or elsewhere; not the second colon of a cast, nor one after a backslash.
_NAME = r"[^\W\d]\w*"
_PLACE = re.compile(
    rf"(?<!\w)(?P<not>not\s+)?in(?:\s*\(\s*:(?P<inside>{_NAME})\s*\)|\s+:(?P<after>{_NAME}))"
    rf"|(?<![:\w\\]):(?P<alone>{_NAME})",
    re.IGNORECASE,
)

Many = list[str]  # the elements of a list, each as SQL


def pieces(text: str) -> Iterator[tuple[bool, str]]:
    """The text cut into what is code (True) and what is quoted or commented out; put together it is the text."""
    start = 0
    while found := _OPENS.search(text, start):
        yield True, text[start : found.start()]
        start = _end(text, found)
        yield False, text[found.start() : start]
    yield True, text[start:]


def code(text: str) -> str:
    """The text with a blank for everything that is quoted or commented out."""
    return "".join(piece if is_code else " " for is_code, piece in pieces(text))


def names(text: str) -> set[str]:
    """The names of its parameters."""
    return {_name(found) for found in _PLACE.finditer(code(text))}


def filled(text: str, values: Mapping[str, str | Many]) -> str:
    """The text with each ``:name`` replaced by its value, which is SQL already; a list fits ``any`` and ``in``."""

    def fill(found: re.Match[str]) -> str:
        value = values[_name(found)]
        if isinstance(value, str) or found["alone"]:
            return found[0].replace(f":{_name(found)}", value if isinstance(value, str) else array(value))
        if value:
            return f"{found['not'] or ''}in ({', '.join(value)})"
        return f"<> all ({array(value)})" if found["not"] else f"= any ({array(value)})"  # in () would be an error

    return "".join(_PLACE.sub(fill, piece).replace("\\:", ":") if is_code else piece for is_code, piece in pieces(text))


def _name(found: re.Match[str]) -> str:
    return found["inside"] or found["after"] or found["alone"]


def array(elements: Many) -> str:
    """An array of these elements; one without any has the type that its place wants."""
    return f"array[{', '.join(elements)}]" if elements else "'{}'"


def _end(text: str, found: re.Match[str]) -> int:
    """Where what begins there is over; at the end of the text when nothing closes it."""
    opens = found[0].lower()
    if opens == "/*":
        return _end_of_comment(text, found.end())
    if opens.startswith("$"):
        closes = text.find(found[0], found.end())
        return len(text) if closes < 0 else closes + len(found[0])
    ends = _ENDS[opens].match(text, found.end())
    return ends.end() if ends else len(text)


def _end_of_comment(text: str, start: int) -> int:
    """Comments hold comments."""
    depth = 1
    while depth and (mark := _COMMENT.search(text, start)):
        depth += 1 if mark[0] == "/*" else -1
        start = mark.end()
    return start if not depth else len(text)
