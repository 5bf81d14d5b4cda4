"""Page "Analytics": figures and charts of the sales."""

from workbench.dashboards.sales_dashboard import SalesDashboard
from workbench.shell import page

page("Analytics", SalesDashboard)
