"""The rows of a basket: each item changed where it stands, and the discount on all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import param
from panel.custom import JSComponent

from workbench import locale
from workbench.components.theme import money
from workbench.errors import FieldError, SaleRefused
from workbench.forms.item_line import plain_amount, sheets
from workbench.locale import _
from workbench.sales.discounts import NAME as SALE_DISCOUNT
from workbench.sales.discounts import sale_discount, split
from workbench.sales.models import LineInput, parse_line
from workbench.words import visible

TYPED = ("quantity", "unit_price", "discount")
SAME = ("product_code", "product_name", "category", "unit_price")  # what one row is of
NONE_OFF = Decimal("0.00")


class BasketRows(JSComponent):
    """``lines`` are the items with the discounts of their own, ``sold`` with their shares of the sale's.

    ``on_change`` is called when something in it may have changed, ``on_edit`` and ``on_remove`` with a place among the
    lines, ``on_leave`` when the keyboard is done here.
    """

    rows = param.List(default=[])
    sale_discount = param.List(default=["", "", "", False])  # text, what is wrong with it, hint, whether it is shown

    _bundle = Path(__file__).with_name("basket_rows.js")

    def __init__(
        self,
        currency: str,
        on_change: Callable[[], None],
        on_edit: Callable[[int], None],
        on_remove: Callable[[int], None],
        on_leave: Callable[[], None],
    ) -> None:
        super().__init__(stylesheets=sheets(), margin=(6, 8), sizing_mode="stretch_width")
        self._currency, self._on_change = currency, on_change
        self._acts, self._on_leave = {"edit": on_edit, "remove": on_remove}, on_leave
        self.lines: list[dict[str, Any]] = []
        self.discount = ""  # on the sale, as typed
        self._keys: list[int] = []  # of the row of each line
        self._next_key = count(1)
        self._typed: dict[int, dict[str, str]] = {}  # by key: texts that no line has taken
        self._errors: dict[int, list[FieldError]] = {}  # and why
        self.on_msg(lambda event: self._hear(event.data))

    @property
    def is_wrong(self) -> bool:
        """Whether something is typed that cannot be used."""
        return bool(self._typed or self._taken_off()[1])

    @property
    def shares(self) -> list[Decimal]:
        """What of the discount on the sale falls to each line; nothing while it cannot be used."""
        return split(self._taken_off()[0], [total(line) for line in self.lines])

    @property
    def sold(self) -> list[dict[str, Any]]:
        """The lines with all of their discount."""
        shares = zip(self.lines, self.shares, strict=True)
        return [line | {"discount": line["discount"] + share} for line, share in shares]

    def load(self, lines: Sequence[Mapping[str, Any]], discount: str = "") -> None:
        """Replaces all items."""
        self.lines, self.discount = [dict(line) for line in lines], discount
        self._keys = [next(self._next_key) for _ in lines]
        self._typed, self._errors = {}, {}
        self._show()

    def add(self, line: LineInput) -> dict[str, Any]:
        """Adds an item, to the row of the same product at the same price where there is one; returns what that has now.

        Raises SaleRefused when both together are more than a line may have.
        """
        new = line.model_dump()
        alike = (n for n, old in enumerate(self.lines) if all(old[name] == new[name] for name in SAME))
        place = next((n for n in alike if self._keys[n] not in self._typed), None)  # what is wrong there stays so
        if place is None:
            self.lines.append(new)
            self._keys.append(next(self._next_key))
        else:
            old = self.lines[place]
            both = {name: old[name] + new[name] for name in ("quantity", "discount")}
            self.put(place, parse_line(old | both))
        self._show()
        return self.lines[len(self.lines) - 1 if place is None else place]

    def put(self, place: int, line: LineInput) -> None:
        """Has another item in the place of one."""
        self.lines[place] = line.model_dump()
        self._forget(self._keys[place])
        self._show()

    def remove(self, place: int) -> None:
        """Takes an item out."""
        del self.lines[place]
        self._forget(self._keys.pop(place))
        self._show()

    def refuse(self, errors: Sequence[FieldError]) -> None:
        """Shows by each row what is wrong with it: ``lines.0.product_code``, until something in the row is changed.

        The sale can be sent again: what stood in its way may have gone.
        """
        self._errors = {key: found for key, found in self._errors.items() if key in self._typed}
        for error in errors:
            _, place, name = error.field.split(".")
            self._errors.setdefault(self._keys[int(place)], []).append(FieldError(name, error.value, error.allowed))
        self._show()

    def go_to_wrong(self) -> None:
        """Puts the keyboard into the first field that is wrong."""
        self._send_msg("wrong")

    def typed(self) -> dict[str, Any]:
        """What is typed and in no line yet, as ``retype`` takes it."""
        return {str(self._keys.index(key)): texts for key, texts in self._typed.items()}

    def retype(self, typed: Mapping[str, Mapping[str, str]]) -> None:
        """Types it again."""
        for place, texts in typed.items():
            for name, text in texts.items():
                self.type(int(place), name, text)

    def type(self, place: int, name: str, text: str) -> None:
        """Takes a text as it is typed into a field of a row; until it can be used the line stays as it was."""
        key, line = self._keys[place], self.lines[place]
        texts = self._typed.setdefault(key, {})
        texts[name] = text
        amounts = {each: plain_amount(typed, self._currency) for each, typed in texts.items()}
        try:
            self.lines[place] = parse_line(
                line | amounts | {"discount": amounts.get("discount", line["discount"]) or "0"}
            ).model_dump()
        except SaleRefused as refusal:
            self._errors[key] = [FieldError(e.field, texts.get(e.field, e.value), e.allowed) for e in refusal.fields]
        else:
            self._forget(key)
        self._show()

    def step(self, place: int, by: int) -> None:
        """One more or one less, down to one."""
        text = self._typed.get(self._keys[place], {}).get("quantity", str(self.lines[place]["quantity"]))
        if text.strip().isdecimal():
            self.type(place, "quantity", str(max(1, int(text) + by)))

    def type_discount(self, text: str) -> None:
        """Takes a discount on the sale as it is typed."""
        self.discount = text
        self._show()

    def _forget(self, key: int) -> None:
        self._typed.pop(key, None)
        self._errors.pop(key, None)

    def _taken_off(self) -> tuple[Decimal, str]:
        """What the discount on the sale is, and what is wrong with it."""
        try:
            whole = sum((total(line) for line in self.lines), NONE_OFF)
            return sale_discount(plain_amount(self.discount, self._currency), whole), ""
        except SaleRefused as refusal:
            return NONE_OFF, refusal.fields[0].beside

    def _show(self) -> None:
        amount, wrong = self._taken_off()
        hint = _("{amount} off, split over the items", amount=money(amount, self._currency)) if amount else ""
        self.param.update(
            rows=[self._row(*each) for each in zip(self._keys, self.lines, self.shares, strict=True)],
            sale_discount=[self.discount, wrong, hint, bool(self.lines or self.discount)],
        )
        self._on_change()

    def _row(self, key: int, line: Mapping[str, Any], share: Decimal) -> dict[str, Any]:
        errors, typed = self._errors.get(key, []), self._typed.get(key, {})
        code, name, category = (visible(line[each] or "") for each in SAME[:3])
        texts = {"quantity": str(line["quantity"]), "unit_price": locale.field_text(line["unit_price"]), "discount": ""}
        if line["discount"]:
            texts["discount"] = locale.field_text(line["discount"])
        return {
            "key": key,
            "name": name,
            "about": f"{code} · {category}" if category else code,
            "wrong": "; ".join(str(error) for error in errors if error.field not in TYPED),
            "words": {error.field: error.beside for error in errors if error.field in TYPED},
            "share": _("+ {amount} of the sale's", amount=money(share)) if share else "",
            "total": money(total(line) - share),
            "is_one": line["quantity"] == 1 and "quantity" not in typed,
        } | (texts | typed)

    def _hear(self, said: Any) -> None:
        """What a browser says is whatever somebody sends: nothing of it is believed."""
        if said == "leave":
            self._on_leave()
        if not isinstance(said, dict):
            return
        key, name, text, step, act = (said.get(word) for word in ("key", "name", "text", "step", "act"))
        if name == SALE_DISCOUNT and isinstance(text, str):
            self.type_discount(text[:100])
        if key not in self._keys:
            return  # of a row that has gone
        place = self._keys.index(key)
        if name in TYPED and isinstance(text, str):
            self.type(place, name, text[:100])
        elif step in (1, -1):
            self.step(place, step)
        elif isinstance(act, str) and act in self._acts:
            self._acts[act](place)


def total(line: Mapping[str, Any]) -> Decimal:
    """What a line costs after its discount."""
    return Decimal(line["quantity"] * line["unit_price"] - line["discount"])
