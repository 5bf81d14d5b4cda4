"""What is in a sale: products that go together, at their hour, with quantities and discounts."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from workbench.sample.catalog import products

Ints = npt.NDArray[np.int64]

# How likely 1 to 6 products are; a product that comes up twice is taken once, so there are a little fewer.
SIZES = (0.20, 0.26, 0.23, 0.16, 0.10, 0.05)
QUANTITIES = (0.87, 0.10, 0.02, 0.01)  # of 1 to 4 pieces
DISCOUNTED_SALES = 0.06
PERCENTS = np.array((10, 15, 20))
EVENING_HOUR, EVENING_PERCENT = 19, 30  # what was baked today goes before it is old

# The first product by the time of day: before 11, to 14, to 18, later.
DAYPARTS = np.array((11, 14, 18))
TASTES: dict[str, tuple[float, float, float, float]] = {
    "Coffee": (2.2, 1.2, 1.5, 0.7),
    "Tea": (0.8, 0.7, 1.2, 1.0),
    "Cold Drinks": (0.4, 1.1, 1.2, 1.0),
    "Food": (0.5, 2.4, 0.6, 1.2),
    "Pastry": (1.2, 0.4, 0.8, 0.4),
    "Dessert": (0.1, 0.6, 1.3, 1.2),
}
# What joins a first product, by category.
COMPANIONS: dict[str, dict[str, float]] = {
    "Coffee": {"Coffee": 0.8, "Tea": 0.3, "Cold Drinks": 0.4, "Food": 0.9, "Pastry": 2.2, "Dessert": 1.2},
    "Tea": {"Coffee": 0.5, "Tea": 0.6, "Cold Drinks": 0.3, "Food": 0.8, "Pastry": 1.3, "Dessert": 2.0},
    "Cold Drinks": {"Coffee": 0.5, "Tea": 0.2, "Cold Drinks": 0.8, "Food": 2.0, "Pastry": 0.8, "Dessert": 1.0},
    "Food": {"Coffee": 1.3, "Tea": 0.5, "Cold Drinks": 2.2, "Food": 0.5, "Pastry": 0.4, "Dessert": 1.0},
    "Pastry": {"Coffee": 2.6, "Tea": 1.0, "Cold Drinks": 0.7, "Food": 0.3, "Pastry": 0.8, "Dessert": 0.4},
    "Dessert": {"Coffee": 1.9, "Tea": 1.4, "Cold Drinks": 0.6, "Food": 0.4, "Pastry": 0.3, "Dessert": 0.8},
}
PAIRS = (
    ("Cappuccino", "Butter Croissant", 5.0),
    ("Espresso", "Tiramisu", 4.0),
    ("Caffè Latte", "Almond Croissant", 3.0),
    ("Earl Grey", "Scone with Jam", 6.0),
    ("Filter Coffee", "Bagel with Cream Cheese", 3.0),
    ("Fresh Orange Juice", "Granola Yogurt Bowl", 4.0),
    ("Tomato Soup", "Ham & Cheese Toastie", 4.0),
    ("Chai Latte", "Carrot Cake", 3.0),
    ("Cold Brew", "Chocolate Brownie", 3.0),
)


def fill(rng: np.random.Generator, hours: Ints) -> tuple[Ints, Ints]:
    """A basket for each sale, made at ``hours`` of the day: for each line its sale and product, as positions."""
    firsts, followers = _tables()
    sizes = 1 + draw(rng, _cumulative(np.array([SIZES])), np.zeros_like(hours))
    basket = np.full((len(hours), len(SIZES)), -1, dtype=np.int64)
    basket[:, 0] = draw(rng, firsts, np.searchsorted(DAYPARTS, hours, side="right"))
    for place in range(1, len(SIZES)):
        longer = np.flatnonzero(sizes > place)
        chosen = draw(rng, followers, basket[longer, 0])
        is_new = (basket[longer, :place] != chosen[:, None]).all(axis=1)
        basket[longer[is_new], place] = chosen[is_new]
    sale, taken = np.nonzero(basket >= 0)
    return sale, basket[sale, taken]


def quantities(rng: np.random.Generator, lines: int) -> Ints:
    """Pieces of each line, mostly one."""
    return 1 + draw(rng, _cumulative(np.array([QUANTITIES])), np.zeros(lines, dtype=np.int64))


def percents(rng: np.random.Generator, hours: Ints, sale: Ints, product: Ints) -> Ints:
    """The discount of each line, 0 to 100: of some sales all lines, and of pastry in the evening."""
    of_sale = rng.choice(PERCENTS, len(hours)) * (rng.random(len(hours)) < DISCOUNTED_SALES)
    is_pastry = np.array([entry.category == "Pastry" for entry in products()])
    return np.maximum(of_sale[sale], EVENING_PERCENT * (is_pastry[product] & (hours[sale] >= EVENING_HOUR)))


def draw(rng: np.random.Generator, cumulative: npt.NDArray[np.float64], rows: Ints) -> Ints:
    """A column for each entry of ``rows``, by the shares of that row of ``cumulative``."""
    columns = cumulative.shape[1]
    # One search for all rows: row r fills the numbers from r to r + 1.
    steps = (cumulative + np.arange(len(cumulative))[:, None]).ravel()
    found = np.searchsorted(steps, rows + rng.random(len(rows)), side="right") - rows * columns
    return np.minimum(found, columns - 1)


def _cumulative(weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)


@cache
def _tables() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Cumulative shares of the first product by part of the day, and of a further product by the first."""
    goods = products()
    popularity = np.array([product.popularity for product in goods])
    tastes = np.array([TASTES[product.category] for product in goods]).T
    joins = np.array([[COMPANIONS[first.category][other.category] for other in goods] for first in goods])
    place = {product.name: n for n, product in enumerate(goods)}
    for one, other, factor in PAIRS:
        joins[place[one], place[other]] *= factor
        joins[place[other], place[one]] *= factor
    np.fill_diagonal(joins, 0)
    return _cumulative(tastes * popularity), _cumulative(joins * popularity)
