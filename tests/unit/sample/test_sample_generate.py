"""The sample sales before they are loaded: how many, of when, what they say about the chain, and always the same."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from workbench.errors import FieldError
from workbench.sales.models import PAYMENT_METHODS
from workbench.sample import MAX_SALES, STORES, Chunk, generate, products
from workbench.sample.catalog import PRICE_CHANGES, prices
from workbench.sample.prepared import header_rows, line_rows

UNTIL = date(2026, 5, 31)
DAYS = 400
SALES_BEFORE_RETURNS = "f0a2a41de313e0dae2a7a4f860ff6a440905563af90e43b62125a0938d4ec6c1"
LINE_COLUMNS = ("sale", "product", "quantity", "unit_price", "discount", "total_price")


def joined(chunks: list[Chunk]) -> Chunk:
    """All chunks as one."""
    starts = np.cumsum([0] + [len(chunk.transaction_id) for chunk in chunks])
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(chunk, name) for chunk in chunks]) for name in Chunk.__dataclass_fields__
    }
    placed = list(zip(chunks, starts, strict=False))
    columns["sale"] = np.concatenate([chunk.sale + start for chunk, start in placed])
    columns["return_of"] = np.concatenate([np.where(c.return_of < 0, -1, c.return_of + start) for c, start in placed])
    return Chunk(**columns)


def only_sales(chunk: Chunk) -> Chunk:
    """The chunk without its returns, which are behind the sales."""
    of_lines = chunk.sale < chunk.sales
    return Chunk(
        **{
            name: getattr(chunk, name)[of_lines] if name in LINE_COLUMNS else getattr(chunk, name)[: chunk.sales]
            for name in Chunk.__dataclass_fields__
        }
    )


@pytest.fixture(scope="module")
def chunks() -> list[Chunk]:
    return list(generate(120_000, until=UNTIL))


@pytest.fixture(scope="module")
def sales(chunks: list[Chunk]) -> Chunk:
    return joined([only_sales(chunk) for chunk in chunks])


def test_one_sale_in_fifty_is_returned_in_part_or_whole_and_never_more_than_it_sold(chunks: list[Chunk]) -> None:
    every = joined(chunks)
    is_return = every.return_of >= 0
    assert 0.017 < is_return.sum() / 120_000 < 0.021
    assert len(set(every.return_of[is_return])) == is_return.sum()
    of = every.return_of[is_return]
    assert (every.return_of[of] == -1).all() and (every.transaction_time[is_return] >= every.transaction_time[of]).all()
    assert every.transaction_time.max() < np.datetime64("2026-06-01")
    assert (every.store_id[is_return] == every.store_id[of]).all()
    gone = is_return[every.sale]
    assert (every.quantity[gone] < 0).all() and (every.quantity[~gone] > 0).all()
    columns = (every.sale, every.product, every.quantity, every.discount)
    sold = {(sale, product): (quantity, discount) for sale, product, quantity, discount in zip(*columns, strict=True)}
    for sale, product, quantity, discount in zip(*(column[gone] for column in columns), strict=True):
        most, off = sold[every.return_of[sale], product]
        assert 0 < -quantity <= most and abs(-discount - off * -quantity / most) <= 0.5
    assert (every.total_amount[is_return] <= 0).all()
    hours_of = hours(every)
    for store in STORES:
        at = hours_of[is_return & (every.store_id == store.store_id)]
        assert store.opens_hour <= at.min() and at.max() < store.closes_hour


def test_sales_are_the_same_with_their_returns_as_they_were_without(sales: Chunk) -> None:
    """Of the version before returns: whoever compares with its figures finds them."""
    rows = hashlib.sha256()
    for name in ("transaction_time", "store_id", "cashier_id", "customer_id", "total_amount", "product", "quantity"):
        rows.update(np.ascontiguousarray(getattr(sales, name)).tobytes())
    assert rows.hexdigest() == SALES_BEFORE_RETURNS


def hours(sales: Chunk) -> npt.NDArray[np.int64]:
    since_midnight = sales.transaction_time - sales.transaction_time.astype("datetime64[D]")
    return since_midnight.astype("timedelta64[h]").astype(np.int64)


def weekdays(sales: Chunk) -> npt.NDArray[np.int64]:
    """0 is Monday."""
    return (sales.transaction_time.astype("datetime64[D]").astype(np.int64) + 3) % 7


def category(sales: Chunk) -> npt.NDArray[np.str_]:
    return np.array([product.category for product in products()])[sales.product]


def fingerprint(**arguments: Any) -> str:
    rows = hashlib.sha256()
    for chunk in generate(until=UNTIL, **arguments):
        rows.update(header_rows(chunk) + line_rows(chunk))
    return rows.hexdigest()


@pytest.mark.parametrize("count", [1, 2, 399, 5000, 60_001])
def test_there_are_exactly_as_many_as_asked_for_in_time_order(count: int) -> None:
    chunks = list(generate(count, until=UNTIL, first_transaction_id=7))
    every, found = joined(chunks), joined([only_sales(chunk) for chunk in chunks])
    assert len(found.transaction_time) == count
    assert every.transaction_id.tolist() == list(range(7, 7 + len(every.transaction_id)))
    assert (np.diff(found.transaction_time.astype(np.int64)) >= 0).all()


def test_a_large_load_comes_in_bounded_chunks() -> None:
    sizes = [chunk.sales for chunk in generate(300_000, until=UNTIL)]
    assert sum(sizes) == 300_000
    assert max(sizes) < 100_000


def test_the_same_seed_gives_the_same_rows_in_another_process() -> None:
    program = "from tests.unit.sample.test_sample_generate import fingerprint; print(fingerprint(count=3000, seed=5))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONHASHSEED": "123"},
    )
    assert done.stdout.strip() == fingerprint(count=3000, seed=5)


def test_another_seed_gives_other_rows() -> None:
    assert fingerprint(count=3000, seed=5) != fingerprint(count=3000, seed=6)


def test_all_days_have_sales_in_the_opening_hours_of_their_store(sales: Chunk) -> None:
    days = np.unique(sales.transaction_time.astype("datetime64[D]"))
    assert (len(days), days[0], days[-1]) == (DAYS, np.datetime64("2025-04-27"), np.datetime64(UNTIL))
    for store in STORES:
        at = hours(sales)[sales.store_id == store.store_id]
        assert (at.min(), at.max()) == (store.opens_hour, store.closes_hour - 1)


def test_nothing_is_sold_after_until() -> None:
    found = joined(list(generate(20_000, until=datetime(2026, 5, 31, 9, 50), days=3)))
    assert found.transaction_time.max() < np.datetime64("2026-05-31T09:50")
    assert found.transaction_time.max() >= np.datetime64("2026-05-31T09:45")
    at_night = joined(list(generate(100, until=datetime(2026, 5, 31, 3, 0), days=2)))
    assert at_night.transaction_time.max() < np.datetime64("2026-05-30T23:00")


def test_baskets_have_one_to_six_products_and_none_twice(sales: Chunk) -> None:
    sizes = np.bincount(sales.sale)
    assert (len(sizes), sizes.min(), sizes.max()) == (120_000, 1, 6)
    assert 2.4 < sizes.mean() < 3.0
    assert len(np.unique(sales.sale * 1000 + sales.product)) == len(sales.sale)


def test_totals_are_the_sums_of_the_lines_to_the_cent(sales: Chunk) -> None:
    assert (sales.total_price == sales.quantity * sales.unit_price - sales.discount).all()
    amounts, discounts = np.zeros(120_000, dtype=np.int64), np.zeros(120_000, dtype=np.int64)
    np.add.at(amounts, sales.sale, sales.total_price)
    np.add.at(discounts, sales.sale, sales.discount)
    assert (sales.total_amount == amounts).all()
    assert (sales.total_discount == discounts).all()


def test_discounts_are_given_now_and_then_and_never_exceed_the_line(sales: Chunk) -> None:
    assert (sales.discount >= 0).all()
    assert (sales.discount < sales.quantity * sales.unit_price).all()
    assert 0.04 < (sales.discount > 0).mean() < 0.15


def test_there_are_forty_products_and_more_with_codes_of_their_own() -> None:
    goods = products()
    assert len(goods) >= 40
    assert len({product.code for product in goods}) == len({product.name for product in goods}) == len(goods)
    assert {"Coffee", "Food", "Dessert"} <= {product.category for product in goods}
    assert not any(set(product.name + product.code + product.category) & set("\t\n\r\\") for product in goods)


def test_lines_have_the_list_price_of_their_day(sales: Chunk) -> None:
    first_day = date(2025, 4, 27)
    by_day = prices(first_day, DAYS)
    day = (sales.transaction_time.astype("datetime64[D]") - np.datetime64(first_day)).astype(np.int64)
    assert (sales.unit_price == by_day[day[sales.sale], sales.product]).all()
    assert by_day[-1].tolist() == [product.list_cents for product in products()]


def test_prices_change_now_and_then_and_stay_positive() -> None:
    changes = (np.diff(prices(date(2025, 4, 27), DAYS), axis=0) != 0).any(axis=1).sum()
    assert changes == len(PRICE_CHANGES) + 1  # each once, one of them again within the 35 days beyond a year
    assert (prices(date(2000, 1, 1), 30_000) > 0).all()


def test_some_products_sell_far_better_than_others(sales: Chunk) -> None:
    sold = np.bincount(sales.product, minlength=len(products()))
    assert sold.min() > 0
    assert sold.max() > 4 * np.median(sold) > 8 * sold.min()


def test_what_goes_together_is_bought_together(sales: Chunk) -> None:
    place = {product.name: n for n, product in enumerate(products())}
    cappuccino, croissant = (
        set(sales.sale[sales.product == place[name]].tolist()) for name in ("Cappuccino", "Butter Croissant")
    )
    expected = len(cappuccino) * len(croissant) / 120_000
    assert len(cappuccino & croissant) > 1.5 * expected


def test_mornings_are_for_coffee_and_noon_is_for_food(sales: Chunk) -> None:
    at, what = hours(sales)[sales.sale], category(sales)
    morning, noon = what[at < 11], what[(at >= 11) & (at < 14)]
    assert (morning == "Coffee").mean() > 1.2 * (noon == "Coffee").mean()
    assert (noon == "Food").mean() > 1.5 * (morning == "Food").mean()


def test_the_day_has_peaks_the_week_a_pattern_and_the_year_a_season_and_growth(sales: Chunk) -> None:
    by_hour = np.bincount(hours(sales), minlength=24)
    assert by_hour[8] > by_hour[10]
    assert by_hour[12] > by_hour[10] > by_hour[20] > 0
    is_office, is_mall = sales.store_id == 2, sales.store_id == 6
    is_weekend = weekdays(sales) >= 5
    assert is_weekend[is_mall].mean() > 2 * is_weekend[is_office].mean()
    months = sales.transaction_time.astype("datetime64[M]")
    december, february = (months == np.datetime64("2025-12")).sum(), (months == np.datetime64("2026-02")).sum()
    assert december / 31 > 1.1 * february / 28
    assert (months == np.datetime64("2026-05")).sum() > 1.05 * (months == np.datetime64("2025-05")).sum()


def test_stores_differ_in_size_and_cashiers_belong_to_one(sales: Chunk) -> None:
    by_store = np.bincount(sales.store_id)[1:]
    assert len(by_store) == len(STORES) == 12
    assert by_store.max() > 3 * by_store.min()
    assert (sales.cashier_id // 100 == sales.store_id).all()
    assert {entry.store_id: entry.cashiers for entry in STORES} == {
        entry.store_id: len(np.unique(sales.cashier_id[sales.store_id == entry.store_id])) for entry in STORES
    }
    assert sales.cashier_id[sales.store_id == 3].min() == 301


def test_all_payment_methods_are_used_in_different_shares(sales: Chunk) -> None:
    shares = np.bincount(sales.payment_method, minlength=len(PAYMENT_METHODS)) / 120_000
    assert len(shares) == len(PAYMENT_METHODS)
    assert shares.min() > 0.02
    assert shares.max() < 0.35


def test_half_of_the_sales_have_a_customer_and_some_come_far_more_often(sales: Chunk) -> None:
    known = sales.customer_id[sales.customer_id > 0]
    assert abs(len(known) / 120_000 - 0.5) < 0.01
    visits = np.sort(np.bincount(known)[1:])[::-1]
    assert visits[: len(visits) // 10].sum() > 0.4 * len(known)


@pytest.mark.parametrize("count", [0, -1, MAX_SALES + 1, 1.5, "7", True, None])
def test_a_count_that_cannot_be_is_refused_by_name(count: Any) -> None:
    with pytest.raises(FieldError, match="Count .*from 1 to 50,000,000"):
        generate(count, until=UNTIL)


@pytest.mark.parametrize("seed", [-1, 1.5, None])
def test_a_seed_that_cannot_be_is_refused_by_name(seed: Any) -> None:
    with pytest.raises(FieldError, match="Seed .*whole number"):
        generate(1, seed=seed, until=UNTIL)


@pytest.mark.parametrize("until", [date(2000, 5, 1), date(2100, 1, 1), date.max])
def test_days_outside_the_calendar_are_refused_by_name(until: date) -> None:
    with pytest.raises(FieldError, match="Until .*2000 to 2099"):
        generate(1, until=until)


def test_a_time_before_any_store_opened_is_refused_by_name() -> None:
    with pytest.raises(FieldError, match="Until .*no store is open"):
        generate(1, until=datetime(2026, 5, 31, 5, 0), days=1)


def test_the_text_for_copy_says_what_the_columns_hold() -> None:
    chunk = next(generate(500, until=UNTIL, first_transaction_id=99_800))
    headers = [line.split("\t") for line in header_rows(chunk).decode().splitlines()]
    assert [int(row[0]) for row in headers] == chunk.transaction_id.tolist()
    read = [datetime.strptime(row[1], "%Y-%m-%d %H%M%S") for row in headers]
    assert read == chunk.transaction_time.astype(datetime).tolist()
    assert [int(row[2]) for row in headers] == chunk.cashier_id.tolist()
    assert [int(row[3]) for row in headers] == chunk.store_id.tolist()
    assert [PAYMENT_METHODS.index(row[4]) for row in headers] == chunk.payment_method.tolist()
    assert [round(float(row[5]) * 100) for row in headers] == chunk.total_amount.tolist()
    assert [round(float(row[6]) * 100) for row in headers] == chunk.total_discount.tolist()
    assert [0 if row[7] == r"\N" else int(row[7]) for row in headers] == chunk.customer_id.tolist()
    of = [-1 if row[8] == r"\N" else int(row[8]) - 99_800 for row in headers]
    assert of == chunk.return_of.tolist() and max(of) > 0

    lines = [line.split("\t") for line in line_rows(chunk).decode().splitlines()]
    assert [int(row[0]) for row in lines] == chunk.transaction_id[chunk.sale].tolist()
    found = [(row[1], row[2], row[3]) for row in lines]
    assert found == [(p.code, p.name, p.category) for p in (products()[n] for n in chunk.product)]
    assert [int(row[4]) for row in lines] == chunk.quantity.tolist()
    assert [round(float(row[5]) * 100) for row in lines] == chunk.unit_price.tolist()
    assert [round(float(row[6]) * 100) for row in lines] == chunk.discount.tolist()
    assert [round(float(row[7]) * 100) for row in lines] == chunk.total_price.tolist()
