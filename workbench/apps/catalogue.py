"""Page "Catalogue": names of stores, cashiers, products and customers, and list prices."""

from workbench.forms.catalogue_manager import CatalogueManager
from workbench.shell import page

page("Catalogue", CatalogueManager)
