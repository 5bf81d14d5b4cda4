"""The catalogue of the made-up café chain, the same for every load, with the last of which it goes."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

from faker import Faker

from workbench.accounts.actor import Actor
from workbench.catalogue.fields import KINDS, Values
from workbench.catalogue.service import Catalogue
from workbench.database.engines import Engines
from workbench.database.replication import Reader, ReadPosition
from workbench.sample import STORES, loads, products
from workbench.sample.catalog import SPECIALS_SEED, UNITS, prices

CITIES = 4
SAMPLE_DAYS = 400  # of a load


@cache
def entries() -> dict[str, tuple[Values, ...]]:
    """Stores, cashiers and products by the name of their kind, as sample sales have them."""
    faker = Faker("en_US")
    faker.seed_instance(SPECIALS_SEED)
    cities = [(faker.unique.city(), faker.unique.state()) for _ in range(CITIES)]
    stores, cashiers = [], []
    for place, store in enumerate(STORES):
        city, region = cities[place % CITIES]
        stores.append(
            {
                "store_id": store.store_id,
                "store_name": faker.unique.street_name(),
                "city": city,
                "region": region,
                "opened_on": faker.date_between(date(2008, 1, 1), date(2022, 1, 1)),
                "opening_hours": f"{store.opens_hour}:00-{store.closes_hour}:00",
            }
        )
        cashiers += [
            {
                "cashier_id": store.store_id * 100 + number,
                "cashier_name": faker.unique.name(),
                "store_id": store.store_id,
            }
            for number in range(1, store.cashiers + 1)
        ]
    goods = [
        {
            "product_code": each.code,
            "product_name": each.name,
            "category": each.category,
            "unit": UNITS.get(each.name, UNITS[each.category]),
        }
        for each in products()
    ]
    made = {"store": stores, "cashier": cashiers, "product": goods}
    return {name: tuple(KINDS[name].parse(row) for row in rows) for name, rows in made.items()}


def list_prices(until: date) -> list[Values]:
    """The list prices that sample sales of the days to ``until`` have, each from the day on which it changes."""
    first_day = until - timedelta(days=SAMPLE_DAYS - 1)
    cents = prices(first_day, SAMPLE_DAYS)
    return [
        KINDS["product_price"].parse(
            {
                "product_code": product.code,
                "valid_from": first_day + timedelta(days=day),
                "list_price": f"{cents[day, place] / 100:.2f}",
            }
        )
        for place, product in enumerate(products())
        for day in range(SAMPLE_DAYS)
        if day == 0 or cents[day, place] != cents[day - 1, place]
    ]


def fill(engines: Engines, actor: Actor | str = "") -> int:
    """Adds what the catalogue lacks of the sample's entries, and changes none; gives how many. For an admin."""
    catalogue, today = _catalogue(engines, actor), engines.settings.clock.today()
    rows = {**entries(), "product_price": tuple(list_prices(today))}
    return sum(catalogue.save_all(KINDS[name], found, may_change=False).new for name, found in rows.items())


def take_back(engines: Engines, actor: Actor | str = "") -> int:
    """Deletes the sample's entries that nobody has changed, once no sample sales are left; gives how many."""
    if loads(engines):
        return 0
    catalogue = _catalogue(engines, actor)
    return sum(catalogue.delete_same(KINDS[name], entries()[name]) for name in ("cashier", "store", "product"))


def _catalogue(engines: Engines, actor: Actor | str) -> Catalogue:
    return Catalogue(engines, Reader(engines), ReadPosition(), actor)
