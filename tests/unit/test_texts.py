"""The catalogues of languages: each has every text that is looked up, with the values that belong into it."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from tests.texts import CATALOGUES, extracted
from workbench import locale
from workbench.errors import FieldError, SaleNotFound
from workbench.filters import period_named
from workbench.locale.texts import _
from workbench.sales.fields import FIELDS
from workbench.shell import page_template
from workbench.words import counted, items_text


@pytest.fixture(autouse=True)
def _neutral_again() -> Iterator[None]:
    yield
    locale.use_locale("")


def faults(catalogue: Catalog, texts: Catalog) -> Iterator[str]:
    """What a catalogue lacks, has besides, or says without its values."""
    known = {message.id: message for message in catalogue if message.id}
    asked = {message.id for message in texts if message.id}
    yield from (f"no translation: {text!r}" for text in asked - known.keys())
    yield from (f"no such text any more: {text!r}" for text in known.keys() - asked)
    for text, message in known.items():
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        if not all(forms):
            yield f"empty: {text!r}"
        one, many = text if isinstance(text, tuple) else (text, text)
        if any(_values([form]) - _values([many]) for form in forms) or _values(forms) != _values([one, many]):
            yield f"other values: {text!r}"


def _values(texts: Iterable[str | None]) -> set[str | None]:
    return {name for text in texts for _text, name, _format, _kind in string.Formatter().parse(text or "") if name}


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_a_catalogue_has_every_text(path) -> None:  # type: ignore[no-untyped-def]
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.parts[-3])
    texts = extracted()
    assert not list(faults(catalogue, texts))
    catalogue.delete("Clear filters")
    catalogue["Transaction {id}"].string = "Transaktion"
    catalogue["Refresh"].string = ""
    found = list(faults(catalogue, texts))
    assert sorted(each.partition(":")[0] for each in found) == ["empty", "no translation", "other values"]


def test_both_languages_are_there() -> None:
    assert {path.parts[-3] for path in CATALOGUES} == {"de", "id"}


def test_texts_are_in_the_language_of_the_locale() -> None:
    assert (str(SaleNotFound(7)), FIELDS["total_amount"].label) == (
        "There is no transaction 7: it was deleted, or never existed.",
        "Total",
    )
    locale.use_locale("de_AT")
    assert str(SaleNotFound(7)) == "Es gibt keine Transaktion 7: sie wurde gelöscht oder es gab sie nie."
    assert str(FieldError("lines.0.quantity", "x", "so")) == "Artikel 1, Menge 'x' geht nicht: so"
    assert (counted(1, "transaction"), counted(1234, "transaction")) == ("1 Transaktion", "1.234 Transaktionen")
    assert (period_named("Gestern"), period_named("yesterday")) == ("yesterday", "yesterday")
    locale.use_locale("id_ID")
    assert (items_text([2, 4]), _("Refresh"), FIELDS["store_id"].label) == (
        "6 barang dalam 2 baris",
        "Muat ulang",
        "Toko",
    )
    locale.use_locale("fr_FR")
    assert (_("Refresh"), counted(1, "sale")) == ("Refresh", "1 sale")


def test_a_page_names_its_language_and_has_the_texts_of_its_scripts() -> None:
    locale.use_locale("de_DE")
    page = page_template()
    assert 'lang: "de-DE"' in page and '"Skip to content": "Zum Inhalt"' in page and 'dataset.decimal = ","' in page
    assert "Kein" not in page.partition("window.workbenchTexts")[2].partition("</script>")[0]
    locale.use_locale("")
    assert 'lang: "en"' in page_template() and "window.workbenchTexts = {}" in page_template()
