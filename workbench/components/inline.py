"""Where components are shown: served by Panel, or in a notebook. What each place needs is decided here, once."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from typing import Any, TypeVar

import panel as pn
from panel.io.notebook import load_notebook
from panel.io.resources import get_dist_path
from panel.viewable import Viewable

from workbench.components import gate
from workbench.connection import Workbench
from workbench.database.askers import Asker
from workbench.database.replication import ReadPosition
from workbench.errors import NobodyWaits

T = TypeVar("T")
LEFT_SECONDS = 0.25  # so often a page that waits for figures is looked at
UNSEEN_SECONDS = 60.0  # what has not been shown in this time will not be
# By page of a notebook: the cell that has brought what draws, and which run of it.
_brought: dict[str | None, tuple[str | None, str | None]] = {}


@dataclass
class _Building:
    """What a page that is being built on a thread wants done once it is shown."""

    wanted: list[Callable[[], Any]] = field(default_factory=list)
    is_over: bool = False


_building: ContextVar[_Building | None] = ContextVar("building", default=None)


def is_served() -> bool:
    """Whether this runs in a session of a Panel server, of the app or of a served notebook."""
    # In a notebook too there is a document while one of its events is handled; but it has no session.
    return pn.state.curdoc is not None and pn.state.curdoc.session_context is not None


def is_notebook() -> bool:
    """Whether this runs in a notebook's kernel, and not in a server that was started from one."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is not None and not is_served()


def read_position_of(workbench: Workbench) -> ReadPosition:
    """Whose writes a component follows: its page's alone, or in a notebook all that were made with the workbench."""
    return ReadPosition() if is_served() else workbench.read_position


def prepare() -> None:
    """Makes Panel ready to show components here; safe to call again, and called again before anything is drawn.

    In a notebook everything that draws is put into the notebook itself: by default Panel would ask a CDN for it, and
    without internet nothing would be drawn. That must come before HoloViews or hvPlot load what they think is needed.
    Toasts do not work there, so they are off: components say what they have to say in alerts.
    """
    if is_served():
        begin_session()
        pn.extension("tabulator")
    elif is_notebook():
        is_first = not _brought
        if _is_due():
            _bring(is_first)


def begin_session() -> None:
    """To be called first in a session of a server: unknown hosts are refused, style sheets come from this server.

    Panel 1.9.4 says where they are when it gives the page. Of several processes (--num-procs) another may have given
    it: this one then named its CDN.
    """
    gate.keep()
    assert pn.state.curdoc is not None
    pn.state.curdoc.template_variables.setdefault("dist_url", get_dist_path())


def _bring(is_first: bool) -> None:
    is_late = _has_drawn()
    if is_first:
        pn.extension("tabulator", inline=True, notifications=False)
    if is_late or not is_first:  # Panel itself would leave out what it believes to be there
        load_notebook(inline=True, reloading=False)
    from workbench.components.panel_fixes import notebook

    notebook.mend(before_drawing=prepare)


def _is_due() -> bool:
    """True once for each page on this kernel, and again when the cell that it was true for is run again.

    A page that is reloaded is another one, and has none of the code that was brought before. A cell that is run again
    loses the outputs that brought it, and the notebook that is saved must hold them.
    """
    message = sys.modules["IPython"].get_ipython().get_parent()
    header = message.get("header", {})
    page, run, cell = header.get("session"), header.get("msg_id"), message.get("metadata", {}).get("cellId")
    before = _brought.get(page)
    is_again = before is not None and cell is not None and before[0] == cell and before[1] != run
    if before is None or is_again:
        _brought[page] = (cell, run)
    return before is None or is_again


def _has_drawn() -> bool:
    """Whether `import hvplot.pandas` or hv.extension came first: they have told the page to ask the CDN."""
    holoviews = sys.modules.get("holoviews")
    return holoviews is not None and bool(getattr(holoviews.extension, "_loaded", False))


def done_at_once(work: Callable[[], Coroutine[Any, Any, None]]) -> bool:
    """In a notebook does ``work`` before it goes on, for what is about to be shown; elsewhere only says False.

    The output may be all that is ever seen of it: nbconvert has no page that would hear of what comes later.
    """
    if not is_notebook():
        return False
    # On a thread, for the kernel's own loop runs this cell; in its context, which says what page and cell it is for.
    with ThreadPoolExecutor(1, thread_name_prefix="first-answer") as thread:
        thread.submit(copy_context().run, asyncio.run, work()).result()
    return True


async def read_aside(work: Callable[..., T], *given: Any) -> T:
    """What ``work`` reads, on a thread. Raises NobodyWaits once the page is closed.

    What is asked for this page alone then ends at the servers. Nothing is written in this way: a save goes on.
    """
    asker = Asker()
    with asker.asks():
        reading = asyncio.ensure_future(asyncio.to_thread(work, *given))
    while not reading.done():
        await asyncio.wait([reading], timeout=LEFT_SECONDS)
        if not reading.done() and not asker.has_left and is_closed():
            asker.leave()
    if asker.has_left:
        reading.exception()  # seen
        raise NobodyWaits
    return reading.result()


def is_closed() -> bool:
    """Whether the page that was open has no connection any more; its session ends half a minute later only."""
    context = pn.state.curdoc.session_context if pn.state.curdoc else None
    session = getattr(context, "session", None)
    return session is not None and pn.state.loaded and session.connection_count == 0


@contextmanager
def building() -> Iterator[None]:
    """What the block builds, on whatever thread, is the block's alone: ``when_shown`` waits for its end."""
    page = _Building()
    token = _building.set(page)
    try:
        yield
    finally:
        _building.reset(token)
        page.is_over = True
    while page.wanted:  # taken out: whatever was started in the block keeps this context, and nothing of the page
        pn.state.execute(page.wanted.pop(0), schedule=False)


def when_shown(work: Callable[[], Any]) -> None:
    """Runs ``work``, which may be a coroutine function, on the event loop as soon as what is built now is shown.

    Anything earlier would change on the event loop what a thread still builds.
    """
    page = _building.get()
    if page is None or page.is_over:
        pn.state.onload(work)
    else:
        page.wanted.append(work)


def while_shown(view: Viewable, work: Callable[[], Any], milliseconds: int) -> None:
    """Calls ``work`` again and again as long as ``view`` is on somebody's screen.

    A served session ends by itself. A notebook's output is cleared, or its cell run again, in a kernel that lives on.
    """
    if is_served():
        pn.state.add_periodic_callback(work, milliseconds)
        return
    seen, began = False, time.monotonic()

    def look() -> Any:
        nonlocal seen
        is_shown = bool(view._models)
        seen = seen or is_shown
        if not is_shown and (seen or time.monotonic() > began + UNSEEN_SECONDS):
            callback.stop()
            return None
        return work()

    callback = pn.state.add_periodic_callback(look, milliseconds)
