"""Page "Explore": any metrics by what is chosen, as charts or as a table."""

from workbench.dashboards.explore import Explore
from workbench.shell import page

page("Explore", Explore)
