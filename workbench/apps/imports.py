"""Page "Import": sales from files, with a verdict for each row, and taken back."""

from workbench.shell import page

page("Import", "workbench.dashboards.imports_page:ImportsPage")
