"""Page "Import": sales from files, with a verdict for each row, and taken back."""

from workbench.dashboards.imports_page import ImportsPage
from workbench.shell import page

page("Import", ImportsPage)
