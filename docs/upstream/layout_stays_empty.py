"""Bokeh 3.9.2: a layout stays empty that is filled while one beside it is still being made (shell/nothing_missed.js).

``panel serve layout_stays_empty.py``: "Filled" never appears. The views of a batch listen (``connect_signals``) when
the last of them is built (``build_views``); a component's script takes its time, and what changes meanwhile is missed.
"""

import asyncio

import panel as pn
from panel.custom import JSComponent

pn.extension()


class Late(JSComponent):
    _esm = """
    await new Promise((done) => setTimeout(done, 1000))
    export function render() { return Object.assign(document.createElement("p"), {textContent: "Late"}) }
    """


page, place = pn.Column(), pn.Column()


async def fill() -> None:
    page[:] = [pn.Row(place, Late())]
    await asyncio.sleep(0.3)
    place[:] = ["Filled"]


pn.state.onload(fill)
page.servable()
