"""generate() -> the sample sales and their returns, chunk by chunk: when and where they happen and what is in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from functools import cache

import numpy as np
import numpy.typing as npt

from workbench import locale
from workbench.errors import FieldError
from workbench.sales.models import EARLIEST, LATEST
from workbench.sample.catalog import STORES, prices, products

SLOT_SECONDS = 900
SLOTS = 86_400 // SLOT_SECONDS
GROWTH_PER_YEAR = 0.12

# Custom by hour of the day, where open: the way to work, lunch, and the afternoon's coffee.
HOURS = (0, 0, 0, 0, 0, 0, 5, 10, 12, 9, 7, 8, 11, 10, 7, 7, 7, 6, 5, 4, 3, 2.5, 2, 0)
MONDAY_TO_FRIDAY = (0.92, 0.95, 1.0, 1.02, 1.12)
MONTHS = (0.90, 0.93, 0.98, 1.00, 1.03, 1.02, 0.94, 0.92, 1.01, 1.05, 1.08, 1.18)


def slot_lengths(first_day: date, until: datetime, days: int) -> npt.NDArray[np.int64]:
    """Seconds of each slot that lie before ``until``, by day and slot: a full slot, or less at the very end."""
    seconds = int((until - datetime.combine(first_day, datetime.min.time())).total_seconds())
    starts = np.arange(days * SLOTS, dtype=np.int64).reshape(days, SLOTS) * SLOT_SECONDS
    return np.clip(seconds - starts, 0, SLOT_SECONDS)


def custom(first_day: date, lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """How many sales to expect, by day, slot and store, in no unit: only the proportions count."""
    dates = [first_day + timedelta(days=n) for n in range(len(lengths))]
    chain = np.array([MONTHS[day.month - 1] for day in dates])
    chain = chain * (1 + GROWTH_PER_YEAR * np.arange(len(dates)) / 365)
    hour = np.arange(SLOTS) * SLOT_SECONDS // 3600
    by_slot = np.array(HOURS)[hour] * lengths
    by_store = np.empty((len(dates), SLOTS, len(STORES)))
    for n, store in enumerate(STORES):
        weekdays = np.array([*MONDAY_TO_FRIDAY, store.weekend, store.weekend * 0.85])
        by_day = store.size * chain * weekdays[[day.weekday() for day in dates]]
        is_open = (hour >= store.opens_hour) & (hour < store.closes_hour)
        by_store[:, :, n] = by_day[:, None] * by_slot * is_open
    return by_store


def arrivals(
    rng: np.random.Generator, count: int, weights: npt.NDArray[np.float64], lengths: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """``count`` sales in time order: seconds since the first day's midnight, and the store as a position in STORES."""
    cumulative = np.cumsum(weights)
    cell = np.searchsorted(cumulative, rng.random(count) * cumulative[-1], side="right")
    cell = np.minimum(cell, np.flatnonzero(weights)[-1])  # where rounding met the upper end
    slot, store = np.divmod(cell, len(STORES))
    seconds = slot * SLOT_SECONDS + (rng.random(count) * lengths.ravel()[slot]).astype(np.int64)
    ordered = np.sort(seconds * len(STORES) + store)
    return np.divmod(ordered, len(STORES))


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


Times = npt.NDArray[np.datetime64]

RETURNED_SALES = 0.02
AFTER_DAYS = np.cumsum([[0.55, 0.20, 0.10, 0.06, 0.04, 0.03, 0.02]], axis=1)  # how likely 0 to 6 are
MOST_SECONDS = 1_200  # of the same day
WHOLE_SALES = 0.35
OPENS = np.array([0, *(store.opens_hour for store in STORES)]) * 3_600  # by store_id
CLOSES = np.array([0, *(store.closes_hour for store in STORES)]) * 3_600


def returned(rng: np.random.Generator, times: Times, store_id: Ints, end: datetime) -> tuple[Ints, Times]:
    """The positions of the sales of which something is brought back before ``end``, and when, in the order of that."""
    chosen = np.flatnonzero(rng.random(len(times)) < RETURNED_SALES)
    day = times[chosen].astype("datetime64[D]")
    sold = (times[chosen] - day).astype(np.int64)
    later = draw(rng, AFTER_DAYS, np.zeros_like(chosen))
    opens, closes = OPENS[store_id[chosen]], CLOSES[store_id[chosen]]
    chance = rng.random(len(chosen))
    same_day = np.minimum(sold + 60 + (chance * MOST_SECONDS).astype(np.int64), closes - 1)
    second = np.where(later == 0, same_day, opens + (chance * (closes - opens)).astype(np.int64))
    when = (day + later.astype("timedelta64[D]")).astype("datetime64[s]") + second.astype("timedelta64[s]")
    order = np.argsort(when, kind="stable")
    order = order[when[order] < np.datetime64(end.replace(microsecond=0))]
    return chosen[order], when[order]


