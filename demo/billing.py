"""The charging system: accounts, meters, readings, bills, payments and what follows them.

In: the world (`demo.world.World`). Out: `Rows` per table, month by month. Touches nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from demo import payments
from demo.chance import Ints, between, stream, weighted
from demo.clock import DAY, NEVER, Month, at, end_of
from demo.frames import NONE, Rows, cents, constant, last_change, number, pick, repeated, seen
from demo.pools import read
from demo.population import PREPAID
from demo.records import Records, habits
from demo.setting import Setting

CATEGORIES = ("residential", "commercial", "industrial", "agricultural", "public")
RESIDENTIAL, COMMERCIAL, INDUSTRIAL = range(3)
CURRENCY = "CNY"


@dataclass(frozen=True)
class Accounts:
    """What billing needs of an account, by position."""

    records: Records
    category: Ints
    monthly_kwh: Ints
    """Usual use of a month, in hundredths of a kWh."""
    peak_share: Ints
    valley_share: Ints
    """Parts of use in peak and valley hours, per thousand."""
    closed: Ints
    habit: Ints


def _accounts(world: Setting) -> Accounts:
    records, people = world.records["account"], world.people
    rng, size = stream(world.seed, "billing", "accounts"), len(records)
    firm = people.organisation[records.party]
    category = np.where(
        firm,
        weighted(rng, [0.0, 0.56, 0.30, 0.05, 0.09], size),
        weighted(rng, [0.96, 0.03, 0.0, 0.01, 0.0], size),
    )
    median = np.asarray([210.0, 2600.0, 21000.0, 1900.0, 6000.0])[category]
    spread = np.asarray([0.45, 0.9, 1.3, 0.8, 0.8])[category]
    kwh = median * np.exp(rng.normal(0.0, 1.0, size) * spread)
    leaves = rng.random(size) < world.rules["billing"]["closed"]
    closed = between(rng, records.start + 90, world.clock.horizon, size)
    ends = leaves & (closed > world.clock.history)
    habit = habits(records, people)
    return Accounts(
        records=records,
        category=category,
        monthly_kwh=np.rint(kwh * 100).astype(np.int64),
        peak_share=between(rng, 240, 440, size),
        valley_share=between(rng, 150, 330, size),
        closed=np.where(ends, closed, NEVER),
        habit=habit,
    )


def _account_rows(world: Setting, accounts: Accounts) -> Rows:
    records, details, people = accounts.records, world.details("account"), world.people
    rng, size, now = stream(world.seed, "billing", "account rows"), len(records), world.now
    kwh = accounts.monthly_kwh / 100
    voltage = np.select(
        [kwh > 400_000, kwh > 60_000, kwh > 8_000, accounts.category > RESIDENTIAL],
        [11000, 3500, 1000, 38],
        22,
    )
    capacity = np.maximum(8, np.rint(kwh / 140)) * 100
    tariff = np.asarray([read("business")["tariffs"][name]["flat"] for name in CATEGORIES])
    demand = kwh * 12 * tariff[accounts.category] / (0.45 + 0.55 * rng.random(size))
    importance = np.select([voltage >= 3500, voltage >= 1000, kwh > 5_000], [1, 2, 2], 3)
    importance = np.where((importance == 1) & (rng.random(size) < 0.2), 0, importance)
    closed_at = at(accounts.closed, 16 * 3600)
    manager = np.where(accounts.category > RESIDENTIAL, between(rng, 1, 24, size), -1)
    referrer = np.floor(rng.random(size) * np.arange(size)).astype(np.int64)
    referrer = np.where((rng.random(size) < 0.04) & (np.arange(size) > 0), referrer, -1)
    return Rows(
        table="billing.accounts",
        columns={
            "account_no": records.ids,
            "holder_name": details.name,
            "holder_kind": pick(
                repeated(["person", "organisation"]), people.organisation[records.party]
            ),
            "identity_no": details.identity,
            "phone": details.phone,
            "email": details.email,
            "address": details.address,
            "region": details.region,
            "usage_category": pick(repeated(CATEGORIES), accounts.category),
            "supply_voltage_kv": voltage,
            "contracted_capacity_kva": capacity.astype(np.int64),
            "estimated_annual_demand": cents(np.round(demand, -1)),
            "currency_code": constant(CURRENCY, size),
            "importance_class": pick(
                repeated(["special", "first", "second", "ordinary"]), importance
            ),
            "payment_mode": pick(repeated(["postpaid", "prepaid"]), accounts.habit == PREPAID),
            "opened_date": records.start,
            "closed_date": np.where(closed_at <= now, accounts.closed, NEVER),
            "manager": number("M", manager + 100 * (manager >= 0)),
            "referred_by": records.id_of(referrer),
        },
        entered=records.entered,
        updated=records.updated(now, closed_at),
    )


def _meter_rows(world: Setting, accounts: Accounts) -> Iterator[Rows]:
    records = accounts.records
    rng, size = stream(world.seed, "billing", "meters"), len(records)
    big = accounts.monthly_kwh > 800_000
    removed_at = at(accounts.closed, 16 * 3600)
    yield Rows(
        table="billing.meters",
        columns={
            "meter_no": number("E", records.numbers),
            "account_no": records.ids,
            "installed_date": records.start,
            "removed_date": np.where(removed_at <= world.now, accounts.closed, NEVER),
            "multiplier": np.where(big, between(rng, 2, 8, size) * 1000, 100),
        },
        entered=records.entered + 60,
        updated=last_change(world.now, records.entered + 60, removed_at),
    )
    firm = accounts.category > RESIDENTIAL
    chosen = np.flatnonzero(firm | (rng.random(size) < 0.05))
    count = len(chosen)
    yearly = rng.random(count) < 0.5
    guarantee = np.where(
        rng.random(count) < 0.6, np.round(accounts.monthly_kwh[chosen] * 0.65 * 2 / 1000) * 1000, 0
    ).astype(np.int64)
    plan = (accounts.habit[chosen] >= 2) & (accounts.habit[chosen] < PREPAID)
    plan &= rng.random(count) < 0.3
    signed = records.start[chosen]
    yield Rows(
        table="billing.supply_contracts",
        columns={
            "contract_no": number("K", records.numbers[chosen]),
            "account_no": records.id_of(chosen),
            "signed_date": signed,
            "expires_date": np.where(yearly, signed + 365 * between(rng, 1, 12, count), NEVER),
            "guarantee_amount": guarantee,
            "currency_code": constant(CURRENCY, count),
            "instalment_count": np.where(plan, between(rng, 3, 12, count), NONE),
            "instalment_amount": np.where(
                plan, accounts.monthly_kwh[chosen] * 65 // 100 // 3 // 100 * 100 + 100, NONE
            ),
        },
        entered=records.entered[chosen] + 300,
        updated=records.entered[chosen] + 300,
    )


def facts(world: Setting) -> Iterator[Rows]:
    """All rows of the charging system that exist at the world's moment, parents first."""
    accounts = _accounts(world)
    yield _account_rows(world, accounts)
    yield from _meter_rows(world, accounts)
    for month in world.months:
        yield from _month(world, accounts, month)
        yield from _site_visits(world, accounts, month)


