"""Texts in the language of the locale, by catalogues of gettext; where there is none, the English text itself."""

from __future__ import annotations

import gettext
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

from workbench.locale.conventions import Conventions, conventions

FOLDER = Path(__file__).parent
DOMAIN = "LC_MESSAGES/workbench.po"


class Catalogue:
    """The texts of one language, by their English ones; plurals by both forms' first."""

    def __init__(self, path: Path | None) -> None:
        self.texts: dict[str, str] = {}
        self.plurals: dict[str, tuple[str, ...]] = {}
        self.of_scripts: dict[str, str] = {}  # those that the browser's scripts show
        self.form: Callable[[int], int] = lambda number: int(number != 1)
        if path is None:
            return
        with path.open("rb") as file:
            found = read_po(file)
        self.form = gettext.c2py(found.plural_expr)
        for message in found:
            if isinstance(message.id, tuple):
                self.plurals[message.id[0]] = tuple(message.string or ())
            elif message.id and message.string and not message.fuzzy:
                self.texts[str(message.id)] = str(message.string)
                if any(place.endswith(".js") for place, _line in message.locations):
                    self.of_scripts[str(message.id)] = str(message.string)


def _(text: str, /, **values: object) -> str:
    """The text in the language of the locale, with values in the place of their names in braces."""
    found = _catalogue(conventions()).texts.get(text, text)
    return found.format(**values) if values else found


def ngettext(one: str, many: str, number: int, /, **values: object) -> str:
    """The form of a text that goes with a number."""
    catalogue = _catalogue(conventions())
    forms = catalogue.plurals.get(one)
    return (forms[catalogue.form(number)] if forms else one if number == 1 else many).format(**values)


def N_(text: str) -> str:
    """Marks a text that is looked up where it is shown: what is made at import knows no locale yet."""
    return text


def ngettext_noop(one: str, many: str) -> tuple[str, str]:
    """The same with both forms."""
    return one, many


def texts_of_scripts() -> str:
    """The texts that scripts in the browser show, as JSON that may stand in a page."""
    return json.dumps(_catalogue(conventions()).of_scripts).replace("<", "\\u003c")


def catalogue_of(now: Conventions) -> Path | None:
    """The catalogue of a country's language, else of the language; None where all is English."""
    names = (now.name, now.name.partition("_")[0]) if now.name else ()
    return next((path for name in names if (path := FOLDER / name / DOMAIN).is_file()), None)


def language() -> str:
    """The language of the texts as HTML names it: ``de-DE``; ``en`` where they have no catalogue."""
    now = conventions()
    return now.name.replace("_", "-") if catalogue_of(now) else "en"


@cache
def _catalogue(now: Conventions) -> Catalogue:
    return Catalogue(catalogue_of(now))
