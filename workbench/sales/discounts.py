"""A discount on a whole sale, split over its lines: to the cent, and none of a line beyond what the line costs."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from workbench import locale
from workbench.errors import FieldError, SaleRefused
from workbench.locale import _
from workbench.sales.models import CENT, with_point

NAME = "sale_discount"


def split(amount: Decimal, over: Sequence[Decimal]) -> list[Decimal]:
    """Shares of ``amount`` in proportion to what each line costs; cents that are left go to the largest remainders.

    ``amount`` is not more than the lines together, so that no share is more than its line.
    """
    total, cents = int(sum(over) / CENT), int(amount / CENT)
    if not cents:
        return [Decimal("0.00")] * len(over)
    shares = [divmod(int(each / CENT) * cents, total) for each in over]
    left = cents - sum(whole for whole, _ in shares)
    largest = sorted(range(len(over)), key=lambda place: -shares[place][1])[:left]
    return [(whole + (place in largest)) * CENT for place, (whole, _) in enumerate(shares)]


def sale_discount(text: str, total: Decimal) -> Decimal:
    """What ``5``, ``5.00`` or ``10 %`` takes off ``total``; nothing for an empty text.

    Raises SaleRefused when it is no discount, or more than the total.
    """
    typed = text.strip()
    try:
        number = Decimal(with_point(typed.removesuffix("%")) or "0")
        if not number.is_finite():
            raise InvalidOperation
        is_cents = number == number.quantize(CENT)
    except ValueError as error:
        raise _refused(typed, str(error)) from None
    except InvalidOperation:
        amount = locale.field_text(locale.AN_AMOUNT)
        raise _refused(
            typed, _("it must be an amount such as {amount}, or a percentage such as 10 %", amount=amount)
        ) from None
    if number < 0:
        raise _refused(typed, _("it must be 0 or more"))
    if typed.endswith("%"):
        if number > 100:
            raise _refused(typed, _("it must not be more than 100 %"))
        return (total * number / 100).quantize(CENT, ROUND_HALF_UP)
    if not is_cents:
        raise _refused(typed, _("at most {decimal_places} decimal places are allowed", decimal_places=2))
    if number > total:
        raise _refused(typed, _("it must not be more than the items cost, {most}", most=locale.number(total, 2)))
    return number.quantize(CENT)


def _refused(text: str, allowed: str) -> SaleRefused:
    return SaleRefused([FieldError(NAME, text, allowed)])
