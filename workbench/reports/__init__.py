"""Reports: notebooks that are found, run as the reader, and exported; and what their authors write them with."""

from workbench.reports.chart import Chart, chart
from workbench.reports.compare import compare, compare_by, days_of_months
from workbench.reports.data import ReportData, answered, earlier_month, month_days, within
from workbench.reports.parameters import Day, Month
from workbench.reports.picture import Picture, bars, lines
from workbench.reports.reconcile import reconcile
from workbench.reports.table import Table, table

__all__ = [
    "Chart",
    "Day",
    "Month",
    "Picture",
    "ReportData",
    "Table",
    "answered",
    "bars",
    "chart",
    "compare",
    "compare_by",
    "days_of_months",
    "earlier_month",
    "lines",
    "month_days",
    "reconcile",
    "table",
    "within",
]
