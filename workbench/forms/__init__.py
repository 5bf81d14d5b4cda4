"""The forms: Panel components that record, find, correct and void sales."""

from workbench.forms.sales_manager import SalesManager

__all__ = ["SalesManager"]