def lines(rng: np.random.Generator, sale: Ints, quantity: Ints, of: Ints) -> tuple[Ints, Ints, Ints]:
    """What of the sales ``of`` is brought back: positions of lines, the place in ``of`` of each, how many pieces."""
    place = np.full(sale[-1] + 1, -1)
    place[of] = np.arange(len(of))
    line = np.flatnonzero(place[sale] >= 0)
    line = line[np.lexsort((rng.random(len(line)), place[sale[line]]))]
    which = place[sale[line]]
    is_first = np.diff(which, prepend=-1) > 0
    is_whole = (rng.random(len(of)) < WHOLE_SALES)[which]
    pieces = np.where(is_whole, quantity[line], 1 + (rng.random(len(line)) * quantity[line]).astype(np.int64))
    kept = is_first | is_whole
    return line[kept], which[kept], pieces[kept]


MAX_SALES = 50_000_000
CHUNK_SALES = 20_000  # about as many; a chunk is whole days
PAYMENT_SHARES = (0.19, 0.26, 0.20, 0.17, 0.03, 0.15)  # in the order of PAYMENT_METHODS
SALES_PER_CUSTOMER = 10
PAID_IN_CASH = 0.15  # of the returns, whatever the sale was paid with
LOYALTY = 3.0  # 1 were all alike; with 3 the best tenth makes almost half of the visits


@dataclass(frozen=True)
class Chunk:
    """Sales in time order with their lines, as columns, and after them returns of some, in time order too.

    Money is in cents. ``payment_method`` is a position in PAYMENT_METHODS, ``customer_id`` 0 where there is none,
    ``return_of`` the position of the sale that a return takes back from, -1 for a sale. The columns of the lines:
    ``sale`` is the position of the line's sale in this chunk, ``product`` one in ``catalog.products()``.
    """

    transaction_id: Ints
    transaction_time: npt.NDArray[np.datetime64]
    store_id: Ints
    cashier_id: Ints
    payment_method: Ints
    customer_id: Ints
    return_of: Ints
    total_amount: Ints
    total_discount: Ints
    sale: Ints
    product: Ints
    quantity: Ints
    unit_price: Ints
    discount: Ints
    total_price: Ints

    @property
    def sales(self) -> int:
        """How many sales there are; the others are returns."""
        return int((self.return_of < 0).sum())


def generate(
    count: int, *, seed: int = 42, until: date, days: int = 400, first_transaction_id: int = 1
) -> Iterator[Chunk]:
    """Exactly ``count`` sales of ``days`` days, the last of them ``until`` (a date: all of it; a datetime: up to then).

    Besides them the returns of about one in fifty.

    Raises FieldError for a count, seed or time that cannot be.
    """
    end = until if isinstance(until, datetime) else datetime.combine(until, time.max)
    _check(count, seed, until, EARLIEST + timedelta(days=days) <= end < LATEST)
    first_day = end.date() - timedelta(days=days - 1)
    lengths = slot_lengths(first_day, end, days)
    weights = custom(first_day, lengths)
    if not weights.any():
        raise FieldError("until", until, "no store is open in these days before it")
    return _chunks(count, seed, first_day, end, lengths, weights, first_transaction_id)


