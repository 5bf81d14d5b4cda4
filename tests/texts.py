"""The texts that are looked up, extracted from the code, and the catalogues brought in step: ``make texts``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from workbench.shell.login import TEXT

PACKAGE = Path(__file__).parents[1] / "workbench"
OPTIONS = {"**.js": {"parse_template_string": "true"}}
KEYWORDS: dict[str, Any] = {"_": None, "N_": None, "ngettext": (1, 2), "ngettext_noop": (1, 2)}
CATALOGUES = sorted((PACKAGE / "locale").glob("*/LC_MESSAGES/workbench.po"))


def of_python(file: IO[bytes], keywords: Any, comment_tags: Any, options: Any) -> Iterator[tuple[Any, ...]]:
    """The texts of a module; Babel's own reader finds none inside f-strings before Python 3.12."""
    for node in ast.walk(ast.parse(file.read())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in keywords:
            texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            if texts:
                yield node.lineno, node.func.id, texts[0] if len(texts) == 1 else tuple(texts), []


def of_page(file: IO[bytes], keywords: Any, comment_tags: Any, options: Any) -> Iterator[tuple[Any, ...]]:
    """The texts of a page of the login."""
    for number, line in enumerate(file.read().decode().splitlines(), start=1):
        yield from ((number, "_", text, []) for text in TEXT.findall(line))


METHODS = [("**.py", of_python), ("**.js", "javascript"), ("shell/login/*.html", of_page)]


def extracted() -> Catalog:
    """Every text that is looked up, with where it stands; of a script without a line, which would change too often."""
    found = Catalog(project="sales-workbench", fuzzy=False)
    for name, _line, message, comments, context in extract_from_dir(PACKAGE, METHODS, OPTIONS, KEYWORDS):
        if name != "locale/texts.py":
            found.add(message, locations=[(f"workbench/{name}", 0)], auto_comments=comments, context=context)
    return found


def write(path: Path) -> None:
    """Brings one catalogue in step: new texts come without a translation, those that are gone go."""
    with path.open("rb") as file:
        known = read_po(file, locale=path.parts[-3])
    made_at = known.creation_date
    known.update(extracted(), no_fuzzy_matching=True)
    known.obsolete.clear()
    known.creation_date = made_at  # else each run would change every catalogue
    text = BytesIO()
    write_po(text, known, width=120, sort_output=True, include_lineno=False)
    path.write_bytes(text.getvalue())


if __name__ == "__main__":
    for each in CATALOGUES:
        write(each)
