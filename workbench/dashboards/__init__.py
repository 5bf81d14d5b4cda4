"""The dashboards: Panel components that read, usable alone in a notebook."""

from workbench.dashboards.sales_dashboard import SalesDashboard

__all__ = ["SalesDashboard"]
