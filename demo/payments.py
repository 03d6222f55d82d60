"""How debts are paid: on time, late, in parts, by money that comes back, or never.

In: debts (issue day, due day, cents, payer's habit) and a stream of chance. Out: `Payments`, one
row per payment there will ever be, and what became of each debt. Touches nothing.
The sum of the payments that stand never exceeds the debt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo.chance import Floats, Ints, between, weighted
from demo.clock import DAY, NEVER
from demo.pools import read
from demo.population import DEFAULTER, HABITS

CHANNELS = ("bank_transfer", "direct_debit", "counter", "app", "agency")
REASONS = ("bounced", "duplicate", "mistake")
BOUNCED, DUPLICATE, MISTAKE = range(len(REASONS))
PARTS = 4
"""First part, rest, replacement of a bounced first part, mistaken booking."""


@dataclass(frozen=True)
class Payments:
    """Payments of a set of debts, sorted by debt and part."""

    debt: Ints
    part: Ints
    amount: Ints
    channel: Ints
    paid: Ints
    settled: Ints
    reversed: Ints
    reason: Ints
    entered: Ints
    deleted: Ints
    on_account: Ints
    """1 where the payer named no debt."""


@dataclass(frozen=True)
class Outcome:
    """What became of each debt: when it was covered, when it was written off and what for."""

    covered: Ints
    written_off: Ints
    open_amount: Ints


def _of_habit(habit: Ints, rule: str) -> Floats:
    rules = read("behaviour")["payments"]
    return np.asarray([rules[name][rule] for name in HABITS], dtype=np.float64)[habit]


def _moment(rng: np.random.Generator, day: Ints) -> Ints:
    return day * DAY + between(rng, 8 * 3600, 21 * 3600, len(day))


def _arrival(rng: np.random.Generator, paid: Ints, channel: Ints) -> Ints:
    """When the money is there: minutes at the counter, days by transfer or through an agency."""
    size = len(paid)
    days = np.select(
        [channel == 0, channel == 1, channel == 4],
        [between(rng, 1, 3, size), np.ones(size, dtype=np.int64), between(rng, 2, 5, size)],
        0,
    )
    morning = (paid // DAY + days) * DAY + between(rng, 9 * 3600, 11 * 3600, size)
    return np.where(days > 0, morning, paid + between(rng, 20, 900, size))


def pay(
    rng: np.random.Generator, issued: Ints, due: Ints, amount: Ints, habit: Ints
) -> tuple[Payments, Outcome]:
    """Let every debt take its course."""
    rules, size = read("behaviour")["payments"], len(issued)
    first = _of_habit(habit, "first").astype(np.int64)
    last = _of_habit(habit, "last").astype(np.int64)
    earliest = np.maximum(due + first, issued)
    day = between(rng, earliest, np.maximum(due + last, earliest + 1), size)
    never = (rng.random(size) < _of_habit(habit, "never")) | (amount <= 0)
    partial = (rng.random(size) < _of_habit(habit, "partial")) & (amount >= 100)
    bounced = rng.random(size) < _of_habit(habit, "bounced")
    gives_up = (habit == DEFAULTER) & (rng.random(size) < 0.5)
    mistaken = rng.random(size) < rules["mistaken"]
    channel = weighted(rng, [0.24, 0.18, 0.08, 0.42, 0.08], size)
    # only money that is drawn or transferred can come back
    channel = np.where(bounced & (channel > 1), 1, channel)

    head = np.where(partial, (amount * (0.45 + 0.3 * rng.random(size))).astype(np.int64), amount)
    paid = _moment(rng, day)
    settled = _arrival(rng, paid, channel)
    returned = settled + between(rng, 2, 5, size) * DAY
    rest_paid = _moment(rng, day + between(rng, 15, 40, size))
    again_paid = _moment(rng, returned // DAY + between(rng, 3, 24, size))
    exists = np.stack(
        [
            ~never,
            ~never & partial & ~gives_up,
            ~never & bounced & ~gives_up,
            ~never & mistaken,
        ]
    )
    paids = np.stack([paid, rest_paid, again_paid, paid + between(rng, 60, 3600, size)])
    channels = np.stack([channel, channel, np.full(size, 2), channel])
    settleds = np.stack([settled, *(_arrival(rng, paids[k], channels[k]) for k in (1, 2, 3))])
    # a mistaken booking is reversed, or the clerk deletes it
    erased = rng.random(size) < 0.5
    correction = paids[3] + between(rng, 1, 3, size) * DAY
    nothing = np.full(size, NEVER)
    reverseds = np.stack(
        [np.where(bounced, returned, NEVER), nothing, nothing, np.where(erased, NEVER, correction)]
    )
    reasons = np.stack(
        [
            np.where(bounced, BOUNCED, -1),
            np.full(size, -1),
            np.full(size, -1),
            np.where(erased, -1, np.where(rng.random(size) < 0.5, DUPLICATE, MISTAKE)),
        ]
    )
    late = (rng.random((PARTS, size)) < rules["entered_late"]) & (channels == 4)
    delay = between(rng, 2, 6, size) * DAY
    entereds = paids + np.where(late, delay, between(rng, 5, 50, size))
    deleteds = np.stack([nothing, nothing, nothing, np.where(erased, correction, NEVER)])
    amounts = np.stack([head, amount - head, head, head])
    alone = (rng.random((PARTS, size)) < rules["on_account"]).astype(np.int64)

    flat = np.flatnonzero(exists.T.ravel())
    debt, part = flat // PARTS, flat % PARTS
    of = (part, debt)
    payments = Payments(
        debt=debt,
        part=part + 1,
        amount=amounts[of],
        channel=channels[of],
        paid=paids[of],
        settled=settleds[of],
        reversed=reverseds[of],
        reason=reasons[of],
        entered=entereds[of],
        deleted=deleteds[of],
        on_account=alone[of],
    )
    stands = exists & np.stack([~bounced, ~never, ~never, np.zeros(size, dtype=bool)])
    received = np.where(stands, amounts, 0).sum(axis=0)
    there = np.where(stands, np.maximum(settleds, entereds), 0).max(axis=0)
    short = amount - received
    limit = (due + rules["written_off_after_days"]) * DAY + 10 * 3600
    return payments, Outcome(
        covered=np.where((short == 0) & (amount > 0), there, NEVER),
        written_off=np.where(short > 0, limit + between(rng, 0, 6 * 3600, size), NEVER),
        open_amount=short,
    )


def reminders(rng: np.random.Generator, due: Ints, covered: Ints) -> tuple[Ints, Ints, Ints]:
    """Reminders while a debt is open: debt, which reminder (from 0), moment of sending."""
    days = np.asarray(read("behaviour")["payments"]["reminders"])
    sent = (due[:, None] + days[None, :]) * DAY
    sent = sent + between(rng, 9 * 3600, 17 * 3600, sent.size).reshape(sent.shape)
    debt, step = np.nonzero(sent < covered[:, None])
    return debt, step, sent[debt, step]


def late_fee(amount: Ints, due: Ints, covered: Ints) -> Ints:
    """Fee in cents of a debt that was covered late; 0 when it was not."""
    rate = round(read("behaviour")["payments"]["late_fee_a_day"] * 10_000)
    days = np.where(covered < NEVER, np.maximum(covered // DAY - due, 0), 0)
    fee: Ints = (amount * days * rate + 5_000) // 10_000
    return fee
