"""What a sale is: the input models with their validation, what they refuse in words, and the sale as it is stored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import pandas as pd
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from workbench import locale
from workbench.errors import FieldError, SaleRefused
from workbench.locale import N_, _
from workbench.words import hidden

COMMA = re.compile(r"([+-]?\d+),(\d{1,2})")  # 3,50
GROUPED = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+,\d{1,2}")  # 1.234,50
GROUPED_BY_COMMAS = re.compile(r"[+-]?\d{1,3}(?:(?:,\d{3})+\.\d{1,2}|(?:,\d{3}){2,})")  # 1,234.50 and 1,234,567
GROUPED_BY_TWO = re.compile(r"[+-]?\d{1,2}(?:,\d\d)*,\d\d,\d{3}(?:\.\d{1,2})?")  # 1,00,000.50 in India
GROUPED_BY_POINTS = re.compile(r"[+-]?\d{1,3}(?:\.\d{3}){2,}")  # 1.234.567
GROUPED_BY_SPACES = re.compile(rf"[+-]?\d{{1,3}}(?:[{locale.BLANKS}]\d{{3}})+(?:[.,]\d{{1,2}})?")  # 1 234,50
MARK = re.compile(f"[{locale.MARKS}]")
GROUPED_BY_MARKS = re.compile(rf"[+-]?\d{{1,3}}(?:{MARK.pattern}\d{{3}})+(?:[.,]\d{{1,2}})?")  # 1’234.50
UNCLEAR = re.compile(r"[+-]?(\d{1,3}),(\d{3})")
UNCLEAR_POINT = re.compile(r"[+-]?([1-9]\d{0,2})\.(\d\d0)")  # with another third figure it has too many decimals
UNCLEAR_WHOLE = re.compile(r"[+-]?\d{1,3}(?:\.0{3})+")
UNCLEAR_GROUP = re.compile(r"[+-]?([1-9]\d{0,2})\.(\d{3})")  # but where points make groups


def with_point(text: str) -> str:
    """The amount with a decimal point and without groups. Raises ValueError where a comma or a point may be either.

    Groups by commas, points and blanks are read everywhere, those of another sign where the locale has it.
    """
    text, group = text.strip(), locale.conventions().group
    if group in locale.MARKS and GROUPED_BY_MARKS.fullmatch(text):
        return MARK.sub("", text).replace(",", ".")
    if group == "." and GROUPED_BY_POINTS.fullmatch(text):
        return text.replace(".", "")
    if COMMA.fullmatch(text):
        return text.replace(",", ".")
    if GROUPED.fullmatch(text):
        return text.replace(".", "").replace(",", ".")
    if GROUPED_BY_COMMAS.fullmatch(text) or (locale.conventions().beyond == 2 and GROUPED_BY_TWO.fullmatch(text)):
        return text.replace(",", "")
    if GROUPED_BY_SPACES.fullmatch(text):
        return re.sub(r"\s", "", text).replace(",", ".")
    unclear = UNCLEAR.fullmatch(text)
    if unclear:
        whole, rest = unclear.groups()
        other = locale.field_text(Decimal(f"{whole}.{rest}"))
        raise ValueError(
            _(
                "it could be {one} or {other}: write the one that is meant, without a comma",
                one=f"{whole}{rest}",
                other=other,
            )
        )
    if unclear := (UNCLEAR_GROUP if group == "." else UNCLEAR_POINT).fullmatch(text):
        whole, rest = unclear.groups()
        other = locale.field_text(Decimal(f"{whole}.{rest.removesuffix('0')}"))
        raise ValueError(
            _("it could be {one} or {other}: write the one that is meant", one=f"{whole}{rest}", other=other)
        )
    return text


_DECIMAL = re.compile(r"Decimal\('(.*)'\)")
_ALLOWED = {
    "missing": N_("please fill it in"),
    "string_too_short": N_("please fill it in"),
    "string_too_long": N_("at most {max_length} characters are allowed"),
    "string_type": N_("it must be text"),
    "greater_than": N_("it must be more than {gt}"),
    "greater_than_equal": N_("it must be {ge} or more"),
    "less_than_equal": N_("it must be {le} or less"),
    "int_type": N_("it must be a whole number"),
    "int_parsing": N_("it must be a whole number"),
    "int_from_float": N_("it must be a whole number"),
    "int_parsing_size": N_("it must be a whole number of at most 2147483647"),
    "decimal_type": N_("it must be an amount such as {amount}"),
    "decimal_parsing": N_("it must be an amount such as {amount}"),
    "decimal_max_places": N_("at most {decimal_places} decimal places are allowed"),
    "finite_number": N_("it must be an amount such as {amount}"),
    "too_short": N_("at least one item is needed"),
    "too_long": N_("at most {max_length} items are allowed"),
    "extra_forbidden": N_("there is no such field"),
}


def field_errors(error: ValidationError) -> list[FieldError]:
    """pydantic's complaints in the words of the forms: field, value, what is allowed."""
    found = []
    entries = error.errors(include_url=False)
    has_wrong_lines = any(entry["loc"][0] == "lines" and len(entry["loc"]) > 1 for entry in entries)
    for entry in entries:
        if entry["type"] == "too_short" and has_wrong_lines:
            continue  # pydantic counts only the lines that are right
        context = {name: _plain_limit(value) for name, value in entry.get("ctx", {}).items()}
        allowed = _ALLOWED.get(entry["type"])
        context["amount"] = locale.field_text(locale.AN_AMOUNT)
        text = _(allowed, **context) if allowed else context.get("error", entry["msg"])
        value = None if entry["type"] == "missing" else entry["input"]
        found.append(FieldError(".".join(str(part) for part in entry["loc"]), value, text))
    return found


