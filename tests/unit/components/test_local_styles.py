"""A page that is served asks for its style sheets where it is, also for what is just not on it."""

from __future__ import annotations

import pytest
from bokeh.models import ImportedStyleSheet
from panel import reactive
from panel.io import resources

from workbench.components.panel_fixes import local_styles
from workbench.components.panel_fixes.local_styles import keep_styles_local

URL = f"{resources.LOCAL_DIST}css/loading.css"


@pytest.mark.parametrize("is_repaired", [False, True])
def test_a_sheet_of_a_component_whose_page_is_not_known(monkeypatch: pytest.MonkeyPatch, is_repaired: bool) -> None:
    monkeypatch.setattr(resources, "patch_stylesheet", resources.patch_stylesheet)
    monkeypatch.setattr(reactive, "patch_stylesheet", resources.patch_stylesheet)
    monkeypatch.setattr(local_styles, "is_served", lambda: True)
    if is_repaired:
        keep_styles_local()
    sheet = ImportedStyleSheet(url=URL)
    vars(reactive)["patch_stylesheet"](sheet, resources.CDN_DIST)
    assert (sheet.url == URL) is is_repaired  # False: Panel has repaired it, drop ours
