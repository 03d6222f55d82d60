"""The order system: buyers, orders with their lines, shipments, invoices, receipts, returns.

In: the setting of a world. Out: `Rows` per table, month by month. Touches nothing.
Goods and prices are in `demo.catalogue`, leads to quotes in `demo.sales`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from demo import catalogue, payments, sales
from demo.chance import Bools, Floats, Ints, between, stream, weighted
from demo.clock import DAY, NEVER, Month, at
from demo.frames import NONE, Rows, cents, constant, last_change, number, pick, repeated, seen
from demo.pools import read
from demo.population import CHINESE
from demo.records import Records, habits
from demo.setting import Setting

CURRENCIES = tuple(read("business")["currencies"])
TERMS = np.asarray([7, 15, 30, 60])
OPEN, SHIPPED, INVOICED, CANCELLED = range(4)


@dataclass(frozen=True)
class Buyers:
    """What orders need of a buyer, by position."""

    records: Records
    firm: Bools
    currency: Ints
    terms: Ints
    rate: Floats
    """Orders a month."""
    volume: Floats
    """Factor of the usual quantity."""
    leaves: Ints
    """The day after which the buyer orders no more."""
    habit: Ints


def _buyers(world: Setting) -> Buyers:
    records, people = world.records["buyer"], world.people
    rng, size, rules = stream(world.seed, "orders", "buyers"), len(records), world.rules["orders"]
    firm = people.organisation[records.party]
    foreign = people.language[records.party] != CHINESE
    abroad, at_home = weighted(rng, [20, 45, 35], size), weighted(rng, [96, 3, 1], size)
    currency = np.where(foreign & firm, abroad, at_home)
    terms = TERMS[np.where(firm, weighted(rng, [0.05, 0.15, 0.55, 0.25], size), 0)]
    rate = np.where(firm, rules["organisation"], rules["person"]) * rng.gamma(1.2, 1 / 1.2, size)
    volume = np.where(firm, 12.0, 1.0) * people.means[records.party]
    volume *= np.where(firm, np.exp(rng.normal(0.0, 0.9, size)), 1.0)
    life = np.rint(rng.exponential(1100, size)).astype(np.int64) + 20
    return Buyers(
        records=records,
        firm=firm,
        currency=currency,
        terms=terms,
        rate=rate,
        volume=volume,
        leaves=np.maximum(records.start, world.clock.history) + life,
        habit=habits(records, people),
    )


def _buyer_rows(world: Setting, buyers: Buyers) -> Rows:
    records, details = buyers.records, world.details("buyer")
    rng, size = stream(world.seed, "orders", "buyer rows"), len(records)
    yearly = buyers.rate * 12 * buyers.volume * 700 / (0.2 + 0.8 * rng.random(size))
    factor = np.asarray([read("business")["currencies"][c] for c in CURRENCIES])[buyers.currency]
    referrer = np.floor(rng.random(size) * np.arange(size)).astype(np.int64)
    referrer = np.where((rng.random(size) < 0.05) & (np.arange(size) > 0), referrer, -1)
    return Rows(
        table="orders.customers",
        columns={
            "customer_no": records.ids,
            "customer_name": details.name,
            "customer_kind": pick(repeated(["person", "organisation"]), buyers.firm),
            "identity_no": details.identity,
            "phone": details.phone,
            "email": details.email,
            "address": details.address,
            "region": details.region,
            "currency_code": pick(repeated(CURRENCIES), buyers.currency),
            "estimated_annual_demand": cents(np.round(yearly * factor, -1) + 10),
            "payment_terms_days": buyers.terms,
            "referred_by": records.id_of(referrer),
            "created_date": records.start,
        },
        entered=records.entered,
        updated=records.updated(world.now),
    )


def facts(world: Setting) -> Iterator[Rows]:
    """All rows of the order system that exist at the world's moment, parents first."""
    buyers = _buyers(world)
    yield _buyer_rows(world, buyers)
    yield sales.contacts(world, buyers.records, buyers.firm)
    goods = catalogue.goods()
    yield from catalogue.rows(world, goods)
    met = sales.Met.nobody(len(buyers.records))
    for month in world.months:
        yield from _month(world, buyers, goods, met, month)