def _plain_limit(value: object) -> str:
    return _DECIMAL.sub(lambda found: locale.field_text(Decimal(found[1])), str(value))


PAYMENT_METHODS = ("Cash", "Credit Card", "Debit Card", "Digital Wallet", "Bank Transfer", "QRIS")
CENT = Decimal("0.01")
MAX_TOTAL = Decimal("9999999999.99")
MAX_LINES = 500
EARLIEST, LATEST = datetime(2000, 1, 1), datetime(2100, 1, 1)


def _none_if_missing(value: Any) -> Any:
    """None for a blank text and for what pandas puts where there is nothing: NaN, NA, NaT."""
    if isinstance(value, str):
        return value if value.strip() else None
    return None if pd.api.types.is_scalar(value) and pd.isna(value) else value


def _plain(value: Any) -> Any:
    """NumPy and pandas scalars as Python's own, None for a missing one; everything else as it is."""
    value = _none_if_missing(value)
    return value.item() if hasattr(value, "item") and not isinstance(value, type) else value


def _whole(value: Any) -> Any:
    """A number, but for a text that is one in two ways: where points make groups ``1.000`` is a thousand, or one."""
    if isinstance(value, str) and locale.conventions().group == "." and UNCLEAR_WHOLE.fullmatch(value.strip()):
        one, other = value.strip().replace(".", ""), value.strip().partition(".")[0]
        raise ValueError(_("it could be {one} or {other}: write the one that is meant", one=one, other=other))
    return _plain(value)


def _amount(value: Any) -> Any:
    return with_point(value) if isinstance(value, str) and value.strip() else _plain(value)


def _clean(value: Any) -> Any:
    """Text without the blanks around it; what cannot be stored or seen is refused, such as marks of direction."""
    if not isinstance(value, str):
        return _none_if_missing(value)
    if found := hidden(value):
        raise ValueError(_("it must be text that can be seen, in one line, without {letter}", letter=found))
    return value.strip()


def _text(length: int) -> Any:
    return Annotated[str, Field(min_length=1, max_length=length), BeforeValidator(_clean)]


def _moment(value: Any) -> datetime:
    """A date with a time of day; pydantic alone would also take a bare date, or seconds since 1970."""
    if isinstance(value, str) and len(value.strip()) > len("2026-05-31"):
        value = locale.read_moment(value.strip())
    if not isinstance(value, datetime):
        raise ValueError
    return value


def _timed(value: Any) -> datetime | None:
    if _none_if_missing(value) is None:
        return None
    try:
        moment = _moment(value)
    except ValueError:
        raise ValueError(
            _("it must be a date and time such as {moment}", moment=locale.moment_seconds(locale.A_MOMENT))
        ) from None
    if moment.tzinfo is not None:
        raise ValueError(_("it must be the store's wall clock, without a time zone"))
    if not EARLIEST <= moment < LATEST:
        raise ValueError(_("it must be from {first} to {last}", first=EARLIEST.year, last=LATEST.year - 1))
    return moment


def _none_is_zero(value: Any) -> Any:
    return Decimal("0.00") if _none_if_missing(value) is None else value


Id = Annotated[int, Field(gt=0, le=2_147_483_647), BeforeValidator(_whole)]
Price = Annotated[Decimal, Field(decimal_places=2, le=Decimal("99999999.99")), BeforeValidator(_amount)]


class LineInput(BaseModel):
    """A line as it is entered. ``item_id`` names a stored line that is kept; None is a new one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item_id: Annotated[Annotated[int, Field(gt=0)] | None, BeforeValidator(_plain)] = None
    product_code: _text(50)  # type: ignore[valid-type]
    product_name: _text(255)  # type: ignore[valid-type]
    category: Annotated[_text(100) | None, BeforeValidator(_none_if_missing)] = None  # type: ignore[valid-type]
    quantity: Id
    unit_price: Annotated[Price, Field(gt=0)]
    discount: Annotated[Price, Field(ge=0), BeforeValidator(_none_is_zero)] = Decimal("0.00")

    @field_validator("unit_price", "discount")
    @classmethod
    def _in_cents(cls, value: Decimal) -> Decimal:
        return value.quantize(CENT)

    @field_validator("unit_price")
    @classmethod
    def _within_range(cls, unit_price: Decimal, info: ValidationInfo) -> Decimal:
        if info.data.get("quantity", 0) * unit_price > MAX_TOTAL:
            raise ValueError(
                _("it and the quantity must not multiply to more than {most}", most=locale.number(MAX_TOTAL, 2))
            )
        return unit_price

    @field_validator("discount")
    @classmethod
    def _within_line(cls, discount: Decimal, info: ValidationInfo) -> Decimal:
        if "quantity" in info.data and "unit_price" in info.data:
            gross = info.data["quantity"] * info.data["unit_price"]
            if discount > gross:
                raise ValueError(
                    _("it must not be more than quantity times unit price, {most}", most=locale.number(gross, 2))
                )
        return discount

    @property
    def total_price(self) -> Decimal:
        """Quantity times unit price, less the discount: in the table's cents."""
        return self.quantity * self.unit_price - self.discount


