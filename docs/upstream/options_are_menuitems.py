"""panel-material-ui 0.16.6: what stands in the list of a Select has the role of a menuitem, without a state
(shell/shadow_roots.js).

``panel serve options_are_menuitems.py``, open the list and look at it with the accessibility tree: a listbox whose
children are no options. Material gives its own children the role, and these are wrapped.
"""

import panel as pn
import panel_material_ui as pmui

pn.extension()
pmui.Select(label="Fruit", options=["apple", "pear"], value="apple").servable()
