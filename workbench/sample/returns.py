"""What is brought back: of some sales, after minutes or days, one item or all of them."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import numpy.typing as npt

from workbench.sample.catalog import STORES
from workbench.sample.draws import draw

Ints = npt.NDArray[np.int64]
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
