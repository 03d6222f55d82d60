"""What the order system sells: products, price lists, promotions.

In: `data/business.yaml` and the setting. Out: `Goods`, and `Rows` of three tables.
Touches nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np

from demo.arrow import Texts
from demo.chance import Ints
from demo.clock import DAY, day_number
from demo.frames import Rows, constant, last_change, number, repeated
from demo.pools import read
from demo.setting import Setting

RISE_A_YEAR = 300
"""List prices rise by 3% on the first of January, in ten-thousandths."""
BASE_YEAR = 2024


@dataclass(frozen=True)
class Goods:
    """All products, by position; prices in ten-thousandths of a yuan."""

    name: Texts
    product_class: Texts
    price: Ints
    cost: Ints

    def affordable(self) -> Ints:
        """Products that private buyers order: the cheaper part of the range."""
        return np.argsort(self.price, kind="stable")[: len(self.price) * 6 // 10]

    def list_price(self, product: Ints, year: Ints, currency: Ints) -> Ints:
        """List price in a year and currency, to four places."""
        rates = read("business")["currencies"].values()
        factor = np.asarray([round(rate * 1000) for rate in rates])[currency]
        risen = self.price[product] * (10_000 + RISE_A_YEAR * (year - BASE_YEAR)) // 10_000
        price: Ints = risen * factor // 1000
        return price

    def unit_cost(self, product: Ints, currency: Ints) -> Ints:
        rates = read("business")["currencies"].values()
        factor = np.asarray([round(rate * 1000) for rate in rates])[currency]
        cost: Ints = self.cost[product] * factor // 1000
        return cost


@cache
def goods() -> Goods:
    names, classes, prices, costs = [], [], [], []
    for line in read("business")["products"]:
        product_class, models, cheapest, step = line.split()
        for model in range(int(models)):
            names.append(f"{product_class.replace('_', ' ')} {100 + 10 * model}")
            classes.append(product_class)
            # prices end in full tenths of a yuan
            prices.append(round(float(cheapest) * float(step) ** model, 1))
            costs.append(round(prices[-1] * (0.55 + 0.03 * (model % 6)), 2))
    return Goods(
        name=repeated(names),
        product_class=repeated(classes),
        price=np.rint(np.asarray(prices) * 10_000).astype(np.int64),
        cost=np.rint(np.asarray(costs) * 10_000).astype(np.int64),
    )


def promotion(world: Setting, day: Ints) -> tuple[Ints, Ints]:
    """The promotion of a day and its discount in ten-thousandths; -1 without one."""
    found, discount = np.full(len(day), -1), np.zeros(len(day), dtype=np.int64)
    for position, (_, first, last, rate) in enumerate(_promotions(world)):
        runs = (day >= first) & (day <= last)
        found, discount = np.where(runs, position, found), np.where(runs, rate, discount)
    return found, discount


def _promotions(world: Setting) -> list[tuple[str, int, int, int]]:
    parts = (line.split() for line in read("business")["promotions"])
    return [
        (
            name,
            world.clock.month(int(first)).first,
            world.clock.month(int(last)).last,
            round(float(rate) * 10_000),
        )
        for name, first, last, rate in parts
    ]


def rows(world: Setting, goods: Goods) -> Iterator[Rows]:
    """Products, price lists and promotions as they are known now."""
    size, before = len(goods.price), (world.clock.history - 20) * DAY + 9 * 3600
    product = np.arange(size)
    # stock is counted once a week, every weekday another part of the store
    counted = world.today - (world.today - product) % 7
    counted_at = counted * DAY + 18 * 3600
    stock = (product * 7919 + counted * 104_729) % 900 + 20
    yield Rows(
        table="orders.products",
        columns={
            "product_no": number("PD", product + 1001),
            "product_name": goods.name,
            "product_class": goods.product_class,
            "unit_cost": goods.cost // 100,
            "currency_code": constant("CNY", size),
            "stock_quantity": stock * 100,
        },
        entered=np.full(size, before),
        updated=last_change(world.now, np.full(size, before), counted_at),
    )
    codes = tuple(read("business")["currencies"])
    first_year = world.clock.month(0).year
    for year in range(first_year, world.clock.start.year + 2):
        for position, code in enumerate(codes):
            known = np.full(size, (day_number(date(year, 1, 1)) - 15) * DAY + 9 * 3600)
            yield Rows(
                table="orders.price_lists",
                columns={
                    "price_list_no": constant(f"PL{code}{year}", size),
                    "product_no": number("PD", product + 1001),
                    "list_price": goods.list_price(
                        product, np.full(size, year), np.full(size, position)
                    ),
                    "currency_code": constant(code, size),
                    "valid_from": np.full(size, day_number(date(year, 1, 1))),
                    "valid_to": np.full(size, day_number(date(year, 12, 31))),
                },
                entered=known,
                updated=known,
            )
    actions = _promotions(world)
    starts = np.asarray([first for _, first, _, _ in actions])
    yield Rows(
        table="orders.promotions",
        columns={
            "promotion_no": number("PR", np.arange(len(actions)) + 101),
            "promotion_name": repeated([name for name, *_ in actions]),
            "starts_date": starts,
            "ends_date": np.asarray([last for _, _, last, _ in actions]),
            "discount_rate": np.asarray([rate for *_, rate in actions]),
        },
        entered=(starts - 10) * DAY + 9 * 3600,
        updated=(starts - 10) * DAY + 9 * 3600,
    )