def _chunks(
    count: int,
    seed: int,
    first_day: date,
    end: datetime,
    lengths: Ints,
    weights: npt.NDArray[np.float64],
    first_transaction_id: int,
) -> Iterator[Chunk]:
    days = len(lengths)
    step = max(1, CHUNK_SALES * days // count)
    starts = [start for start in range(0, days, step) if weights[start : start + step].any()]
    shares = np.array([weights[start : start + step].sum() for start in starts])
    counts = np.random.default_rng([seed, 0]).multinomial(count, shares / shares.sum())
    day_prices = prices(first_day, days)
    for number, (start, sales) in enumerate(zip(starts, counts, strict=True), start=1):
        if sales:
            rng, part = np.random.default_rng([seed, number]), slice(start, start + step)
            seconds, store = arrivals(rng, int(sales), weights[part], lengths[part])
            days_from = np.datetime64(first_day + timedelta(days=start), "s")
            customers = max(100, count // SALES_PER_CUSTOMER)
            chunk = _chunk(rng, first_transaction_id, days_from, seconds, store, day_prices[part], customers)
            # Numbers of their own: the sales are the same as without returns.
            made = _with_returns(np.random.default_rng([seed, number, 1]), chunk, end)
            yield made
            first_transaction_id += len(made.transaction_id)


def _check(count: int, seed: int, until: date, is_in_calendar: bool) -> None:
    if type(count) is not int or not 1 <= count <= MAX_SALES:
        raise FieldError("count", count, f"it must be a whole number from 1 to {locale.number(MAX_SALES)}")
    if type(seed) is not int or seed < 0:
        raise FieldError("seed", seed, "it must be a whole number, 0 or more")
    if not is_in_calendar:
        raise FieldError("until", until, f"all days must be from {EARLIEST:%Y} to {LATEST.year - 1}")


def _chunk(
    rng: np.random.Generator,
    first_transaction_id: int,
    days_from: np.datetime64,
    seconds: Ints,
    store: Ints,
    day_prices: Ints,
    customers: int,
) -> Chunk:
    hours = seconds % 86_400 // 3600
    sale, product = fill(rng, hours)
    quantity = quantities(rng, len(sale))
    unit_price = day_prices[(seconds // 86_400)[sale], product]
    discount = quantity * unit_price * percents(rng, hours, sale, product) // 100
    total_price = quantity * unit_price - discount
    first_lines = np.flatnonzero(np.diff(sale, prepend=-1))
    shares = np.cumsum([PAYMENT_SHARES])[None, :]
    return Chunk(
        transaction_id=np.arange(first_transaction_id, first_transaction_id + len(seconds)),
        transaction_time=days_from + seconds.astype("timedelta64[s]"),
        store_id=np.array([entry.store_id for entry in STORES])[store],
        cashier_id=_cashiers(rng, hours, store),
        payment_method=draw(rng, shares, np.zeros_like(store)),
        customer_id=_customers(rng, len(seconds), customers),
        return_of=np.full(len(seconds), -1),
        total_amount=np.add.reduceat(total_price, first_lines),
        total_discount=np.add.reduceat(discount, first_lines),
        sale=sale,
        product=product,
        quantity=quantity,
        unit_price=unit_price,
        discount=discount,
        total_price=total_price,
    )


def _with_returns(rng: np.random.Generator, chunk: Chunk, end: datetime) -> Chunk:
    """The chunk, and behind its sales what is brought back of them: mostly paid back as it was paid, else in cash."""
    of, when = returned(rng, chunk.transaction_time, chunk.store_id, end)
    if not len(of):
        return chunk
    line, place, pieces = lines(rng, chunk.sale, chunk.quantity, of)
    discount = (2 * chunk.discount[line] * pieces + chunk.quantity[line]) // (2 * chunk.quantity[line])
    total_price = pieces * chunk.unit_price[line] - discount
    first_lines = np.flatnonzero(np.diff(place, prepend=-1))
    hours = (when - when.astype("datetime64[D]")).astype(np.int64) // 3600
    store = np.searchsorted([entry.store_id for entry in STORES], chunk.store_id[of])
    back = Chunk(
        transaction_id=chunk.transaction_id[-1] + 1 + np.arange(len(of)),
        transaction_time=when,
        store_id=chunk.store_id[of],
        cashier_id=_cashiers(rng, hours, store),
        payment_method=np.where(rng.random(len(of)) < PAID_IN_CASH, 0, chunk.payment_method[of]),
        customer_id=chunk.customer_id[of],
        return_of=of,
        total_amount=-np.add.reduceat(total_price, first_lines),
        total_discount=-np.add.reduceat(discount, first_lines),
        sale=len(chunk.transaction_id) + place,
        product=chunk.product[line],
        quantity=-pieces,
        unit_price=chunk.unit_price[line],
        discount=-discount,
        total_price=-total_price,
    )
    names = [field.name for field in fields(Chunk)]
    return Chunk(**{name: np.concatenate([getattr(chunk, name), getattr(back, name)]) for name in names})


def _cashiers(rng: np.random.Generator, hours: Ints, store: Ints) -> Ints:
    """Two shifts: half of a store's cashiers work to 14 h, the others after. Store 3 has 301, 302 and so on."""
    staff = np.array([entry.cashiers for entry in STORES])[store]
    early = staff // 2
    is_late = hours >= 14
    on_shift = np.where(is_late, staff - early, early)
    number = (rng.random(len(store)) * on_shift).astype(np.int64) + is_late * early
    return np.array([entry.store_id for entry in STORES])[store] * 100 + 1 + number


def _customers(rng: np.random.Generator, sales: int, customers: int) -> Ints:
    """Half of the sales with a customer; low numbers, the first to join, come far more often."""
    customer = 1 + (customers * rng.random(sales) ** LOYALTY).astype(np.int64)
    return customer * (rng.random(sales) < 0.5)
