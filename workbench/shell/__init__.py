"""The frame that every served page has: app bar, navigation, state of the servers, dark and light, errors in words."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from pkgutil import resolve_name

import panel as pn
import panel_material_ui as pmui
from panel.io.state import state as panel_state
from panel.viewable import Viewable, Viewer
from panel_material_ui.template.base import Page

from workbench import telemetry
from workbench.accounts.actor import current_actor, os_user
from workbench.components import signed_in, theme
from workbench.components.inline import begin_session, building, read_aside
from workbench.components.panel_fixes.served import (
    defined_late,
    deliver_all_writes,
    forget_views,
    keep_styles_local,
    leave_quietly,
    send_once,
    without_busy,
)
from workbench.config.clock import weekdays
from workbench.connection import Workbench, open_workbench
from workbench.errors import NobodyWaits, RoleRefused, WorkbenchError
from workbench.locale import N_, _, conventions, english, language, texts_of_scripts
from workbench.shell.navigation import PRODUCT, SEEN_BY, Banner, navigation

__all__ = ["frame", "page"]
log = logging.getLogger(__name__)

Content = Callable[[Workbench], Viewable | Viewer]
FOLDER = Path(__file__).parent
THEME_COOKIE = "workbench_theme"
SCRIPTS = (
    *("calendar_weeks", "connection", "drawn_again", "drawn_alone", "keyboard", "measured_late", "not_sent_back"),
    *("nothing_missed", "plain_styles", "separators", "shadow_roots", "table_roles", "tables", "without_eval"),
)
TOAST_MS = 8000
WIDTH = 2560  # pixels of a page at most; what is read or filled in says itself where it ends
LOADING = '<p class="soft waiting" role="status">{}</p>'
MARGINS = {"p": {"xs": "16px", "md": "24px"}, "gap": "16px"}
LAYOUT = {
    # What stands beside the content says how wide it is, where there is room for both.
    "& main.main": {
        "backgroundColor": "background.default",
        "@media (min-width: 1200px)": {"paddingRight": "var(--beside, 0px)"},
    },
    # Panel's busy state is the whole process's: one busy user would show as a bar on everybody's page.
    "& header .MuiLinearProgress-root": {"display": "none"},
    "& main.main .MuiToolbar-root .MuiTypography-h5": {"visibility": "hidden"},  # has no text, keeps a place
}
NOT_BUILT = N_("This page could not be built. The cause is in the server's log.")


def page(title: str, content: Content | str) -> None:
    """Makes the page ``title`` of the current session and serves it; ``content`` is called after the frame is drawn.

    By its name, ``module:name``, it is not imported before. It is made for those alone who may see it.
    """
    begin_session()
    pn.extension("tabulator", notifications=True, exception_handler=show_error)
    telemetry.SESSIONS.inc()
    pn.state.on_session_destroyed(_left)
    panel_state.as_cached("pending-writes", deliver_all_writes)
    panel_state.as_cached("closed-pages", leave_quietly)
    panel_state.as_cached("local-styles", keep_styles_local)
    panel_state.as_cached("sent-once", send_once)
    assert pn.state.curdoc is not None
    defined_late(pn.state.curdoc)
    try:
        workbench = open_workbench()
        refuse_stranger()
        current_actor().need(SEEN_BY.get(title, "viewer"), _("The page {title}", title=_(title)))
    except WorkbenchError as error:
        body: list[Viewable | Viewer] = [problem(str(error))]
    else:
        body = [Banner(workbench.monitor), deferred(content, workbench)]
    frame(title, body).servable()


def refuse_stranger() -> None:
    """Raises RoleRefused where people log in and this one has no account: Panel's provider knows the name, we do not.

    A server without the plugin asks nobody; its pages are shown on loopback alone.
    """
    actor = current_actor()
    if actor.may("viewer"):
        return
    if name := signed_in.name_of_page():
        raise RoleRefused(
            _(
                "{name} has no account here. An admin makes one: `workbench user add {name} --role viewer"
                " --no-password`.",
                name=name,
            )
        )
    raise RoleRefused(
        _("People have to log in here: serve the app with `workbench serve`, or with the plugin README names.")
    )


def _left(context: object) -> None:
    telemetry.SESSIONS.dec()
    forget_views(context)


def deferred(content: Content | str, workbench: Workbench) -> Viewable:
    """A place that says "Loading" until the browser has the frame; it is then filled, made on a thread.

    Only this is on a thread: callbacks stay on the event loop (no --num-threads). On Panel's threads a click now and
    then overtakes the change of the field before it, or is lost. Imports stay there too: Panel and Param look at
    modules that are there in part while another thread still imports them.
    """
    waiting = pn.pane.HTML(LOADING.format(_("Loading ...")), stylesheets=[theme.stylesheet()], margin=0)
    place = pn.Column(waiting, margin=0, sizing_mode="stretch_width")

    async def fill() -> None:
        try:
            make: Content = resolve_name(content) if isinstance(content, str) else content
        except Exception:
            log.exception("A page could not be imported")
            place[:] = [problem(_(NOT_BUILT))]
            return
        with building():
            place[:] = [await read_aside(build, make, workbench)]

    pn.state.onload(fill)
    return place


def build(content: Content, workbench: Workbench) -> Viewable | Viewer:
    """The content, or why there is none."""
    try:
        return content(workbench)
    except WorkbenchError as error:
        return problem(str(error))
    except Exception:
        log.exception("A page could not be built")
        return problem(_(NOT_BUILT))


def problem(text: str) -> Viewable:
    """A page's content when there is nothing else to show: what is wrong and what to do."""
    said = f"{theme.esc(text)}<br>{_('Reload this page once that is done.')}"
    alert = pmui.Alert(title=_("This page cannot be shown"), severity="error", sizing_mode="stretch_width")
    alert.append(pn.pane.HTML(said, stylesheets=[theme.stylesheet()], sizing_mode="stretch_width"))
    return alert