def _month(world: Setting, accounts: Accounts, month: Month) -> Iterator[Rows]:
    records, now = accounts.records, world.now
    active = np.flatnonzero((records.start <= month.last) & (accounts.closed > month.first))
    rng, size = stream(world.seed, "billing", month.index), len(active)
    business, category = read("business"), accounts.category[active]
    season = np.asarray([business["seasons"][name][month.month - 1] for name in CATEGORIES])
    served = month.last - np.maximum(records.start[active], month.first) + 1
    weather = np.exp(rng.normal(0.0, 0.14, size)) * season[category]
    share = served / (month.last - month.first + 1)
    kwh = np.rint(accounts.monthly_kwh[active] * weather * share).astype(np.int64)
    peak = kwh * accounts.peak_share[active] // 1000
    valley = kwh * accounts.valley_share[active] // 1000
    flat = kwh - peak - valley
    read_at = end_of(month.last) - between(rng, 4 * 3600, 9 * 3600, size)
    late = rng.random(size) < 0.02
    entered = read_at + np.where(late, between(rng, 2, 6, size) * DAY - 10 * 3600, 30)
    yield Rows(
        table="billing.readings",
        columns={
            "account_no": records.id_of(active),
            "period": constant(month.period, size),
            "read_date": np.full(size, month.last),
            "kwh": kwh,
            "peak_kwh": peak,
            "flat_kwh": flat,
            "valley_kwh": valley,
        },
        entered=entered,
        updated=entered,
        part=month.index,
        happened=read_at,
    )
    issued = month.last + 1 + active % 10
    due = issued + 20
    # hundredths of a kWh times ten-thousandths of a yuan, to whole cents, half up
    price = {
        part: np.asarray([round(business["tariffs"][name][part] * 10_000) for name in CATEGORIES])[
            category
        ]
        for part in ("peak", "flat", "valley", "cost")
    }
    charged = peak * price["peak"] + flat * price["flat"] + valley * price["valley"]
    amount = (charged + 5_000) // 10_000
    issued_at = np.maximum(issued * DAY + between(rng, 6 * 3600, 8 * 3600, size), entered + 3600)
    # nobody pays a bill before it is out, and a late reading holds it up
    payable = np.where(late, issued_at // DAY + 1, issued)
    paid, outcome = payments.pay(rng, payable, due, amount, accounts.habit[active])
    fee = payments.late_fee(amount, due, outcome.covered)
    fee_at = np.where(fee > 0, outcome.covered + 60, NEVER)
    bill = month.code * 10**8 + records.numbers[active]
    yield Rows(
        table="billing.bills",
        columns={
            "bill_no": number("B", bill),
            "account_no": records.id_of(active),
            "period": constant(month.period, size),
            "issued_date": issued,
            "due_date": due,
            "kwh": kwh,
            "amount": amount,
            "cost": (kwh * price["cost"] + 5_000) // 10_000,
            "late_fee": np.where(fee_at <= now, fee, 0),
            "currency_code": constant(CURRENCY, size),
        },
        entered=issued_at,
        updated=last_change(now, issued_at, fee_at),
        part=month.index,
    )
    yield _payment_rows(world, accounts, active, bill, paid, month)
    yield from _consequences(world, rng, bill, due, issued_at, amount, outcome)


def _payment_rows(
    world: Setting,
    accounts: Accounts,
    active: Ints,
    bill: Ints,
    paid: payments.Payments,
    month: Month,
) -> Rows:
    now, size = world.now, len(paid.debt)
    return Rows(
        table="billing.payments",
        columns={
            "payment_no": number("PM", bill[paid.debt] * 10 + paid.part),
            "account_no": accounts.records.id_of(active[paid.debt]),
            "bill_no": number("B", np.where(paid.on_account == 1, -1, bill[paid.debt])),
            "amount": paid.amount,
            "currency_code": constant(CURRENCY, size),
            "channel": pick(repeated(payments.CHANNELS), paid.channel),
            "paid_at": paid.paid,
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


def _consequences(
    world: Setting,
    rng: np.random.Generator,
    bill: Ints,
    due: Ints,
    issued_at: Ints,
    amount: Ints,
    outcome: payments.Outcome,
) -> Iterator[Rows]:
    debt, step, sent = payments.reminders(rng, due, outcome.covered)
    yield Rows(
        table="billing.dunnings",
        columns={
            "dunning_id": bill[debt] * 10 + step + 1,
            "bill_no": number("B", bill[debt]),
            "sent_at": sent,
            "channel": pick(repeated(["sms", "letter", "phone", "visit"]), step),
        },
        entered=sent,
        updated=sent,
    )
    size = len(bill)
    disputed = rng.random(size) < world.rules["billing"]["disputed"]
    opened = issued_at + between(rng, 2, 15, size) * DAY
    closed = opened + between(rng, 5, 30, size) * DAY
    events = [
        (0, np.where(disputed, opened, NEVER), np.full(size, NONE)),
        (1, np.where(disputed, closed, NEVER), np.full(size, NONE)),
        (2, outcome.written_off, outcome.open_amount),
    ]
    kinds = repeated(["disputed", "resolved", "written_off", "adjusted"])
    code, happened, worth = (
        np.concatenate(part)
        for part in zip(
            *((np.full(size, kind), when, what) for kind, when, what in events), strict=True
        )
    )
    which = np.flatnonzero(happened < NEVER)
    owner = which % size
    yield Rows(
        table="billing.bill_events",
        columns={
            "bill_event_id": bill[owner] * 10 + code[which] + 1,
            "bill_no": number("B", bill[owner]),
            "event_type": pick(kinds, code[which]),
            "event_at": happened[which],
            "amount": worth[which],
        },
        entered=happened[which],
        updated=happened[which],
    )


def _site_visits(world: Setting, accounts: Accounts, month: Month) -> Iterator[Rows]:
    """Violations and inspections of a month."""
    records, rules = accounts.records, world.rules["billing"]
    active = np.flatnonzero((records.start <= month.last) & (accounts.closed > month.first))
    rng, now = stream(world.seed, "billing", "site", month.index), world.now
    firm = accounts.category[active] > RESIDENTIAL
    risky = np.where(accounts.habit[active] == 3, 6.0, 1.0) * np.where(firm, 3.0, 1.0)
    caught = active[rng.random(len(active)) < rules["violations"] * risky]
    size = len(caught)
    day = between(rng, np.maximum(month.first, records.start[caught]), month.last, size)
    moment = day * DAY + between(rng, 9 * 3600, 17 * 3600, size)
    yield Rows(
        table="billing.violations",
        columns={
            "violation_no": number("VI", month.code * 10**8 + records.numbers[caught]),
            "account_no": records.id_of(caught),
            "violation_kind": pick(repeated(["contract", "metering"]), weighted(rng, [3, 2], size)),
            "severity": pick(repeated(["minor", "major"]), weighted(rng, [4, 1], size)),
            "occurred_at": moment,
        },
        entered=moment + 1800,
        updated=moment + 1800,
    )
    rate = np.where(firm, rules["inspections"]["organisation"], rules["inspections"]["person"])
    visited = active[rng.random(len(active)) < rate]
    size = len(visited)
    day = between(rng, np.maximum(month.first, records.start[visited]), month.last, size)
    hazard = rng.random(size) < 0.16
    repaired = day + between(rng, 3, 60, size)
    repaired = np.where(hazard & (rng.random(size) < 0.75), repaired, NEVER)
    entered = day * DAY + 17 * 3600
    repaired_at = np.where(repaired < NEVER, repaired * DAY + 15 * 3600, NEVER)
    yield Rows(
        table="billing.inspections",
        columns={
            "inspection_no": number("IN", month.code * 10**8 + records.numbers[visited]),
            "account_no": records.id_of(visited),
            "inspected_date": day,
            "hazard_found": hazard,
            "due_date": np.where(hazard, day + 30, NEVER),
            "rectified_date": np.where(repaired_at <= now, repaired, NEVER),
        },
        entered=entered,
        updated=last_change(now, entered, repaired_at),
    )
