"""Page "Reports": notebooks that run with parameters, to read and to download."""

from workbench.shell import page

page("Reports", "workbench.dashboards.reports_page:ReportsPage")
