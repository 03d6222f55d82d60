"""What the hospital does in a visit and what it costs: diagnoses, orders, charges, settlements.

In: the setting of a world and the visits of a month. Out: `Rows` per table. Touches nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from demo import payments
from demo.chance import Ints, between, weighted
from demo.clock import DAY, NEVER, Month
from demo.frames import Rows, constant, last_change, number, pick, repeated, seen
from demo.pools import read, texts
from demo.population import PROMPT
from demo.records import habits
from demo.setting import Setting

CURRENCY = "CNY"
VISIT_KINDS = ("outpatient", "inpatient", "emergency", "check_up")
OUTPATIENT, INPATIENT, EMERGENCY, CHECK_UP = range(4)
ITEMS = ("consultation", "drug", "laboratory", "imaging", "procedure", "bed")


@dataclass(frozen=True)
class Visits:
    """Visits of a month: patient, kind, who pays, from when to when."""

    patient: Ints
    kind: Ints
    admitted: Ints
    discharged: Ints
    department: Ints
    payer: Ints
    """Position of the paying patient or, of check-ups, of the paying group client."""


def care(
    world: Setting, rng: np.random.Generator, visits: Visits, visit_no: Ints
) -> Iterator[Rows]:
    """Diagnoses and medical orders; they never leave the restricted zone."""
    size, codes = len(visit_no), texts("business", "icd10")
    ill = visits.kind != CHECK_UP
    first = between(rng, 0, len(codes) - 1, size)
    other = (first + between(rng, 1, len(codes) - 1, size)) % len(codes)
    for step, code, chosen in (
        (0, first, np.flatnonzero(ill)),
        (1, other, np.flatnonzero(ill & (rng.random(size) < 0.18))),
    ):
        moment = visits.admitted[chosen] + 1500
        yield Rows(
            table="his.diagnoses",
            columns={
                "diagnosis_id": visit_no[chosen] * 10 + step + 1,
                "visit_no": number("V", visit_no[chosen]),
                "icd10": pick(codes, code[chosen]),
                "is_primary": np.full(len(chosen), step == 0),
            },
            entered=moment,
            updated=moment,
        )
    rate = np.asarray([0.35, 2.5, 0.8, 0.5])[visits.kind]
    count = np.minimum(rng.poisson(rate), 9)
    owner = np.repeat(np.arange(size), count)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    stay = (visits.discharged - visits.admitted)[owner]
    moment = visits.admitted[owner] + (stay * rng.random(len(owner)) * 0.8).astype(np.int64)
    kinds = repeated(["drug", "laboratory", "imaging", "nursing", "procedure"])
    yield Rows(
        table="his.medical_orders",
        columns={
            "medical_order_id": visit_no[owner] * 10 + step,
            "visit_no": number("V", visit_no[owner]),
            "order_kind": pick(kinds, weighted(rng, [4, 3, 1.5, 1, 1], len(owner))),
            "ordered_at": moment,
        },
        entered=moment + 60,
        updated=moment + 60,
    )


def money(
    world: Setting,
    month: Month,
    rng: np.random.Generator,
    visits: Visits,
    visit_no: Ints,
    payer: Ints,
) -> Iterator[Rows]:
    size, business, people = len(visit_no), read("business"), world.people
    records = world.records["patient"]
    party = records.party[visits.patient]
    # whether and how far somebody is insured does not change
    insured = np.where(party % 10 < 7, (50 + party % 8 * 5) / 100, 0.0)
    insured = np.where(visits.kind == CHECK_UP, 0.0, insured)
    nights = np.maximum((visits.discharged - visits.admitted) // DAY, 1)
    own_share = np.zeros(size, dtype=np.int64)
    last_charge = visits.admitted.copy()
    parts = []
    for step, item in enumerate(ITEMS):
        share = np.asarray([business["charge_shares"][item][kind] for kind in VISIT_KINDS])
        price = np.asarray([business["charges"][item][kind] for kind in VISIT_KINDS])
        has = rng.random(size) < share[visits.kind]
        amount = price[visits.kind] * np.exp(rng.normal(0.0, 0.55, size))
        amount = np.where(item == "bed", amount * nights / 5, amount)
        amount = np.maximum(np.rint(amount * 100).astype(np.int64), 100)
        insurer = np.rint(amount * insured).astype(np.int64)
        length = (visits.discharged - visits.admitted) * (0.3 + 0.6 * rng.random(size))
        moment = visits.admitted + length.astype(np.int64)
        cost = np.rint(amount * business["charges"][item]["cost"]).astype(np.int64)
        own_share += np.where(has, amount - insurer, 0)
        last_charge = np.where(has, np.maximum(last_charge, moment), last_charge)
        which = np.flatnonzero(has)
        parts.append(
            (
                visit_no[which] * 10 + step,
                visit_no[which],
                np.full(len(which), step),
                amount[which],
                cost[which],
                insurer[which],
                moment[which],
            )
        )
    ids, owner, item_of, amount, cost, insurer, moment = (
        np.concatenate(part) for part in zip(*parts, strict=True)
    )
    order = np.argsort(ids, kind="stable")
    moment = moment[order]
    late = (rng.random(len(order)) < world.rules["his"]["charged_late"]) * DAY
    entered = moment + 120 + late * between(rng, 1, 3, len(order))
    yield Rows(
        table="his.charges",
        columns={
            "charge_id": ids[order],
            "visit_no": number("V", owner[order]),
            "item_class": pick(repeated(ITEMS), item_of[order]),
            "amount": amount[order],
            "cost": cost[order],
            "insurer_amount": insurer[order],
            "self_pay_amount": (amount - insurer)[order],
            "currency_code": constant(CURRENCY, len(order)),
            "charged_at": moment,
        },
        entered=entered,
        updated=entered,
        part=month.index,
        happened=moment,
    )
    # patients pay when they leave, unless they pay late as a habit; firms pay on account
    habit = habits(records, people)[payer]
    by_firm = visits.kind == CHECK_UP
    clients = world.records["group_client"]
    if len(clients):
        firm_habit = habits(clients, people)[np.maximum(visits.payer, 0)]
        habit = np.where(by_firm, firm_habit, habit)
    leaving = visits.discharged // DAY
    paid, _ = payments.pay(rng, leaving, leaving + 30, own_share, habit)
    at_once = ((habit == PROMPT) & ~by_firm & (rng.random(size) < 0.93))[paid.debt]
    at_once &= paid.part == 1
    left = visits.discharged[paid.debt] + 300
    early = paid.paid - left
    shift = np.where(at_once, early, np.minimum(early, 0))
    bounced = (paid.reversed < NEVER) | (paid.part != 1)
    shift = np.where(bounced, np.minimum(shift, 0), shift)
    paid_at, settled, reversed_at, entered, deleted = (
        np.where(m < NEVER, m - shift, NEVER)
        for m in (paid.paid, paid.settled, paid.reversed, paid.entered, paid.deleted)
    )
    # the hospital reverses a mistaken booking, it never deletes one
    erased = deleted < NEVER
    reversed_at = np.where(erased, deleted, reversed_at)
    reason = np.where(erased, payments.MISTAKE, paid.reason)
    yield Rows(
        table="his.settlements",
        columns={
            "settlement_no": number("SE", visit_no[paid.debt] * 10 + paid.part),
            "visit_no": number("V", visit_no[paid.debt]),
            "amount": paid.amount,
            "currency_code": constant(CURRENCY, len(paid.debt)),
            "paid_at": paid_at,
            "settled_at": seen(settled, world.now),
            "reversed_at": seen(reversed_at, world.now),
            "reversal_reason": pick(
                repeated(payments.REASONS), np.where(reversed_at <= world.now, reason, -1)
            ),
        },
        entered=entered,
        updated=last_change(world.now, entered, settled, reversed_at),
        part=month.index,
        happened=paid_at,
    )
