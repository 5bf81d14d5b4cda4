"""generate() -> the sample sales and their returns, chunk by chunk; the same arguments give the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta

import numpy as np
import numpy.typing as npt

from workbench import locale
from workbench.errors import FieldError
from workbench.sales.models import EARLIEST, LATEST
from workbench.sample import draws
from workbench.sample.catalog import STORES, prices

Ints = npt.NDArray[np.int64]

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
    lengths = draws.slot_lengths(first_day, end, days)
    weights = draws.custom(first_day, lengths)
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
            seconds, store = draws.arrivals(rng, int(sales), weights[part], lengths[part])
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
    sale, product = draws.fill(rng, hours)
    quantity = draws.quantities(rng, len(sale))
    unit_price = day_prices[(seconds // 86_400)[sale], product]
    discount = quantity * unit_price * draws.percents(rng, hours, sale, product) // 100
    total_price = quantity * unit_price - discount
    first_lines = np.flatnonzero(np.diff(sale, prepend=-1))
    shares = np.cumsum([PAYMENT_SHARES])[None, :]
    return Chunk(
        transaction_id=np.arange(first_transaction_id, first_transaction_id + len(seconds)),
        transaction_time=days_from + seconds.astype("timedelta64[s]"),
        store_id=np.array([entry.store_id for entry in STORES])[store],
        cashier_id=_cashiers(rng, hours, store),
        payment_method=draws.draw(rng, shares, np.zeros_like(store)),
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
    of, when = draws.returned(rng, chunk.transaction_time, chunk.store_id, end)
    if not len(of):
        return chunk
    line, place, pieces = draws.lines(rng, chunk.sale, chunk.quantity, of)
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
