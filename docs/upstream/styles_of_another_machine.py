"""Panel 1.9.4: a style sheet of this server's becomes one of another machine's
(components/panel_fixes/served.py).

``python styles_of_another_machine.py`` prints the address of a sheet before and after a component that has left its
page is restyled: it is shared, so that all that is on the page asks the other machine then.
"""

from bokeh.models import ImportedStyleSheet
from panel import reactive
from panel.io import resources

sheet = ImportedStyleSheet(url=f"{resources.LOCAL_DIST}css/loading.css")  # as a served page has it
print(sheet.url)
vars(reactive)["patch_stylesheet"](sheet, resources.CDN_DIST)  # as `Reactive` does for a component without a page
print(sheet.url)
