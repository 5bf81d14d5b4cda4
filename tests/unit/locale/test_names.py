"""Names of what is shown, in German: one that was forgotten reads as in English, and is named here."""

from __future__ import annotations

import pytest

from workbench import dashboards, locale
from workbench.dashboards.explore import TABS as EXPLORE_TABS
from workbench.dashboards.report_lists import ACTED
from workbench.dashboards.sales_dashboard import TABS, TILES
from workbench.dashboards.tile import Tile
from workbench.filters import COMPARISONS, GRAINS, LISTS, PERIODS
from workbench.locale import _
from workbench.metrics import DIMENSIONS, METRICS
from workbench.reports.library import library
from workbench.reports.texts import ENDS
from workbench.sales.fields import FIELDS
from workbench.shell.navigation import PAGES
from workbench.words import label

ALIKE = {"Import", "Lift", "Support"}  # the same word in German


@pytest.fixture(autouse=True)
def _german() -> None:
    locale.use_locale("de_DE")


def tiles() -> set[type[Tile]]:
    """All that have a title: those of the page, and those that stand alone."""
    shown = {kind for kinds in TILES.values() for kind in kinds}
    alone = {kind for kind in vars(dashboards).values() if isinstance(kind, type) and issubclass(kind, Tile)}
    return {kind for kind in shown | alone if kind.title}


def names() -> set[str]:
    """What is read of each row of a list that somebody may add one to."""
    of_metrics = {text for metric in METRICS.values() for text in (metric.english, metric.described)}
    of_tiles = {text for tile in tiles() for text in (tile.title, tile.about, *getattr(tile, "heads", ()))}
    of_reports = {text for report in library().reports for text in (report.title, report.about)}
    of_parameters = {
        text
        for report in library().reports
        for parameter in report.parameters
        for text in (label(parameter.name), parameter.about, *map(label, parameter.choices))
    }
    lists = (PERIODS, COMPARISONS, GRAINS, TABS, EXPLORE_TABS, ENDS, ACTED)
    of_lists = {text for each in lists for text in each.values()} | set(map(label, LISTS)) | PAGES.keys()
    rows = {row.english for table in (DIMENSIONS, FIELDS) for row in table.values()}
    return of_metrics | of_tiles | of_reports | of_parameters | of_lists | rows


def test_every_name_is_another_in_german() -> None:
    assert {text for text in names() if text.strip("#") and _(text) == text} == ALIKE & names()


def test_labels_follow_the_locale() -> None:
    assert (METRICS["revenue"].label, DIMENSIONS["payment_method"].noun) == ("Umsatz", "Zahlungsart")
    locale.use_locale("id_ID")
    assert (METRICS["revenue"].label, DIMENSIONS["payment_method"].noun) == ("Omzet", "cara bayar")
    locale.use_locale("")
    assert (METRICS["revenue"].label, DIMENSIONS["payment_method"].noun) == ("Revenue", "payment method")
