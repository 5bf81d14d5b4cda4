"""Known products: what has been sold before, to complete what is typed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from workbench.database.replication import Answer, Reader, ReadPosition
from workbench.database.sql_files import run_sql


@dataclass(frozen=True)
class Product:
    """A product as it was sold last; ``unit_price`` is for one."""

    product_code: str
    product_name: str
    category: str | None
    unit_price: Decimal


def known_products(reader: Reader, read_position: ReadPosition) -> Answer[list[Product]]:
    """Every product ever sold, as it was sold last. Raises ServerUnavailable."""

    def work(connection: sa.Connection) -> list[Product]:
        codes = sorted({row.product_code for row in run_sql(connection, "queries/products")})
        return [Product(**row) for row in run_sql(connection, "queries/product_names", {"codes": codes}).mappings()]

    return reader.read(read_position, work, "products")


def names(connection: sa.Connection) -> dict[str, str]:
    """The newest name of every product ever sold, by its code, in the order of codes."""
    pairs = [tuple(row) for row in run_sql(connection, "queries/products")]
    renamed = newest(connection, several(pairs))
    return dict(pairs) | {code: name for code, (name, _) in renamed.items()}


def several(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """The codes that have several names."""
    return [code for code, names in Counter(code for code, _ in pairs).items() if names > 1]


def newest(connection: sa.Connection, codes: Sequence[str]) -> dict[str, tuple[str, str | None]]:
    """Name and category of each product, of its newest line; a code that was never sold is not in it."""
    if not codes:
        return {}
    found = run_sql(connection, "queries/product_names", {"codes": list(codes)})
    return {row.product_code: (row.product_name, row.category) for row in found}


def find_product(reader: Reader, read_position: ReadPosition, product_code: str) -> Answer[Product | None]:
    """The product with exactly this code; None when it was never sold. Raises ServerUnavailable."""

    def work(connection: sa.Connection) -> Product | None:
        row = run_sql(connection, "queries/product", {"product_code": product_code}).mappings().first()
        return None if row is None else Product(**row)

    return reader.read(read_position, work, "product")
