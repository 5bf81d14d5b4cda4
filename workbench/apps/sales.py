"""Page "Sales": record, find, correct and void sales."""

from workbench.shell import page

page("Sales", "workbench.forms:SalesManager")