def _month(
    world: Setting, buyers: Buyers, goods: catalogue.Goods, met: sales.Met, month: Month
) -> Iterator[Rows]:
    records, rules = buyers.records, world.rules["orders"]
    rng = stream(world.seed, "orders", month.index)
    active = np.flatnonzero((records.start <= month.last) & (buyers.leaves > month.first))
    buyer = np.repeat(active, rng.poisson(buyers.rate[active]))
    first = np.maximum(month.first, records.start[buyer])
    day = between(rng, first, month.last, len(buyer))
    ordered = day * DAY + between(rng, 8 * 3600, 22 * 3600, len(buyer))
    ordered = np.maximum(ordered, records.entered[buyer] + 300)

    won, funnel = sales.funnel(world, month, records, buyers.firm, buyers.currency, active, met)
    yield from funnel
    buyer = np.concatenate([buyer, won.buyer])
    ordered = np.concatenate([ordered, won.ordered])
    quote = np.concatenate([np.full(len(day), -1), won.quote])
    order = np.argsort(ordered, kind="stable")
    buyer, ordered, quote = buyer[order], ordered[order], quote[order]
    size = len(buyer)
    order_no = month.code * 10**7 + np.arange(size) + 1

    ready = (ordered // DAY + between(rng, 1, 7, size)) * DAY + between(rng, 30_000, 60_000, size)
    cancelled = rng.random(size) < rules["cancelled"]
    stop = ordered + ((ready - ordered) * (0.1 + 0.8 * rng.random(size))).astype(np.int64)
    stop = np.where(cancelled, stop, NEVER)
    shipped = np.where(cancelled, NEVER, ready)
    billed_day = np.where(cancelled, NEVER, ready // DAY + between(rng, 0, 2, size))
    billed = np.where(cancelled, NEVER, np.maximum(at(billed_day, 18 * 3600), shipped + 600))
    now = world.now
    status = np.select(
        [stop <= now, billed <= now, shipped <= now], [CANCELLED, INVOICED, SHIPPED], OPEN
    )
    promotion, discount = catalogue.promotion(world, ordered // DAY)
    takes_part = (promotion >= 0) & (rng.random(size) < 0.5)
    discount = np.where(takes_part, discount, 0)
    currency = buyers.currency[buyer]
    yield Rows(
        table="orders.orders",
        columns={
            "order_no": number("O", order_no),
            "customer_no": records.id_of(buyer),
            "quote_no": number("Q", quote),
            "ordered_at": ordered,
            "promised_date": ordered // DAY + 7,
            "order_status": pick(repeated(["open", "shipped", "invoiced", "cancelled"]), status),
            "cancelled_at": seen(stop, now),
            "channel": pick(
                repeated(["web", "phone", "shop", "agent"]), weighted(rng, [5, 2, 2, 1], size)
            ),
            "promotion_no": number("PR", np.where(takes_part, promotion + 101, -1)),
            "currency_code": pick(repeated(CURRENCIES), currency),
        },
        entered=ordered,
        updated=last_change(now, ordered, stop, shipped, billed),
        part=month.index,
    )
    lines = _lines(rng, rules, buyers, goods, buyer, ordered, discount)
    dropped = ordered + ((ready - ordered) * (0.2 + 0.5 * rng.random(size))).astype(np.int64)
    gone = np.where(lines.dropped & ~cancelled[lines.order], dropped[lines.order], NEVER)
    yield _line_rows(month, order_no, ordered, lines, gone)
    worth = (lines.quantity * lines.unit_price + 5_000) // 10_000
    amount = np.bincount(
        lines.order[gone == NEVER], weights=worth[gone == NEVER], minlength=size
    ).astype(np.int64)
    delivered = np.where(cancelled, NEVER, shipped + between(rng, 20, 120, size) * 3600)
    sent = np.flatnonzero(~cancelled)
    yield Rows(
        table="orders.shipments",
        columns={
            "shipment_no": number("SH", order_no[sent]),
            "order_no": number("O", order_no[sent]),
            "shipped_at": shipped[sent],
            "delivered_at": seen(delivered[sent], now),
            "carrier": pick(repeated(read("business")["carriers"]), between(rng, 0, 3, len(sent))),
        },
        entered=shipped[sent],
        updated=last_change(now, shipped[sent], delivered[sent]),
    )
    yield from _invoices(
        world,
        month,
        rng,
        buyers,
        buyer[sent],
        order_no[sent],
        billed[sent],
        amount[sent],
    )
    arrived = np.where(gone < NEVER, NEVER, delivered[lines.order])
    yield _returns(world, rng, order_no, lines, worth, arrived)
    yield sales.visits(world, month, records, buyers.firm, active)


@dataclass(frozen=True)
class Lines:
    order: Ints
    line: Ints
    product: Ints
    quantity: Ints
    list_price: Ints
    unit_price: Ints
    unit_cost: Ints
    dropped: Bools
    """Taken off the order again before it is shipped (never the only line)."""


def _lines(
    rng: np.random.Generator,
    rules: dict[str, float],
    buyers: Buyers,
    goods: catalogue.Goods,
    buyer: Ints,
    ordered: Ints,
    promotion: Ints,
) -> Lines:
    count = np.minimum(1 + rng.poisson(np.where(buyers.firm[buyer], 1.6, 0.7)), 9)
    order = np.repeat(np.arange(len(buyer)), count)
    size = len(order)
    line = np.arange(size) - np.repeat(np.cumsum(count) - count, count)
    # a buyer comes back to the same few products
    favourite = buyers.records.party[buyer][order] * 7 % len(goods.price)
    other = between(rng, 0, len(goods.price) - 1, size)
    product = np.where(rng.random(size) < 0.4, (favourite + line) % len(goods.price), other)
    household = goods.affordable()
    product = np.where(buyers.firm[buyer][order], product, household[product % len(household)])
    year = (ordered[order] // DAY).astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64)
    currency = buyers.currency[buyer][order]
    list_price = goods.list_price(product, year + 1970, currency)
    own = np.where(rng.random(size) < rules["discounted"], between(rng, 1, 15, size) * 100, 0)
    off = np.maximum(own, promotion[order])
    dear = np.maximum(1.0, 4_000_000 / np.maximum(goods.price[product], 1)) ** 0.5
    wanted = buyers.volume[buyer][order] * np.exp(rng.normal(0.0, 0.5, size)) * dear / 4
    last = line == count[order] - 1
    quantity = np.maximum(1, np.rint(wanted)).astype(np.int64) * 100
    return Lines(
        order=order,
        line=line + 1,
        product=product,
        quantity=quantity,
        list_price=list_price,
        unit_price=list_price * (10_000 - off) // 10_000,
        unit_cost=goods.unit_cost(product, currency),
        dropped=(rng.random(size) < rules["line_deleted"]) & last & (line > 0),
    )


def _line_rows(month: Month, order_no: Ints, ordered: Ints, lines: Lines, gone: Ints) -> Rows:
    entered = ordered[lines.order] + lines.line * 20
    return Rows(
        table="orders.order_lines",
        columns={
            "order_no": number("O", order_no[lines.order]),
            "line_no": lines.line,
            "product_no": number("PD", lines.product + 1001),
            "quantity": lines.quantity,
            "list_price": lines.list_price,
            "unit_price": lines.unit_price,
            "unit_cost": lines.unit_cost,
        },
        entered=entered,
        updated=entered,
        deleted=gone,
        part=month.index,
    )


def _invoices(
    world: Setting,
    month: Month,
    rng: np.random.Generator,
    buyers: Buyers,
    buyer: Ints,
    order_no: Ints,
    billed: Ints,
    amount: Ints,
) -> Iterator[Rows]:
    now, records, size = world.now, buyers.records, len(buyer)
    day = billed // DAY
    due = day + buyers.terms[buyer]
    currency = pick(repeated(CURRENCIES), buyers.currency[buyer])
    yield Rows(
        table="orders.invoices",
        columns={
            "invoice_no": number("I", order_no),
            "order_no": number("O", order_no),
            "customer_no": records.id_of(buyer),
            "issued_date": day,
            "due_date": due,
            "amount": amount,
            "currency_code": currency,
        },
        entered=billed,
        updated=billed,
        part=month.index,
    )
    paid, outcome = payments.pay(rng, day + 1, due, amount, buyers.habit[buyer])
    yield Rows(
        table="orders.receipts",
        columns={
            "receipt_no": number("R", order_no[paid.debt] * 10 + paid.part),
            "customer_no": records.id_of(buyer[paid.debt]),
            "invoice_no": number("I", np.where(paid.on_account == 1, -1, order_no[paid.debt])),
            "amount": paid.amount,
            "currency_code": currency.take(paid.debt),
            "received_at": paid.paid,
            "settled_at": seen(paid.settled, now),
            "reversed_at": seen(paid.reversed, now),
            "reversal_reason": pick(
                repeated(payments.REASONS), np.where(paid.reversed <= now, paid.reason, -1)
            ),
        },
        entered=paid.entered,
        updated=last_change(now, paid.entered, paid.settled, paid.reversed),
        deleted=paid.deleted,
        part=month.index,
        happened=paid.paid,
    )
    disputed = rng.random(size) < world.rules["orders"]["disputed"]
    opened = billed + between(rng, 2, 12, size) * DAY
    moments = np.concatenate(
        [
            np.where(disputed, opened, NEVER),
            np.where(disputed, opened + between(rng, 5, 25, size) * DAY, NEVER),
            outcome.written_off,
        ]
    )
    which = np.flatnonzero(moments < NEVER)
    owner, kind = which % size, which // size
    yield Rows(
        table="orders.invoice_events",
        columns={
            "invoice_event_id": order_no[owner] * 10 + kind + 1,
            "invoice_no": number("I", order_no[owner]),
            "event_type": pick(repeated(["disputed", "resolved", "written_off"]), kind),
            "event_at": moments[which],
            "amount": np.where(kind == 2, outcome.open_amount[owner], NONE),
        },
        entered=moments[which],
        updated=moments[which],
    )
    debt, step, sent = payments.reminders(rng, due, outcome.covered)
    yield Rows(
        table="orders.activities",
        columns={
            "activity_no": number("AD", order_no[debt] * 10 + step),
            "customer_no": records.id_of(buyer[debt]),
            "activity_kind": constant("collection", len(debt)),
            "happened_at": sent,
            "cost": between(rng, 800, 6_000, len(debt)),
            "currency_code": constant("CNY", len(debt)),
            "salesperson": number("SP", buyer[debt] % 12 + 101),
        },
        entered=sent + 300,
        updated=sent + 300,
    )


def _returns(
    world: Setting,
    rng: np.random.Generator,
    order_no: Ints,
    lines: Lines,
    worth: Ints,
    delivered: Ints,
) -> Rows:
    chosen = np.flatnonzero(
        (rng.random(len(lines.order)) < world.rules["orders"]["returned"]) & (delivered < NEVER)
    )
    size = len(chosen)
    units = lines.quantity[chosen] // 100
    back = between(rng, np.ones(size, dtype=np.int64), units, size)
    moment = delivered[chosen] + between(rng, 1, 20, size) * DAY
    amount = (back * 100 * lines.unit_price[chosen] + 5_000) // 10_000
    return Rows(
        table="orders.returns",
        columns={
            "return_no": number("RT", order_no[lines.order[chosen]] * 10 + lines.line[chosen]),
            "order_no": number("O", order_no[lines.order[chosen]]),
            "line_no": lines.line[chosen],
            "quantity": back * 100,
            "amount": np.minimum(amount, worth[chosen]),
            "reason": pick(
                repeated(["defect", "wrong_item", "late", "changed_mind"]),
                weighted(rng, [4, 2, 1, 3], size),
            ),
            "returned_at": moment,
        },
        entered=moment,
        updated=moment,
    )
