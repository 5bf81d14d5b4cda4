"""Fields of ids that take a name as well: below the field it is said what is typed stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbench.catalogue.names import NO_NAMES, Names
from workbench.components.fields import Fields
from workbench.locale import _

MOST_NAMED = 3


def no_names() -> Names:
    """No names, where nobody gives any."""
    return NO_NAMES


class NamedIds:
    """Fields of ``fields`` by their dimension, whose ``names`` are those of the moment."""

    def __init__(self, fields: Fields, names: Callable[[], Names], dimensions: Mapping[str, str]) -> None:
        self._fields, self._names, self._dimensions = fields, names, dimensions
        for name in dimensions:
            fields.widgets[name].param.watch(lambda _event, name=name: self._tell(name), "value_input")

    def fill(self) -> None:
        """Puts ids in the place of names."""
        for name, dimension in self._dimensions.items():
            typed = self._fields.text(name)
            found = ids_of(typed, self._names().of(dimension))
            if found != typed:
                self._fields.fill({name: found})

    def _tell(self, name: str) -> None:
        self._fields.hint(name, stands_for(self._fields.text(name), self._names().of(self._dimensions[name])))


def ids_of(text: str, names: Mapping[Any, str]) -> str:
    """The text with an id for each part between commas that is one name, or a piece of one name alone."""
    if not names or not text.strip():
        return text
    parts = [part.strip() for part in text.split(",")]
    found = [matches if part and len(matches := _matches(part, names)) == 1 else [part] for part in parts]
    ids = ", ".join(str(part[0]) for part in found)
    return text if ids == ", ".join(parts) else ids


def stands_for(text: str, names: Mapping[Any, str]) -> str:
    """What a text stands for: the name of an id, the id of a name, or the first of several; empty for nothing known."""
    if not names or not text.strip() or "," in text:
        return ""
    if text.strip().isdigit():
        return names.get(int(text), _("not in the catalogue"))
    matches = _matches(text.strip(), names)
    more = " ..." if len(matches) > MOST_NAMED else ""
    return ", ".join(f"{each} {names[each]}" for each in matches[:MOST_NAMED]) + more


def _matches(part: str, names: Mapping[Any, str]) -> list[Any]:
    if part.isdigit():
        return []
    wanted = part.casefold()
    same = [each for each, name in names.items() if name.casefold() == wanted]
    return same or [each for each, name in names.items() if wanted in name.casefold()]
