"""Page "Catalogue": names of stores, cashiers, products and customers, and list prices."""

from workbench.shell import page

page("Catalogue", "workbench.forms.catalogue_manager:CatalogueManager")
