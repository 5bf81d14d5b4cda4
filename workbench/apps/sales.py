"""Page "Sales": record, find, correct and void sales."""

from workbench.forms import SalesManager
from workbench.shell import page

page("Sales", SalesManager)
