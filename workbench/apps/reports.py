"""Page "Reports": notebooks that run with parameters, to read and to download."""

from workbench.dashboards.reports_page import ReportsPage
from workbench.shell import page

page("Reports", ReportsPage)
