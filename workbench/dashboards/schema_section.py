"""The schema's migrations: which have run, which are pending, and the button that runs them."""

from __future__ import annotations

import asyncio

import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewable, Viewer

from workbench import migrations
from workbench.accounts.actor import current_actor
from workbench.components import theme
from workbench.components.browser.said import Said
from workbench.components.html import html_pane
from workbench.database.engines import Engines
from workbench.errors import WorkbenchError
from workbench.words import counted


class SchemaSection(Viewer):
    """Asks the master when it is made, when the master comes back and after a run; not every second."""

    def __init__(self, engines: Engines) -> None:
        super().__init__()
        self._engines, self._actor = engines, current_actor()
        self._seen: tuple[bool, str] | None = None
        self._is_running = False
        self._broken: list[str] = []
        self._list = html_pane()
        self._said = Said()
        self._run_button = pmui.Button(label="Run migrations", variant="outlined", margin=0, width=170, disabled=True)
        self._run_button.on_click(self._run)
        self._show(*self._ask())

    async def follow(self, is_master_up: bool, note: str = "") -> None:
        """Takes note of the master's state, and of what is said of it; looks again when that has changed."""
        if (is_master_up, note) != self._seen:
            self._seen = (is_master_up, note)
            self._show(*await asyncio.to_thread(self._ask))

    def _ask(self) -> tuple[list[migrations.Revision], str]:
        """The pending migrations as the master says, and what the page says of them (HTML)."""
        try:
            pending = migrations.pending(self._engines)
            self._broken = migrations.broken_indexes(self._engines)
        except WorkbenchError as error:
            return [], f'<p class="note bad">{theme.esc(error)}</p>'
        return pending, schema_html(migrations.applied(pending), pending, self._broken)

    def _show(self, pending: list[migrations.Revision], text: str) -> None:
        self._list.object = text
        self._run_button.disabled = not (pending or self._broken) or self._is_running

    async def _run(self, event: object) -> None:
        if self._is_running:  # the second click of a double click arrives before the button is off
            return
        self._is_running = True
        self._run_button.param.update(disabled=True, loading=True)
        try:
            done = await asyncio.to_thread(migrations.migrate, self._engines, actor=self._actor)
            self._said.say(done.text() if done else "There was nothing to run.", "good")
        except WorkbenchError as error:
            self._said.say(str(error), "bad")
        finally:
            self._is_running = False
            self._run_button.loading = False
            self._show(*await asyncio.to_thread(self._ask))

    def __panel__(self) -> Viewable:
        heading = pn.pane.HTML("<h2>Schema</h2>", stylesheets=[theme.stylesheet()], margin=0)
        run = [self._run_button, self._said] if self._actor.may("admin") else []
        return pmui.Column(heading, self._list, *run, sx={"gap": "16px"}, sizing_mode="stretch_width")


def schema_html(done: list[migrations.Revision], pending: list[migrations.Revision], broken: list[str]) -> str:
    """Each migration with what it makes and whether it has run, and in words what is to be done."""
    rows = [(r, "applied") for r in done] + [(r, "pending") for r in pending]
    items = "".join(
        f'<li><span class="state {"up" if what == "applied" else "amber"}">{what.capitalize()}</span> '
        f"<code>{theme.esc(r.revision)}</code>{theme.esc(r.title)}</li>"
        for r, what in rows
    )
    waiting = f"{counted(len(pending), 'migration')} {'is' if len(pending) == 1 else 'are'} pending."
    summary = waiting if pending else "The schema is up to date."
    if broken:
        summary += f" Reading indexes are missing, so that figures are slow: {', '.join(broken)}."
    return f'<p>{summary}</p><ul class="plain">{items}</ul>'
