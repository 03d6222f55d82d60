"""The sales side of the order system: contacts, leads, opportunities, quotes, activities.

In: the setting and the buyers. Out: `Rows`, and the orders that quotes lead to. Touches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from demo import numbers, spelling
from demo.arrow import kernels
from demo.chance import Bools, Ints, between, stream, weighted
from demo.clock import DAY, NEVER, Month, at
from demo.frames import Rows, constant, join, last_change, number, pick, repeated
from demo.pools import read, texts
from demo.records import Records
from demo.setting import Setting


@dataclass(frozen=True)
class Won:
    """Orders that follow a quote."""

    buyer: Ints
    ordered: Ints
    quote: Ints


def contacts(world: Setting, records: Records, firm: Bools) -> Rows:
    """Who acts for the buying organisations; some leave and are deleted."""
    rng = stream(world.seed, "orders", "contacts")
    firms = np.flatnonzero(firm)
    owner = np.repeat(firms, 1 + (rng.random(len(firms)) < 0.45))
    size = len(owner)
    # contacts are people of no record: somebody's name, a number of their own
    somebody = between(rng, 4, world.people.size - 1, size)
    person = ~world.people.organisation[somebody]
    somebody = np.where(person, somebody, 0)
    # the first party is a canary and must not be named here
    somebody = np.where(somebody == 0, np.flatnonzero(~world.people.organisation)[-1], somebody)
    line = (world.people.size + np.arange(size)) * 4 + 3
    name = spelling.person_name(world.people, somebody, rng)
    entered = records.entered[owner] + between(rng, 0, 40, size) * DAY + 900
    leaves = entered + (rng.exponential(2.5, size) * 365 + 1).astype(np.int64) * DAY
    leaves = np.where(leaves > world.clock.history * DAY, leaves, NEVER)
    return Rows(
        table="orders.contacts",
        columns={
            "contact_no": number("CT", 10_000_001 + np.arange(size)),
            "customer_no": records.id_of(owner),
            "contact_name": name,
            "phone": numbers.write_mobile(
                numbers.mobile(line), weighted(rng, [7, 1, 1, 1, 0.5, 0.5], size)
            ),
            "email": join("contact.", number("", np.arange(size) + 1), "@example.com"),
            "job_title": pick(texts("business", "job_titles"), between(rng, 0, 5, size)),
        },
        entered=entered,
        updated=entered,
        deleted=leaves,
    )


@dataclass(frozen=True)
class Met:
    """The lead that each buyer was, by position: its number and day; -1 for none.

    A month writes its own; it reads those of the months before it.
    """

    lead: Ints
    day: Ints

    @classmethod
    def nobody(cls, buyers: int) -> Met:
        return cls(np.full(buyers, -1), np.full(buyers, -1))

    def note(self, buyer: Ints, lead: Ints, day: Ints) -> None:
        became = buyer >= 0
        self.lead[buyer[became]], self.day[buyer[became]] = lead[became], day[became]

    def lead_of(self, buyer: Ints, opened: Ints, within: int) -> Ints:
        """The lead an opportunity comes from: -1 when its buyer has been known for longer."""
        return np.where(opened - self.day[buyer] <= within, self.lead[buyer], -1)


def funnel(
    world: Setting,
    month: Month,
    records: Records,
    firm: Bools,
    currency: Ints,
    active: Ints,
    met: Met,
) -> tuple[Won, list[Rows]]:
    """Leads, opportunities and quotes that begin in a month, and the orders won.

    Notes in `met` who of the buyers was a lead.
    """
    rng, rules, now = stream(world.seed, "sales", month.index), world.rules["orders"], world.now
    codes = repeated(tuple(read("business")["currencies"]))
    # buyers who came this month were leads before, some of them; others come to nothing
    fresh = active[records.start[active] >= month.first]
    fresh = fresh[rng.random(len(fresh)) < 0.5]
    idle = int(rng.poisson(rules["leads"] * len(active)))
    buyer = np.concatenate([fresh, np.full(idle, -1)])
    size = len(buyer)
    known = np.maximum(buyer, 0)
    idle_day = between(rng, month.first, month.last, size)
    created = idle_day * DAY + between(rng, 9 * 3600, 17 * 3600, size)
    asked = records.entered[known] - between(rng, 1, 25, size) * DAY if len(records) else created
    created = np.where(buyer >= 0, np.maximum(asked, month.first * DAY + 30_000), created)
    became = np.where(buyer >= 0, np.maximum(records.entered[known] + 900, created), NEVER)
    order = np.argsort(created, kind="stable")
    buyer, created, became = buyer[order], created[order], became[order]
    party = np.where(buyer >= 0, records.party[np.maximum(buyer, 0)], -1)
    stranger = between(rng, 4, world.people.size - 1, size)
    somebody = np.where(party >= 0, party, stranger)
    lead_no = month.code * 10**7 + np.arange(size) + 1
    unrelated = (world.people.size * 2 + lead_no % 10**7 + month.index * 400_000) * 4 + 3
    line = np.where(party >= 0, world.people.phone_owner[somebody] * 4, unrelated)
    canary = somebody < 4
    leads = Rows(
        table="orders.leads",
        columns={
            "lead_no": number("L", lead_no),
            "lead_name": kernels.if_else(
                pa.array(world.people.organisation[somebody] | canary),
                spelling.firm_name(world.people, np.where(canary, stranger, somebody), rng),
                spelling.person_name(world.people, somebody, rng),
            ),
            "phone": numbers.write_mobile(
                numbers.mobile(line), weighted(rng, [7, 1, 1, 1, 0.5, 0.5], size)
            ),
            "lead_source": pick(
                repeated(["website", "fair", "referral", "campaign", "cold_call"]),
                weighted(rng, [4, 1, 1, 2, 2], size),
            ),
            "referred_by": records.id_of(np.full(size, -1)),
            "customer_no": records.id_of(np.where(became <= now, buyer, -1)),
            "created_at": created,
        },
        entered=created,
        updated=last_change(now, created, became),
    )

    met.note(buyer, lead_no, created // DAY)

    # opportunities: firms that buy already, some of which were leads not long ago
    chosen = active[firm[active] & (rng.random(len(active)) < rules["quoted"])]
    chosen = chosen[records.start[chosen] < month.first]
    count = len(chosen)
    opened = between(rng, month.first, month.last, count)
    quoted = opened + between(rng, 2, 12, count)
    decided = quoted + between(rng, 3, 25, count)
    outcome = weighted(rng, [0.55, 0.45], count)
    opportunity = month.code * 10**7 + np.arange(count) + 1
    quoted_at, decided_at = at(quoted, 15 * 3600), at(decided, 16 * 3600)
    stage = np.select(
        [decided_at <= now, quoted_at + 2 * DAY <= now, quoted_at <= now], [3, 2, 1], 0
    )
    expected = np.rint(np.exp(rng.normal(9.0, 0.8, count))).astype(np.int64) * 100
    rows = [
        leads,
        Rows(
            table="orders.opportunities",
            columns={
                "opportunity_no": number("OP", opportunity),
                "lead_no": number("L", met.lead_of(chosen, opened, rules["lead_counts_days"])),
                "customer_no": records.id_of(chosen),
                "stage": pick(repeated(["qualified", "proposal", "negotiation", "closed"]), stage),
                "outcome": pick(
                    repeated(["won", "lost"]), np.where(decided_at <= now, outcome, -1)
                ),
                "expected_amount": expected,
                "currency_code": pick(codes, currency[chosen]),
                "opened_date": opened,
                "closed_date": np.where(decided_at <= now, decided, NEVER),
            },
            entered=opened * DAY + 10 * 3600,
            updated=last_change(
                now, opened * DAY + 10 * 3600, quoted_at, quoted_at + 2 * DAY, decided_at
            ),
        ),
        Rows(
            table="orders.quotes",
            columns={
                "quote_no": number("Q", opportunity),
                "opportunity_no": number("OP", opportunity),
                "customer_no": records.id_of(chosen),
                "quoted_date": quoted,
                "valid_until": quoted + 30,
                "amount": expected * between(rng, 90, 105, count) // 100,
                "currency_code": pick(codes, currency[chosen]),
            },
            entered=quoted_at,
            updated=quoted_at,
        ),
    ]
    rows.append(_in_vain(world, month, lead_no[buyer < 0], created[buyer < 0] // DAY, count))
    won = outcome == 0
    return (
        Won(buyer=chosen[won], ordered=decided_at[won] + 1800, quote=opportunity[won]),
        rows,
    )


def _in_vain(world: Setting, month: Month, lead: Ints, met: Ints, before: int) -> Rows:
    """Opportunities of leads that come to nothing: they end before a quote.

    `before` is how many opportunities of the month are numbered already.
    """
    rng, now = stream(world.seed, "sales", "in vain", month.index), world.now
    tried = np.flatnonzero(rng.random(len(lead)) < world.rules["orders"]["qualified"])
    count = len(tried)
    opened = met[tried] + between(rng, 1, 10, count)
    decided = opened + between(rng, 10, 45, count)
    entered, decided_at = at(opened, 10 * 3600), at(decided, 16 * 3600)
    ended = decided_at <= now
    return Rows(
        table="orders.opportunities",
        columns={
            "opportunity_no": number("OP", month.code * 10**7 + before + np.arange(count) + 1),
            "lead_no": number("L", lead[tried]),
            "customer_no": number("C", np.full(count, -1)),
            "stage": pick(repeated(["qualified", "closed"]), ended),
            "outcome": pick(repeated(["lost"]), np.where(ended, 0, -1)),
            "expected_amount": np.rint(np.exp(rng.normal(8.5, 0.8, count))).astype(np.int64) * 100,
            "currency_code": constant("CNY", count),
            "opened_date": opened,
            "closed_date": np.where(ended, decided, NEVER),
        },
        entered=entered,
        updated=last_change(now, entered, decided_at),
    )


def visits(world: Setting, month: Month, records: Records, firm: Bools, active: Ints) -> Rows:
    """Calls and visits by the sales force."""
    rng = stream(world.seed, "orders", "activities", month.index)
    rate = np.where(firm[active], 1.0, 0.12) * world.rules["orders"]["activities"]
    chosen = active[rng.random(len(active)) < rate]
    size = len(chosen)
    day = between(rng, np.maximum(month.first, records.start[chosen]), month.last, size)
    moment = day * DAY + between(rng, 9 * 3600, 17 * 3600, size)
    kind = weighted(rng, [0.7, 0.3], size)
    call, visit = between(rng, 500, 3_000, size), between(rng, 8_000, 60_000, size)
    return Rows(
        table="orders.activities",
        columns={
            "activity_no": number("AC", month.code * 10**8 + records.numbers[chosen]),
            "customer_no": records.id_of(chosen),
            "activity_kind": pick(repeated(["call", "visit"]), kind),
            "happened_at": moment,
            "cost": np.where(kind == 0, call, visit),
            "currency_code": constant("CNY", size),
            "salesperson": number("SP", chosen % 12 + 101),
        },
        entered=moment + 600,
        updated=moment + 600,
    )
