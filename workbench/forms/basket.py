"""The basket: items on their way into a sale, by a line of text or by their details, and what they add up to."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

import panel as pn

from workbench import locale
from workbench.catalogue.names import Names
from workbench.components.fields import MARGIN
from workbench.components.html import html_pane
from workbench.components.inline import read_aside
from workbench.components.theme import esc, money
from workbench.errors import FieldError, SaleRefused, ServerUnavailable
from workbench.forms.basket_rows import BasketRows, total
from workbench.forms.item_entry import ItemEntry
from workbench.forms.item_line import ItemLine, Known, KnownProducts, TypedItem, as_unknown, plain_amount
from workbench.forms.named_ids import no_names
from workbench.locale import _, english, ngettext
from workbench.sales.models import LineInput, parse_line
from workbench.sales.products import find_product, known_products
from workbench.sales.service import Sales
from workbench.words import items_text, unstorable, visible

log = logging.getLogger(__name__)


class Basket(pn.viewable.Viewer):
    """Items that can be added, changed and removed. ``sold`` is what ``parse_sale`` takes.

    ``on_change`` is called whenever items, or what is typed of one, may have changed; ``on_save`` by Ctrl+Enter.
    """

    def __init__(
        self,
        sales: Sales,
        on_change: Callable[[], None] = lambda: None,
        names: Callable[[], Names] = no_names,
        day: Callable[[], date] | None = None,
        on_save: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__()
        self._sales, self._day, self._tell = sales, day or sales.clock.today, on_change
        self._currency = sales.engines.settings.workbench_currency
        self._entered: deque[tuple[str, str]] = deque()  # what Enter was pressed on, with the code that was marked
        self._is_held = self._are_details_kept = False
        self._settled = asyncio.Event()  # not set while a product is looked up
        self._settled.set()
        self._refused = ""  # what is said of the item in the details
        self._waiting: list[tuple[str, str]] = []  # what was refused while they held another
        self._next: list[LineInput] = []  # added in other ways while the sale is being saved
        self._edited: Mapping[str, Any] = {}  # the line that the details change, as it was
        self.products = KnownProducts(names)
        self._totals = html_pane(margin=MARGIN)
        self.line = ItemLine(self._suggest, self.enter, self._toggle_details, on_save)
        self.rows = BasketRows(self._currency, self._changed, self.edit, self.remove, self.line.focus)
        self.entry = ItemEntry(sales, self._add_detailed, on_change, names, day, self._detailed)
        self._details = pn.Column(self.entry, sizing_mode="stretch_width", margin=0, visible=False)
        self._changed()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The items, with the discounts of their own."""
        return self.rows.lines

    @property
    def sold(self) -> list[dict[str, Any]]:
        """The items, with their shares of the discount on the sale."""
        return self.rows.sold

    @property
    def is_pending(self) -> bool:
        """True while something is typed that is in no line yet, or cannot be used."""
        typed = self.line.text.strip() or self._waiting or self._entered
        return bool(typed) or self.entry.is_pending or self.rows.is_wrong

    def refuse_pending(self) -> bool:
        """Whether something is; it is said where it stands."""
        if self.entry.is_pending:
            self._open_details(is_open=True)
            self.entry.message.say("warning", _("Add it, or clear it."), _("This item is not in the basket yet."))
        elif self.line.text.strip():
            self.line.say(_("This item is not in the basket yet: Enter puts it there."))
            self.line.focus()
        elif self.rows.is_wrong:
            self.rows.go_to_wrong()
        elif self._waiting or self._entered:
            self._open_details(is_open=True)
            self._say()
        return self.is_pending

    def load(self, lines: Sequence[Mapping[str, Any]], discount: str = "") -> None:
        """Replaces all items; what is being typed of one is cleared, but for the item line."""
        self._waiting.clear()
        self.rows.load(lines, discount)
        self.entry.clear()

    def clear_line(self) -> None:
        """Empties the item line, and forgets what was entered and is in no line yet."""
        self._entered.clear()
        self.line.write("")

    def draft(self) -> dict[str, Any]:
        """What is typed, right or wrong, as ``restore`` takes it."""
        return {
            "lines": self.lines,
            "discount": self.rows.discount,
            "typed": self.rows.typed(),
            "line": self.line.text,
            "waiting": [*self._waiting, *self._entered],
            "entry": self.entry.draft(),
        }

    def restore(self, draft: Mapping[str, Any]) -> None:
        """Takes a draft. Raises SaleRefused when a line in it is none."""
        self.load([parse_line(line).model_dump() for line in draft["lines"]], draft["discount"])
        self.rows.retype(draft["typed"])
        self.line.write(draft["line"])
        self.entry.restore(draft["entry"])
        self._edited = {} if self.entry.row is None else self.lines[self.entry.row]
        self._open_details(is_open=self.entry.is_pending)
        for text, code in draft["waiting"]:
            self.enter(text, code)

    @contextmanager
    def held(self) -> Iterator[None]:
        """While the sale is being saved: what is entered meanwhile is of the next one."""
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = False
            if self._next:
                lines, self._next = self._next, []
                self.repeat(lines, _("The items that were added meanwhile"))
            self._go_on()

    async def load_products(self) -> None:
        """Reads what was sold before; without a server the catalogue alone is known."""
        try:
            self.products.learn((await read_aside(known_products, self._sales.reader, self._sales.read_position)).value)
        except ServerUnavailable as error:
            log.warning("Products that were sold are not known: %s", english(error))

    async def settle(self) -> None:
        """Waits until each item that was entered is in the basket, or refused."""
        while not self._settled.is_set():  # the next one may have to be looked up as well
            await self._settled.wait()

    def edit(self, place: int) -> None:
        """Takes an item into the details, unless another waits there."""
        if self.entry.is_pending:
            self.refuse_pending()
        else:
            self._open_details(is_open=True)
            self._edited = dict(self.lines[place])
            self.entry.load(self.lines[place], place)

    def remove(self, place: int) -> None:
        """Takes an item out of the basket."""
        self.line.say(told=_("{product}: removed.", product=visible(self.lines[place]["product_name"])))
        self.rows.remove(place)
        edited = self.entry.row
        if edited == place:  # what is being changed is not there any more: it would come back as a new item
            self.entry.clear()
        elif edited is not None and edited > place:
            self.entry.row = edited - 1

    def repeat(self, lines: Iterable[LineInput], what: str) -> None:
        """Adds lines of another sale, ``what``."""
        if self._is_held:
            self._next.extend(lines)
            return
        try:
            for line in lines:
                self.rows.add(line)
        except SaleRefused as refusal:
            self.line.say(_("{what} cannot be added: {why}", what=what, why=refusal))
        else:
            self.line.say(told=_("{what} are in the basket.", what=what))
        self.line.focus()

    def enter(self, text: str, code: str = "") -> None:
        """Takes what Enter was pressed on; each in its turn, whatever has to be looked up for the one before."""
        self._entered.append((text, code))
        self._go_on()

    def _go_on(self, looked_up: str = "") -> None:
        while self._entered and self._settled.is_set() and not self._is_held:
            text, code = self._entered[0]
            typed, found = self.products.read(text, self._day())
            if not found and text != looked_up and not unstorable(text):
                self._settled.clear()
                pn.state.execute(partial(self._look_up, text))
                return
            self._entered.popleft()
            marked = [each for each in found if each.product_code == code]
            self._take(text, code, typed, next(iter(marked or found), None))
        self._tell()

    async def _look_up(self, text: str) -> None:
        """Asks whether what nobody here knows was sold meanwhile, maybe by somebody else."""
        code = as_unknown(text).words
        try:
            if not self.products.are_read:
                await self.load_products()
            found = (await asyncio.to_thread(find_product, self._sales.reader, self._sales.read_position, code)).value
            self.products.learn([] if found is None else [found])
        except ServerUnavailable as error:
            log.warning("Product %r is not looked up: %s", code, english(error))
        finally:
            self._settled.set()
            self._go_on(text)

    def _take(self, text: str, code: str, typed: TypedItem, product: Known | None) -> None:
        """Puts an item into the basket; where that cannot be the details have what is known of it."""
        if product is None:
            typed = as_unknown(text)
        texts = _texts(typed, product)
        try:
            line = parse_line(texts | {"unit_price": plain_amount(texts["unit_price"], self._currency)})
            self._say_added(line, self.rows.add(line))
        except SaleRefused as refusal:
            if self.entry.is_pending:
                self._waiting.append((text, code))
                self._say()
            else:
                self._refuse(text, texts, refusal.fields, is_known=product is not None)

    def _say_added(self, line: LineInput, now: Mapping[str, Any]) -> None:
        has = "" if now["quantity"] == line.quantity else _(", {n} now", n=locale.number(now["quantity"]))
        self._say(
            _(
                "{item}: in the basket{has}.",
                item=f"{locale.number(line.quantity)} × {visible(line.product_name)}",
                has=has,
            )
        )

    def _refuse(self, text: str, texts: dict[str, str], errors: list[FieldError], *, is_known: bool) -> None:
        self.entry.take(texts, errors)
        self._open_details(is_open=True)
        is_unknown = not is_known and (texts["product_code"] or texts["product_name"])
        why = _("no product that is known: say in the details what it is, or clear them")
        shown = visible(" ".join(text.split()))
        self._refused = _(
            "“{text}” is {what}.", text=shown, what=why if is_unknown else _("in the details: {error}", error=errors[0])
        )
        self._say()

    def _say(self, told: str = "") -> None:
        """Below the line: what has been done, what is wrong, and what waits for that to be settled."""
        waiting = ", ".join(f"“{visible(text)}”" for text, _ in self._waiting)
        waits = ngettext(
            "{items} waits until the item in the details is added, or cleared.",
            "{items} wait until the item in the details is added, or cleared.",
            len(self._waiting),
            items=waiting,
        )
        self.line.say(f"{self._refused} {waits}" if waiting else self._refused, told)

    def _add_detailed(self, line: LineInput, place: int | None) -> None:
        if self._is_held and place is None:
            self._next.append(line)
        elif place is None:
            self._say_added(line, self.rows.add(line))
        else:  # what was scanned into the row meanwhile stays in it
            changed = {name: value for name, value in line.model_dump().items() if value != self._edited[name]}
            self.rows.put(place, parse_line(self.lines[place] | changed))

    def _detailed(self, *, is_added: bool) -> None:
        """The details are empty again: the next item begins where this one did."""
        if is_added and self._are_details_kept:
            self.entry.fields.widgets["product_code"].focus()
        elif not self._are_details_kept:
            self._open_details(is_open=False)
            if is_added:
                self.line.focus()
        self._entered.extendleft(reversed(self._waiting))
        self._waiting.clear()
        self._refused = self.line.word = ""
        self._go_on()

    def _toggle_details(self) -> None:
        self._are_details_kept = not self._details.visible
        self._open_details(is_open=self._are_details_kept)

    def _open_details(self, *, is_open: bool) -> None:
        self._details.visible = self.line.is_open = is_open

    def _suggest(self, text: str) -> None:
        typed, found = self.products.read(text, self._day())
        self.line.suggest(text, [(each.product_code, self._label(typed, each)) for each in found])
        self._tell()

    def _label(self, typed: TypedItem, product: Known) -> str:
        price = money(product.unit_price, self._currency) if product.unit_price is not None else _("price not known")
        price = (typed.price or price) + (_(" for one {unit}", unit=visible(product.unit)) if product.unit else "")
        parts = " · ".join((visible(product.product_code), visible(product.product_name), price))
        return parts if typed.quantity == "1" else f"{typed.quantity} × {parts}"

    def _changed(self) -> None:
        self._totals.object = _totals(self.rows.sold, self._currency)
        self._tell()

    def __panel__(self) -> pn.Column:
        return pn.Column(self.line, self._details, self.rows, self._totals, sizing_mode="stretch_width", margin=0)


def _texts(typed: TypedItem, product: Known | None) -> dict[str, str]:
    """An item as its details have it, as far as it is known: what has blanks in it is a name rather than a code."""
    texts = {"quantity": typed.quantity, "unit_price": typed.price, "discount": "", "category": ""}
    if product is None:
        is_name = " " in typed.words
        named = {"product_code": "" if is_name else typed.words, "product_name": typed.words if is_name else ""}
        return texts | named
    price = locale.field_text(product.unit_price)
    texts |= {"product_code": product.product_code, "product_name": product.product_name}
    return texts | {"category": product.category or "", "unit_price": typed.price or price}


def _totals(lines: Sequence[Mapping[str, Any]], currency: str) -> str:
    if not lines:
        return f'<p class="soft">{_("No items yet.")}</p>'
    discount = sum((line["discount"] for line in lines), Decimal(0))
    amount = sum((total(line) for line in lines), Decimal(0))
    items = items_text([line["quantity"] for line in lines])
    return (
        f'<p class="number">{items} <span class="soft">· {_("Discount")} {esc(money(discount, currency))}</span>'
        f" · <strong>{_('Total')} {esc(money(amount, currency))}</strong></p>"
    )
