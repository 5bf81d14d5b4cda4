"""The catalogue: names of stores, cashiers, products and customers, and list prices. Sales keep bare ids."""

from workbench.catalogue.fields import KINDS, Field, Kind
from workbench.catalogue.service import Catalogue, Entry, LogEntry

__all__ = ["KINDS", "Catalogue", "Entry", "Field", "Kind", "LogEntry"]
