"""Page "Analytics": figures and charts of the sales."""

import panel as pn

from workbench.shell import page

page("Analytics", lambda workbench: pn.pane.HTML("<p>The charts come here.</p>"))
