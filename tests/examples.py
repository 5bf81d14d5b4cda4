"""Sales as tests enter them."""

from __future__ import annotations

from typing import Any

from workbench.sales.models import SaleInput, parse_sale

LATTE = {
    "product_code": "C-LAT",
    "product_name": "Caffè Latte",
    "category": "Coffee",
    "quantity": 2,
    "unit_price": "3.50",
}
CAKE = {
    "product_code": "D-CHE",
    "product_name": "Cheesecake",
    "category": "Dessert",
    "quantity": 1,
    "unit_price": "4.20",
}
HOSTILE = '<img src=x onerror="window.__x=1">'


def sale_data(**changes: Any) -> dict[str, Any]:
    """A sale of two lattes (0.50 off) and a cheesecake, 10.70 in all; ``changes`` replace fields."""
    return {
        "transaction_time": "2026-05-31 14:30:15.123456",
        "cashier_id": 301,
        "store_id": 3,
        "payment_method": "QRIS",
        "customer_id": 77,
        "lines": [{**LATTE, "discount": "0.50"}, CAKE],
    } | changes


def sale(**changes: Any) -> SaleInput:
    """``sale_data`` as the service takes it."""
    return parse_sale(sale_data(**changes))