class SaleInput(BaseModel):
    """A sale as it is entered: the header and its lines. Totals are derived, never entered."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    transaction_time: Annotated[datetime | None, BeforeValidator(_timed)] = None  # None: the moment of saving
    cashier_id: Id
    store_id: Id
    payment_method: _text(50)  # type: ignore[valid-type]
    customer_id: Annotated[Id | None, BeforeValidator(_none_if_missing)] = None
    lines: Annotated[tuple[LineInput, ...], Field(min_length=1, max_length=MAX_LINES)]

    @field_validator("lines")
    @classmethod
    def _within_total(cls, lines: tuple[LineInput, ...]) -> tuple[LineInput, ...]:
        if sum(line.total_price + line.discount for line in lines) > MAX_TOTAL:
            raise ValueError(_("it must not add up to more than {most}", most=locale.number(MAX_TOTAL, 2)))
        return lines

    @property
    def total_amount(self) -> Decimal:
        """What the customer pays: the sum of the lines' total price."""
        return sum((line.total_price for line in self.lines), Decimal("0.00"))

    @property
    def total_discount(self) -> Decimal:
        """The sum of the lines' discount."""
        return sum((line.discount for line in self.lines), Decimal("0.00"))


class ReturnLine(BaseModel):
    """So many pieces of what a sale has at this price, to be given back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    product_code: _text(50)  # type: ignore[valid-type]
    unit_price: Annotated[Price, Field(gt=0)]
    quantity: Id

    @property
    def key(self) -> tuple[str, Decimal]:
        """Which of the sale's products it is."""
        return self.product_code, self.unit_price


class ReturnInput(BaseModel):
    """A return as it is entered: what is given back of the sale ``return_of``, by whom, where and how.

    Names, prices and discounts are the sale's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    return_of: Annotated[int, Field(gt=0, le=2**63 - 1), BeforeValidator(_plain)]
    transaction_time: Annotated[datetime | None, BeforeValidator(_timed)] = None  # None: the moment of saving
    cashier_id: Id
    store_id: Id
    payment_method: _text(50)  # type: ignore[valid-type]
    lines: Annotated[tuple[ReturnLine, ...], Field(min_length=1, max_length=MAX_LINES)]

    @field_validator("lines")
    @classmethod
    def _each_once(cls, lines: tuple[ReturnLine, ...]) -> tuple[ReturnLine, ...]:
        if len({line.key for line in lines}) < len(lines):
            raise ValueError(_("it must not have a product at one price twice"))
        return lines


class Line(BaseModel):
    """A line as it is stored."""

    model_config = ConfigDict(frozen=True)

    item_id: int
    product_code: str
    product_name: str
    category: str | None
    quantity: int
    unit_price: Decimal
    discount: Decimal
    total_price: Decimal


class Sale(BaseModel):
    """A sale as it is stored, at one version; a return (``return_of``: of which sale) has negative quantities."""

    model_config = ConfigDict(frozen=True)

    transaction_id: int
    version: int
    transaction_time: datetime
    cashier_id: int
    store_id: int
    payment_method: str
    customer_id: int | None
    total_amount: Decimal
    total_discount: Decimal
    created_at: datetime
    updated_at: datetime
    return_of: int | None = None
    lines: tuple[Line, ...]


def parse_sale(data: Mapping[str, Any]) -> SaleInput:
    """The sale that ``data`` describes. Raises SaleRefused with a FieldError for each value that is refused."""
    try:
        return SaleInput.model_validate(dict(data))
    except ValidationError as error:
        raise SaleRefused(field_errors(error)) from None


def parse_return(data: Mapping[str, Any]) -> ReturnInput:
    """The return that ``data`` describes. Raises SaleRefused with a FieldError for each value that is refused."""
    try:
        return ReturnInput.model_validate(dict(data))
    except ValidationError as error:
        raise SaleRefused(field_errors(error)) from None


def parse_line(data: Mapping[str, Any]) -> LineInput:
    """The line that ``data`` describes. Raises SaleRefused with a FieldError for each value that is refused."""
    try:
        return LineInput.model_validate(dict(data))
    except ValidationError as error:
        raise SaleRefused(field_errors(error)) from None


class _Reason(BaseModel):
    reason: _text(200)  # type: ignore[valid-type]


def parse_reason(text: str) -> str:
    """Why something is done, without the blanks around it. Raises SaleRefused when it says nothing, or too much."""
    try:
        return str(_Reason(reason=text).reason)
    except ValidationError as error:
        raise SaleRefused(field_errors(error)) from None
