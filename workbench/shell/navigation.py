"""The app bar: the product's name and a link to each page."""

from __future__ import annotations

from pathlib import Path

import panel as pn

PRODUCT = "Sales workbench"
PAGES = {"Sales": "sales", "Analytics": "analytics", "Reports": "reports", "Changes": "changes", "Pipeline": "pipeline"}


def navigation(current: str) -> pn.pane.HTML:
    """Links to all pages, ``current`` marked. They are relative, so that they hold under any prefix."""
    links = "".join(_link(title, path, title == current) for title, path in PAGES.items())
    css = Path(__file__).with_name("navigation.css").read_text(encoding="utf-8")
    brand = f'<a class="brand" href="sales">{PRODUCT}</a>'
    bar = f'<div class="bar">{brand}<nav aria-label="Pages">{links}</nav></div>'
    return pn.pane.HTML(bar, stylesheets=[css], margin=0)


def _link(title: str, path: str, is_current: bool) -> str:
    mark = ' aria-current="page"' if is_current else ""
    return f'<a href="{path}"{mark}>{title}</a>'
