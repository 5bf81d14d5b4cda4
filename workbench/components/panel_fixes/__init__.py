"""What mends Panel, Bokeh and their companions from outside: one function a fix, and "delete when" with each.

For each there is a test that fails once it is needed no longer: it runs the same with the fix and without.
"""
