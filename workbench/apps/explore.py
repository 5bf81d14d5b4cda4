"""Page "Explore": any metrics by what is chosen, as charts or as a table."""

from workbench.shell import page

page("Explore", "workbench.dashboards.explore:Explore")
