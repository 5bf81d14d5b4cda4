"""Parameters of reports are typed and shown as in their place; what is kept of them is as files have it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from workbench import locale
from workbench.dashboards.schedule_form import ReportFields
from workbench.reports.library import Kind, Parameter
from workbench.reports.texts import every_text, values_text

DAY = Parameter("as_of", "date", "2026-10-31", "Days after this one are left out")
TOP = Parameter("top", "int", 15, "How many", bounds=(1, 5000))


@pytest.fixture(autouse=True)
def _german() -> Iterator[None]:
    locale.use_locale("de_DE")
    yield
    locale.use_locale("")


def fields() -> ReportFields:
    return ReportFields((DAY, TOP), date(2026, 11, 25))


def test_a_day_is_shown_and_typed_as_here_and_kept_as_iso() -> None:
    made = fields()
    widgets = made._fields.widgets
    assert (widgets["as_of"].value, widgets["as_of"].placeholder) == ("24.11.2026", "DD.MM.YYYY")
    assert made.changed() == {}
    made._fields.fill({"as_of": " 3.2.2026 ", "top": "1.000"})
    assert made.texts() == made.changed() == {"as_of": "2026-02-03", "top": "1000"}
    assert made.values() == {"as_of": "2026-02-03", "top": 1000}
    made.fill({"as_of": "2026-05-01", "top": "7"})  # of a draft, or of the history
    assert (widgets["as_of"].value, made.values()) == ("01.05.2026", {"as_of": "2026-05-01", "top": 7})


def test_a_day_in_words_is_kept_in_english_and_shown_in_the_language() -> None:
    made = fields()
    made._fields.fill({"as_of": "Letzter Tag: letzte Woche", "top": "7"})
    assert made.values() == {"as_of": "2026-11-22", "top": 7}
    assert made.texts()["as_of"] == "last of last week"
    made.fill(made.texts())
    assert made._fields.widgets["as_of"].value == "letzter Tag: Letzte Woche"
    assert made.texts()["as_of"] == "last of last week"


def test_a_text_that_looks_like_a_day_or_a_number_stays_as_it_is() -> None:
    made = ReportFields((Parameter("batch", "str", "2026-10-31", "Which"),), date(2026, 11, 25))
    assert made._fields.widgets["batch"].value == "2026-10-31"
    for text in ("2026-10-30", "1.000", "gestern"):
        made.fill({"batch": text})
        assert made._fields.widgets["batch"].value == text
        assert made.texts() == made.values() == {"batch": text}


def test_what_is_wrong_is_said_as_it_was_typed() -> None:
    made = fields()
    made._fields.fill({"as_of": "31.02.2026", "top": "9.000"})
    assert made.values() is None
    said = [made._fields.widgets[name].helper_text for name in ("as_of", "top")]
    assert said[0].startswith(
        "'31.02.2026' geht nicht: einen Tag von 2000 bis 2099, etwa 31.10.2026, gestern oder erster Tag: letzte"
    )
    assert said[1] == "'9.000' geht nicht: eine ganze Zahl von 1 bis 5.000 angeben"


def test_runs_and_schedules_are_told_in_the_language() -> None:
    kept = {"month": "2026-10", "as_of": "2026-10-31", "order": "revenue", "store_id": None}
    kinds: dict[str, Kind] = {"month": "month", "as_of": "date", "order": "choice", "store_id": "int"}
    assert values_text(kept, kinds) == "Monat Oktober 2026, Stand 31.10.2026, Reihenfolge Umsatz"
    assert values_text({"as_of": "first of last week"}, kinds) == "Stand erster Tag: Letzte Woche"
    like = {"product": "2026-10", "category": "returns"}
    assert values_text(like, {"product": "str", "category": "str"}) == "Artikel 2026-10, Warengruppe returns"
    assert values_text(kept) == "Monat 2026-10, Stand 2026-10-31, Reihenfolge revenue"
    assert every_text("month-31-07:05") == "Am 31. jedes Monats um 07:05"
    locale.use_locale("id_ID")
    assert every_text("monday-07:00") == "Setiap Senin pukul 07.00"
    locale.use_locale("")
    assert values_text({"month": "2026-10", "as_of": "2026-10-31"}, kinds) == "Month 2026-10, As of 2026-10-31"
