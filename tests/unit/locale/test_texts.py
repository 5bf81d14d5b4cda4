"""The catalogues of languages: each has every text that is looked up, with the values that belong into it."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from tests.texts import CATALOGUES, extracted
from tests.unit.database.test_failures import CONFIGURED, refused
from workbench import locale
from workbench.database.failures import in_words
from workbench.errors import FieldError, SaleNotFound, SaleRefused
from workbench.filters import period_named
from workbench.locale.texts import _, english, ngettext
from workbench.sales.fields import FIELDS
from workbench.shell import page_template
from workbench.words import counted, items_text


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


def test_logs_and_the_command_have_the_english_words() -> None:
    locale.use_locale("de_DE")
    away = in_words(CONFIGURED, "master", refused("Connection refused"))
    assert str(away).startswith("Der Master unter db.example:5432 antwortet nicht: dort hört niemand zu. Prüfen Sie")
    assert english(away).startswith("The master at db.example:5432 does not answer: nothing listens there. Check")
    of_sale = SaleRefused(
        [FieldError("lines", [], _("a sale needs an item")), FieldError("lines.0.quantity", "x", "so")]
    )
    assert english(of_sale) == "Items are missing: a sale needs an item; Item 1, Quantity 'x' cannot be used: so"
    assert english(_("To be sent to {to}", to=SaleNotFound(7))).startswith("To be sent to There is no transaction 7")
    assert english(ValueError("as it is")) == english("as it is") == "as it is"
    assert english(ngettext("{n} sale", "{n} sales", 2, n=locale.number(1234.5))) == "1.234,5 sales"
    locale.speak_english()
    try:
        assert (_("Refresh"), str(SaleNotFound(7))[:24], locale.language()) == (
            "Refresh",
            "There is no transaction ",
            "en",
        )
        assert locale.day(locale.A_MOMENT) == "31.05.2026"
    finally:
        locale.speak_english(False)


def test_a_page_names_its_language_and_has_the_texts_of_its_scripts() -> None:
    locale.use_locale("de_DE")
    page = page_template()
    assert 'lang: "de-DE"' in page and '"Skip to content": "Zum Inhalt"' in page and 'dataset.decimal = ","' in page
    assert "Kein" not in page.partition("window.workbenchTexts")[2].partition("</script>")[0]
    locale.use_locale("")
    assert 'lang: "en"' in page_template() and "window.workbenchTexts = {}" in page_template()
