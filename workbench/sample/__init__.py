"""Sample data: a café chain's sales, the same for the same seed, loaded with COPY."""

from workbench.sample.bulk_load import Loaded, is_empty, load
from workbench.sample.catalog import STORES, Product, products
from workbench.sample.chunks import MAX_SALES, Chunk, generate
from workbench.sample.undo import Load, Undone, loads, refuse_real, undo

__all__ = [
    "MAX_SALES",
    "STORES",
    "Chunk",
    "Load",
    "Loaded",
    "Product",
    "Undone",
    "generate",
    "is_empty",
    "load",
    "loads",
    "products",
    "refuse_real",
    "undo",
]
