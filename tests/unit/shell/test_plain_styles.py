"""Charts are drawn without looking for CSS variables of Bokeh's (shell/plain_styles.js): no style sheet has one."""

from pathlib import Path

import panel
import panel_material_ui

import workbench


def test_no_style_sheet_of_a_page_says_how_charts_are_drawn() -> None:
    places = [Path(str(package.__file__)).parent for package in (workbench, panel, panel_material_ui)]
    sheets = [sheet for place in places for sheet in place.rglob("*.css")]
    assert len(sheets) > 20
    assert not [sheet for sheet in sheets if "--bk-" in sheet.read_text(encoding="utf-8", errors="replace")]
