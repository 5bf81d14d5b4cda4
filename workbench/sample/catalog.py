"""The café chain that the sample data is about: its products with their prices, and its stores."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import numpy as np
import numpy.typing as npt
from faker import Faker

SPECIALS_SEED = 1998  # the chain's own, not the load's: a code names the same product in every load


@dataclass(frozen=True)
class Product:
    """A product with today's list price in cents; ``popularity`` is its share beside the others, 1 the usual."""

    code: str
    name: str
    category: str
    list_cents: int
    popularity: float


@dataclass(frozen=True)
class PriceChange:
    """Every year on this day all products of a category got dearer by so many cents."""

    month: int
    day: int
    category: str
    cents: int


@dataclass(frozen=True)
class Store:
    """A store: ``size`` beside the others, opening hours, how many cashiers, and how weekends compare to weekdays."""

    store_id: int
    size: float
    opens_hour: int
    closes_hour: int
    cashiers: int
    weekend: float


PRICE_CHANGES = (
    PriceChange(1, 15, "Coffee", 10),
    PriceChange(9, 1, "Coffee", 15),
    PriceChange(3, 1, "Food", 25),
    PriceChange(5, 1, "Cold Drinks", 20),
    PriceChange(6, 15, "Dessert", 20),
    PriceChange(10, 1, "Pastry", 10),
)

STORES = (
    Store(1, 1.00, 7, 21, 6, 1.30),
    Store(2, 0.55, 6, 18, 4, 0.45),  # offices: busy early, quiet at weekends
    Store(3, 1.70, 6, 23, 9, 1.10),  # the station, the largest
    Store(4, 0.80, 8, 20, 4, 1.25),
    Store(5, 0.45, 7, 17, 3, 0.40),
    Store(6, 1.25, 10, 22, 7, 1.75),  # a shopping mall
    Store(7, 0.70, 7, 20, 4, 1.05),
    Store(8, 0.35, 8, 18, 3, 0.90),
    Store(9, 0.95, 7, 22, 5, 1.20),
    Store(10, 0.60, 9, 19, 3, 1.60),  # a museum
    Store(11, 1.40, 6, 22, 8, 1.00),
    Store(12, 0.25, 8, 16, 2, 0.70),
)

# category, prefix of its codes, then name, list price in cents, popularity
RANGE: tuple[tuple[str, str, tuple[tuple[str, int, float], ...]], ...] = (
    (
        "Coffee",
        "COF",
        (
            ("Espresso", 280, 1.3),
            ("Double Espresso", 340, 0.8),
            ("Americano", 350, 1.5),
            ("Cappuccino", 420, 3.2),
            ("Caffè Latte", 450, 3.6),
            ("Flat White", 440, 1.9),
            ("Macchiato", 380, 0.7),
            ("Caffè Mocha", 490, 1.2),
            ("Caramel Latte", 510, 1.4),
            ("Filter Coffee", 300, 2.2),
            ("Decaf Coffee", 320, 0.3),
        ),
    ),
    (
        "Tea",
        "TEA",
        (
            ("English Breakfast Tea", 290, 0.9),
            ("Earl Grey", 290, 0.7),
            ("Green Tea", 300, 0.8),
            ("Peppermint Tea", 300, 0.4),
            ("Chai Latte", 440, 0.9),
            ("Matcha Latte", 490, 0.8),
        ),
    ),
    (
        "Cold Drinks",
        "CLD",
        (
            ("Iced Latte", 470, 1.5),
            ("Cold Brew", 450, 1.2),
            ("Iced Tea Lemon", 350, 0.8),
            ("Fresh Orange Juice", 480, 0.9),
            ("Mango Smoothie", 560, 0.6),
            ("Sparkling Water", 250, 0.9),
            ("Still Water", 220, 1.0),
        ),
    ),
    (
        "Food",
        "FOO",
        (
            ("Ham & Cheese Toastie", 690, 1.3),
            ("Chicken Avocado Sandwich", 790, 1.5),
            ("Tuna Melt", 760, 0.7),
            ("Caesar Salad", 890, 0.7),
            ("Tomato Soup", 620, 0.8),
            ("Spinach Quiche", 710, 0.6),
            ("Bagel with Cream Cheese", 480, 1.1),
            ("Bagel with Smoked Salmon", 850, 0.6),
            ("Oat Porridge", 450, 0.5),
            ("Granola Yogurt Bowl", 590, 0.7),
        ),
    ),
    (
        "Pastry",
        "PAS",
        (
            ("Butter Croissant", 320, 2.6),
            ("Almond Croissant", 390, 1.3),
            ("Pain au Chocolat", 360, 1.5),
            ("Cinnamon Roll", 380, 1.2),
            ("Blueberry Muffin", 350, 1.4),
            ("Banana Bread", 340, 0.9),
            ("Scone with Jam", 370, 0.5),
        ),
    ),
    (
        "Dessert",
        "DES",
        (
            ("Cheesecake", 580, 1.0),
            ("Carrot Cake", 540, 0.7),
            ("Chocolate Brownie", 390, 1.3),
            ("Tiramisu", 620, 0.6),
            ("Macaron", 240, 0.8),
            ("Chocolate Chip Cookie", 280, 1.6),
        ),
    ),
)
# What one of a category is, and of those of its products that are something else.
UNITS = {
    "Coffee": "cup", "Tea": "cup", "Cold Drinks": "glass", "Food": "portion", "Pastry": "piece", "Dessert": "slice",
    "Sparkling Water": "bottle", "Still Water": "bottle", "Banana Bread": "slice", "Chocolate Brownie": "piece",
    "Macaron": "piece", "Chocolate Chip Cookie": "piece",
}  # fmt: skip
# Specials carry somebody's first name, as on the blackboard of a café.
SPECIALS = (
    ("Food", "FOO-901", "{}'s Club Sandwich", 950, 0.4),
    ("Pastry", "PAS-901", "{}'s Sunday Brioche", 420, 0.3),
    ("Dessert", "DES-901", "{}'s Lemon Tart", 560, 0.5),
    ("Dessert", "DES-902", "{}'s Apple Crumble", 530, 0.4),
)


@cache
def products() -> tuple[Product, ...]:
    """All products, in the order of their codes within each category; the same in every run."""
    found = [
        Product(f"{prefix}-{number:03}", name, category, cents, popularity)
        for category, prefix, entries in RANGE
        for number, (name, cents, popularity) in enumerate(entries, start=1)
    ]
    faker = Faker("en_US")
    faker.seed_instance(SPECIALS_SEED)
    for category, code, name, cents, popularity in SPECIALS:
        found.append(Product(code, name.format(faker.first_name()), category, cents, popularity))
    return tuple(found)


def prices(first_day: date, days: int) -> npt.NDArray[np.int64]:
    """Cents by day (from ``first_day``) and product. The last day has the list price; a change lies between days."""
    goods = products()
    cents = np.tile(np.array([product.list_cents for product in goods]), (days, 1))
    lowest = cents[0] // 2  # over many years the steps back would end below nothing
    last_day = first_day + timedelta(days=days - 1)
    for change in PRICE_CHANGES:
        is_in_category = np.array([product.category == change.category for product in goods])
        for year in range(first_day.year, last_day.year + 1):
            day = (date(year, change.month, change.day) - first_day).days
            if 0 < day < days:
                cents[:day, is_in_category] -= change.cents
    return np.maximum(cents, lowest)
