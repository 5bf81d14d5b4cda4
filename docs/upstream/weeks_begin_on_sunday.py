"""panel-material-ui 0.16.6: weeks of a DatePicker's calendar begin on Sunday, and none can say otherwise
(shell/calendar_weeks.js).

``panel serve weeks_begin_on_sunday.py``, open the calendar. Its date library has one locale, which nothing sets.
"""

import panel as pn
import panel_material_ui as pmui

pn.extension()
pmui.DatePicker(label="Day").servable()