def show_error(error: BaseException) -> None:
    """What a session does with an error that no component caught: the log has it, the user is told."""
    if isinstance(error, NobodyWaits):
        return
    text = _("That did not work. The cause is in the server's log.")
    if isinstance(error, WorkbenchError):
        text = str(error)
        log.warning("%s: %s", type(error).__name__, english(error))
    else:
        log.error("Unexpected error in a session", exc_info=error)
    if pn.state.notifications is not None:
        pn.state.notifications.error(text, duration=TOAST_MS)


def page_template() -> str:
    """The page's document, which names its language, the signs in numbers and where weeks begin to the scripts."""
    now = conventions()
    marks = {
        "LANGUAGE": language(),
        "DECIMAL": now.decimal,
        "GROUP": now.group,
        "BEYOND": str(now.beyond),
        "OCLOCK": now.time.strip("%HM"),
        "TEXTS": texts_of_scripts(),
        "WEEKDAY": str(weekdays()[0] % 7),
    }
    return re.sub("|".join(marks), lambda found: marks[found[0]], _page_template())


@cache
def _page_template() -> str:
    """The page's document, with the scripts that follow its connection and mend what it is drawn by.

    They begin at DOMContentLoaded, once: Panel's es-module-shims sends that event a second time.
    """
    scripts = ";\n".join((FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)
    return (FOLDER / "page.html").read_text(encoding="utf-8").replace("SCRIPTS", scripts)


def frame(title: str, body: list[Viewable | Viewer]) -> Page:
    """The page around ``body``; its theme is what the browser last chose, else what the system prefers."""
    heading = pn.pane.HTML(f"<h1>{theme.esc(_(title))}</h1>", stylesheets=[theme.stylesheet()], margin=0)
    main = pmui.Column(heading, *body, sx=MARGINS, sizing_mode="stretch_width")
    made = Page(
        meta_title=f"{_(title)} - {_(PRODUCT)}",
        header=[navigation(title, signed_in.actor_of_page(), os_user())],
        main=[main],
        main_width=WIDTH,
        theme_config=theme.THEME,
        sx=LAYOUT,
        dark_theme=pn.state.cookies.get(THEME_COOKIE, "").endswith("dark"),
        favicon=FOLDER / "icon.svg",
        template=page_template(),
    )
    return without_busy(made)
