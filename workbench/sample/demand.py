"""When and where sales happen: opening hours, rush hours, weekdays, seasons, and a chain that slowly grows."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt

from workbench.sample.catalog import STORES

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
