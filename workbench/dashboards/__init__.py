"""The dashboards: Panel components that read, usable alone in a notebook."""

from workbench.dashboards.bars import RevenueByCashier, RevenueByCategory, RevenueByPaymentMethod, RevenueByStore
from workbench.dashboards.customer_tables import Customers, DiscountsByCategory, DiscountsByStore
from workbench.dashboards.heatmap import BusyHours
from workbench.dashboards.kpis import AvgTransaction, ItemsSold, TotalRevenue, TotalTransactions
from workbench.dashboards.over_time import RevenueOverTime
from workbench.dashboards.pipeline import PipelinePage
from workbench.dashboards.product_tables import Baskets, ProductTable
from workbench.dashboards.products import TopProductsByQuantity, TopProductsByRevenue
from workbench.dashboards.recent_sales import RecentSales
from workbench.dashboards.sale_list import SaleList
from workbench.dashboards.sales_dashboard import SalesDashboard

__all__ = [
    "AvgTransaction",
    "Baskets",
    "BusyHours",
    "Customers",
    "DiscountsByCategory",
    "DiscountsByStore",
    "ItemsSold",
    "PipelinePage",
    "ProductTable",
    "RecentSales",
    "RevenueByCashier",
    "RevenueByCategory",
    "RevenueByPaymentMethod",
    "RevenueByStore",
    "RevenueOverTime",
    "SaleList",
    "SalesDashboard",
    "TopProductsByQuantity",
    "TopProductsByRevenue",
    "TotalRevenue",
    "TotalTransactions",
]
