"""Page "Analytics": figures and charts of the sales."""

from workbench.shell import page

page("Analytics", "workbench.dashboards.sales_dashboard:SalesDashboard")
