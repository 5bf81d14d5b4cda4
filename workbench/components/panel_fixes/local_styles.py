"""Panel 1.9 takes a style sheet of this server's for one of its network's wherever it does not know the page of a
component, as of one that is restyled when it has just left it. Sheets are shared by all that is on the page, which then
asks another machine for them and loses its look. Delete when tests/unit/components/test_local_styles.py fails; nobody
seems to have reported it.
"""

from __future__ import annotations

from bokeh.models import ImportedStyleSheet
from panel import reactive
from panel.io import resources

from workbench.components.inline import is_served


def keep_styles_local() -> None:
    """Leaves a sheet of this server's where it is, on a page that is served. Called once a process."""
    patch = resources.patch_stylesheet

    def patch_unless_local(stylesheet: ImportedStyleSheet, dist_url: str) -> None:
        if dist_url != resources.CDN_DIST or not is_served():
            patch(stylesheet, dist_url)

    for module in (reactive, resources):
        vars(module)["patch_stylesheet"] = patch_unless_local
