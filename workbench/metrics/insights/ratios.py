"""Shares and ratios as people read them: rounded half up, once."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from workbench.sales.models import CENT


def percent(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """``part`` as a percent of ``whole`` (4.35 is 4.35 %), with two places; None when ``whole`` is zero."""
    return ratio(part * 100, whole)


def ratio(over: Decimal | int, under: Decimal | int) -> Decimal | None:
    """``over`` divided by ``under``, with two places; None when ``under`` is zero."""
    return (Decimal(over) / Decimal(under)).quantize(CENT, ROUND_HALF_UP) if under else None
