"""A frame that shows a report's page as it is, with scripts, but without any right to the page around it."""

from __future__ import annotations

from pathlib import Path

import param
from panel.custom import JSComponent


class ReportFrame(JSComponent):
    """The report ``page``, a whole document, under the name ``heading``."""

    heading = param.String(default="")
    page = param.String(default="")

    _esm = Path(__file__).with_name("report_frame.js")

    def __init__(self, heading: str, page: str) -> None:
        super().__init__(heading=heading, page=page, margin=0, sizing_mode="stretch_width")
