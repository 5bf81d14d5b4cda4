"""Texts in the language of the locale, by catalogues of gettext; where there is none, the English text itself."""

from __future__ import annotations

import gettext
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

from workbench.locale.figures import Conventions, conventions

FOLDER = Path(__file__).parent
DOMAIN = "LC_MESSAGES/workbench.po"
_is_english = False


class Text(str):
    """A text in another language, with its ``english`` words for logs and whatever else is always English."""

    english: str


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
    found = _catalogue(_spoken()).texts.get(text)
    if found is None:
        return text.format(**values) if values else text
    return _made(found, text, values)


def ngettext(one: str, many: str, number: int, /, **values: object) -> str:
    """The form of a text that goes with a number."""
    catalogue = _catalogue(_spoken())
    forms, plain = catalogue.plurals.get(one), one if number == 1 else many
    return _made(forms[catalogue.form(number)], plain, values) if forms else plain.format(**values)


def english(text: object) -> str:
    """The English words of a text, or of an error; what has no others as it is."""
    said = text.args[0] if isinstance(text, BaseException) and text.args else text
    return said.english if isinstance(said, Text) else str(text)


def sentences(*texts: object, between: str = " ") -> str:
    """Texts or errors that follow one another, but those that are empty."""
    said = [text for text in texts if str(text)]
    made = Text(between.join(map(str, said)))
    made.english = between.join(map(english, said))
    return made


def speak_english(is_english: bool = True) -> None:
    """Has this process show all texts in English, whatever the locale; figures and days stay those of the place."""
    global _is_english
    _is_english = is_english


def _made(found: str, plain: str, values: dict[str, object]) -> Text:
    made = Text(found.format(**values) if values else found)
    told = {
        name: english(value) if isinstance(value, Text | BaseException) else value for name, value in values.items()
    }
    made.english = plain.format(**told) if values else plain
    return made


def _spoken() -> Conventions:
    return Conventions() if _is_english else conventions()


def N_(text: str) -> str:
    """Marks a text that is looked up where it is shown: what is made at import knows no locale yet."""
    return text


def in_sentence(label: str) -> str:
    """A label as it stands within a sentence: its first letter is small, but for German's nouns."""
    return label if _spoken().name.startswith("de") else label[:1].lower() + label[1:]


class Labelled:
    """What is known in code and catalogues by its ``english`` words; for dataclasses that hold them."""

    english: str

    @property
    def label(self) -> str:
        """What people call it."""
        return _(self.english)

    @property
    def noun(self) -> str:
        """The same within a sentence."""
        return in_sentence(self.label)


def ngettext_noop(one: str, many: str) -> tuple[str, str]:
    """The same with both forms."""
    return one, many


def texts_of_scripts() -> str:
    """The texts that scripts in the browser show, as JSON that may stand in a page."""
    return json.dumps(_catalogue(_spoken()).of_scripts).replace("<", "\\u003c")


def catalogue_of(now: Conventions) -> Path | None:
    """The catalogue of a country's language, else of the language; None where all is English."""
    names = (now.name, now.name.partition("_")[0]) if now.name else ()
    return next((path for name in names if (path := FOLDER / name / DOMAIN).is_file()), None)


def language() -> str:
    """The language of the texts as HTML names it: ``de-DE``; ``en`` where they have no catalogue."""
    now = _spoken()
    return now.name.replace("_", "-") if catalogue_of(now) else "en"


@cache
def _catalogue(now: Conventions) -> Catalogue:
    return Catalogue(catalogue_of(now))
