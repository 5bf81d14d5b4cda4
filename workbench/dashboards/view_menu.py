"""Named views: what is looked at, saved under a name on purpose, for oneself or for all; opened, renamed, deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import cached_property, partial
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param
from panel.viewable import Viewable, Viewer

from workbench.components.fields import Fields, text_field
from workbench.components.inline import read_aside
from workbench.components.messages import Action, Message, failures_said
from workbench.dashboards.tile import html
from workbench.errors import FieldError
from workbench.filters.saved_views import NAME_TAKEN, SavedView, SavedViews
from workbench.locale import N_, _

SAVE, REPLACE, RENAME, DELETE = N_("Save this view"), N_("Replace it"), N_("Rename"), N_("Delete")


class ViewMenu(Viewer):
    """A button, and the dialog that it opens, which is made when it is first wanted."""

    def __init__(self, make: Callable[[], ViewDialog]) -> None:
        super().__init__()
        self._make = make
        button = pmui.Button(label=_("Views"), icon="bookmark_border", variant="outlined", size="small", margin=0)
        button.on_click(self._show)
        self._row = pn.Column(button, margin=0, styles={"width": "fit-content"})

    @cached_property
    def _dialog(self) -> ViewDialog:
        return self._make()

    async def _show(self, _event: Any) -> None:
        await self._dialog.open()
        if len(self._row) == 1:  # what is drawn open need not hear that it should
            self._row.append(self._dialog)

    def __panel__(self) -> Viewable:
        return self._row


class ViewDialog(Viewer):
    """The named views. ``state`` tells what is looked at, ``on_open`` gets the state of the view to open.

    ``on_change`` runs after one was saved, renamed or deleted.
    """

    chosen: Any = param.ClassSelector(class_=SavedView)  # what is being renamed, or may be deleted
    offered = param.List(default=[SAVE])  # the labels of the buttons that are seen
    is_shared = param.Boolean(default=False)

    def __init__(
        self,
        views: SavedViews,
        state: Callable[[], str],
        on_open: Callable[[str], None],
        on_change: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        super().__init__()
        self._views, self._state, self._on_open, self._on_change = views, state, on_open, on_change
        self._message = Message()
        text = _("No views yet. Name what you are looking at, to find it again.")
        self._none = html(f'<p class="soft">{text}</p>')
        self._none.margin = (0, 8)
        self._list = pmui.MenuList(items=[], highlight=False, margin=0, sizing_mode="stretch_width")
        self._list.on_click(self._opened)
        for what in (RENAME, DELETE):
            self._list.on_action(_(what), partial(self._asked, what))
        self._fields = Fields({"view_name": text_field("view_name")}, lambda _name: self._typed())
        self._for_all = pmui.Checkbox.from_param(self.param.is_shared, label=_("For all"), margin=(0, 8))
        self._buttons = {
            SAVE: self._acting(SAVE, self._save),
            REPLACE: self._acting(REPLACE, partial(self._save, may_replace=True)),
            RENAME: self._acting(RENAME, self._rename),
            DELETE: self._acting(DELETE, self._delete, color="error"),
        }
        self._cancel = pmui.Button(
            label=_("Cancel"), variant="text", margin=0, on_click=lambda _event: self._ask_nothing()
        )
        self._dialog = pmui.Dialog(title=_("Views"), title_variant="h6", close_on_click=True, show_close_button=True)
        self._dialog.objects = [self._none, self._list, self._message, self._form()]
        self._offer()

    def _acting(self, label: str, work: Callable[[], Any], **look: Any) -> pmui.Button:
        button = pmui.Button(label=_(label), variant="contained", margin=0, **look)
        button.on_click(Action(work, self._message, button).run)
        return button

    def _form(self) -> Viewable:
        buttons = pmui.Row(*self._buttons.values(), self._cancel, margin=(0, 8), sx={"gap": "8px"})
        widgets = (self._fields.widgets["view_name"], self._for_all, buttons)
        return pmui.Column(*widgets, sx={"gap": "8px"}, sizing_mode="stretch_width", margin=0)

    async def open(self) -> None:
        """Opens it with the views that there are now."""
        self._message.clear()
        self._ask_nothing()
        with failures_said(self._message, is_saving=False):
            await self._load()
        self._dialog.open = True

    async def _load(self) -> None:
        found = (await read_aside(self._views.find)).value
        self._list.items = [self._item(view) for view in found]
        self._none.visible = not found

    def _item(self, view: SavedView) -> dict[str, Any]:
        is_own = view.owner == self._views.owner
        whose = _("My own") if is_own else _("By {who}", who=view.owner)
        icons = {RENAME: "edit", DELETE: "delete"}
        actions = [{"label": _(label), "icon": icon, "inline": True} for label, icon in icons.items()]
        return {
            "id": view.saved_view_id,
            "label": view.view_name,
            "secondary": _("{whose}, for all", whose=whose) if view.is_shared else whose,
            "icon": "bookmark" if is_own else "people",
            "actions": actions if is_own else [],
            "view": view,
        }

    def _opened(self, item: Any) -> None:
        self._dialog.open = False
        self._on_open(item["view"].state)

    def _ask_nothing(self) -> None:
        self._fields.forgive()
        self._fields.fill({"view_name": ""})
        self.param.update(chosen=None, offered=[SAVE], is_shared=False)

    def _asked(self, what: str, item: Any) -> None:
        view: SavedView = item["view"]
        self._message.clear()
        self._fields.forgive()
        self._fields.fill({"view_name": view.view_name})
        self.param.update(chosen=view, offered=[what])
        if what == DELETE:
            self._message.say("warning", _("It cannot be undone."), _("Delete “{name}”?", name=view.view_name))

    @param.depends("chosen", "offered", watch=True)
    def _offer(self) -> None:
        for label, button in self._buttons.items():
            button.visible = label in self.offered
        self._cancel.visible = self.chosen is not None
        self._for_all.visible = self.chosen is None and self._views.may_share
        self._fields.widgets["view_name"].visible = DELETE not in self.offered

    def _typed(self) -> None:
        if self.chosen is None:
            self.offered = [SAVE]  # another name replaces nothing

    async def _save(self, may_replace: bool = False) -> None:
        save = partial(self._views.save, self._fields.text("view_name"), self._state(), may_replace=may_replace)
        await self._write(partial(save, is_shared=self.is_shared), N_("View “{name}” saved."))

    async def _rename(self) -> None:
        rename = partial(self._views.rename, self.chosen.saved_view_id, self._fields.text("view_name"))
        await self._write(rename, N_("View “{name}” renamed."))

    async def _delete(self) -> None:
        await self._write(partial(self._views.delete, self.chosen.saved_view_id), N_("View “{name}” deleted."))

    async def _write(self, work: Callable[[], SavedView], said: str) -> None:
        self._message.clear()
        try:
            done = await asyncio.to_thread(work)
        except FieldError as error:
            if self._fields.show([error]):
                raise  # it belongs to no field here: the message says it
            if error.allowed == _(NAME_TAKEN) and self.chosen is None:
                self.offered = [SAVE, REPLACE]
            return
        self._ask_nothing()
        self._message.say("success", _(said, name=done.view_name))
        await self._load()
        if self._on_change is not None:
            await self._on_change()

    def __panel__(self) -> Viewable:
        return self._dialog
