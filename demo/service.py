"""The service centre: callers and every contact with them.

In: the setting of a world. Out: `Rows` per table, month by month. Touches nothing.
Scores, complaints and their outcome follow the caller's contentment, which no table shows.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from demo.arrow import Texts, kernels
from demo.chance import Floats, Ints, between, stream, weighted
from demo.clock import DAY, NEVER, Month
from demo.frames import NONE, Rows, constant, last_change, number, pick, repeated, seen
from demo.pools import read
from demo.setting import Setting

CURRENCY = "CNY"
CAUSES = (
    "billing_error",
    "outage",
    "waiting_time",
    "attitude",
    "quality",
    "delivery",
    "price",
    "other",
)
NAMED = {"billing": ("account",), "his": ("patient", "group_client"), "orders": ("buyer",)}
"""Kinds of record a caller can name, by system."""


def facts(world: Setting) -> Iterator[Rows]:
    """All rows of the service centre that exist at the world's moment, parents first."""
    system = named_records(world)
    yield _callers(world, *system)
    yield from _campaigns(world)
    for month in world.months:
        yield from _month(world, month, system[0])


def named_records(world: Setting) -> tuple[Ints, Texts]:
    """The system of the record each caller named (-1 none) and the record's number.

    Most callers name one, but only a record that existed when they first called.
    """
    callers = world.records["caller"]
    rng, size = stream(world.seed, "service", "named"), len(callers)
    system, record = np.full(size, -1), pa.nulls(size, pa.string())
    names_one = rng.random(size) < world.rules["service"]["names_a_record"]
    best = np.full(size, -1.0)
    for position, kinds in enumerate(NAMED.values()):
        preference = rng.random(size)
        for kind in kinds:
            records = world.records[kind]
            if not len(records):
                continue
            of_party = np.full(world.people.size, -1)
            of_party[records.party[::-1]] = np.arange(len(records))[::-1]
            found = of_party[callers.party]
            known = (found >= 0) & (records.entered[np.maximum(found, 0)] < callers.entered)
            better = names_one & known & (preference > best)
            best = np.where(better, preference, best)
            system = np.where(better, position, system)
            record = kernels.if_else(pa.array(better), records.id_of(found), record)
    return system, record


def _callers(world: Setting, system: Ints, record: Texts) -> Rows:
    records, details = world.records["caller"], world.details("caller")
    rng, size = stream(world.seed, "service", "callers"), len(records)
    nameless = pa.array((rng.random(size) < 0.02) & (world.people.label[records.party] == 0))
    return Rows(
        table="service.callers",
        columns={
            "caller_no": records.ids,
            "caller_name": kernels.if_else(nameless, pa.scalar(None, pa.string()), details.name),
            "phone": details.phone,
            "email": details.email,
            "identity_no": details.identity,
            "named_system": pick(repeated(tuple(NAMED)), system),
            "named_record_id": record,
            "created_at": records.entered,
        },
        entered=records.entered,
        # an address is not kept here, so a move changes nothing
        updated=last_change(
            world.now, records.entered, np.where(records.moves_home, NEVER, records.changed)
        ),
    )


def _campaigns(world: Setting) -> Iterator[Rows]:
    months = [world.clock.month(index) for index in range(25 + 13)]
    starts = np.asarray([month.first + 4 for month in months])
    codes = np.asarray([month.code for month in months])
    channel = np.arange(len(months)) % 4
    entered = (starts - 5) * DAY + 10 * 3600
    yield Rows(
        table="service.campaigns",
        columns={
            "campaign_no": number("CA", codes),
            "campaign_name": pick(
                repeated(["节能宣传", "健康讲座", "新品推介", "服务升级"]), channel
            ),
            "channel": pick(repeated(["phone", "sms", "email", "web"]), channel),
            "starts_date": starts,
            "ends_date": starts + 20,
            "cost": 200_000 + codes % 7 * 35_000,
            "currency_code": constant(CURRENCY, len(months)),
        },
        entered=entered,
        updated=entered,
    )


def _pick_callers(
    world: Setting,
    month: Month,
    rng: np.random.Generator,
    rate: float,
    weight: Floats | None = None,
) -> tuple[Ints, Ints]:
    """Callers who do something in a month and when; nobody before their first contact."""
    records = world.records["caller"]
    active = np.flatnonzero(records.start <= month.last)
    factor = 1.0 if weight is None else weight[active]
    caller = np.repeat(active, rng.poisson(np.full(len(active), rate) * factor))
    size = len(caller)
    day = between(rng, np.maximum(month.first, records.start[caller]), month.last, size)
    moment = day * DAY + between(rng, 8 * 3600, 21 * 3600, size)
    moment = np.maximum(moment, records.entered[caller] + 60)
    order = np.argsort(moment, kind="stable")
    return caller[order], moment[order]


def _month(world: Setting, month: Month, system: Ints) -> Iterator[Rows]:
    rules, people, records = world.rules["service"], world.people, world.records["caller"]
    rng, now = stream(world.seed, "service", month.index), world.now
    contentment = people.contentment[records.party] if len(records) else np.zeros(0)
    unhappy = np.exp(-0.5 * contentment)

    def ids(moments: Ints, prefix: str) -> Texts:
        return number(prefix, month.code * 10**7 + np.arange(len(moments)) + 1)

    caller, happened = _pick_callers(world, month, rng, rules["interactions"], unhappy)
    size = len(caller)
    channel = weighted(rng, [5, 1, 1, 2, 1, 3], size)
    inbound = rng.random(size) < 0.78
    length = np.rint(np.exp(rng.normal(5.1, 0.8, size))).astype(np.int64)
    spoken = (channel == 0) | (channel == 4)
    fixed = np.asarray([180, 15, 60, 40, 500, 30])[channel]
    yield Rows(
        table="service.interactions",
        columns={
            "interaction_no": ids(happened, "N"),
            "caller_no": records.id_of(caller),
            "channel": pick(repeated(["phone", "sms", "email", "web", "counter", "app"]), channel),
            "direction": pick(repeated(["outbound", "inbound"]), inbound),
            "happened_at": happened,
            "duration_seconds": np.where(spoken, length, NONE),
            "cost": fixed + np.where(spoken, length * 2, 0),
            "currency_code": constant(CURRENCY, size),
        },
        entered=happened + 900,
        updated=happened + 900,
        part=month.index,
    )
    caller, sent = _pick_callers(world, month, rng, rules["follow_ups"])
    size = len(caller)
    answered = sent + between(rng, 60, 3 * DAY, size)
    answered = np.where(rng.random(size) < 0.63, answered, NEVER)
    kind = np.where(system[caller] == 1, 0, np.where(system[caller] == 2, 2, 1))
    yield Rows(
        table="service.follow_ups",
        columns={
            "follow_up_no": ids(sent, "F"),
            "caller_no": records.id_of(caller),
            "follow_up_kind": pick(repeated(["discharge", "repair", "delivery"]), kind),
            "sent_at": sent,
            "answered_at": seen(answered, now),
        },
        entered=sent,
        updated=last_change(now, sent, answered),
    )
    yield _survey(world, month, rng, contentment)
    yield _complaints(world, month, rng, contentment, system)
    caller, asked = _pick_callers(world, month, rng, rules["consultations"])
    size = len(caller)
    answered = np.where(rng.random(size) < 0.96, asked + between(rng, 300, 2 * DAY, size), NEVER)
    yield Rows(
        table="service.consultations",
        columns={
            "consultation_no": ids(asked, "Z"),
            "caller_no": records.id_of(caller),
            "topic": pick(
                repeated(["tariff", "appointment", "product", "payment", "other"]),
                weighted(rng, [3, 3, 2, 2, 1], size),
            ),
            "asked_at": asked,
            "answered_at": seen(answered, now),
        },
        entered=asked,
        updated=last_change(now, asked, answered),
    )
    begun = np.flatnonzero(records.start <= month.first)
    chosen = begun[rng.random(len(begun)) < rules["campaign"]]
    size = len(chosen)
    contacted = (month.first + 4 + between(rng, 0, 20, size)) * DAY
    contacted = contacted + between(rng, 9 * 3600, 19 * 3600, size)
    responded = contacted + between(rng, 300, 5 * DAY, size)
    responded = np.where(rng.random(size) < 0.17, responded, NEVER)
    yield Rows(
        table="service.campaign_contacts",
        columns={
            "campaign_no": number("CA", np.full(size, month.code)),
            "caller_no": records.id_of(chosen),
            "contacted_at": contacted,
            "responded_at": seen(responded, now),
        },
        entered=contacted,
        updated=last_change(now, contacted, responded),
    )


def _survey(world: Setting, month: Month, rng: np.random.Generator, contentment: Floats) -> Rows:
    """One answered survey is one row per dimension."""
    dimensions = read("business")["surveys"]
    caller, answered = _pick_callers(world, month, rng, world.rules["service"]["surveys"])
    items = len(dimensions)
    owner = np.repeat(np.arange(len(caller)), items)
    item = np.tile(np.arange(items), len(caller))
    pull = np.asarray(list(dimensions.values()))[item]
    mood = 3.7 + 0.75 * pull * contentment[caller[owner]] + rng.normal(0.0, 0.6, len(owner))
    moment = answered[owner] + item * 12
    return Rows(
        table="service.survey_answers",
        columns={
            "answer_no": (month.code * 10**7 + owner + 1) * 10 + item,
            "caller_no": world.records["caller"].id_of(caller[owner]),
            "survey_code": constant(f"SV{month.code}", len(owner)),
            "item_no": item + 1,
            "dimension": pick(repeated(tuple(dimensions)), item),
            "score": np.clip(np.rint(mood), 1, 5).astype(np.int64),
            "answered_at": moment,
        },
        entered=moment,
        updated=moment,
        part=month.index,
    )


def _complaints(
    world: Setting, month: Month, rng: np.random.Generator, contentment: Floats, system: Ints
) -> Rows:
    caller, opened = _pick_callers(
        world, month, rng, world.rules["service"]["complaints"], np.exp(-0.9 * contentment) * 0.7
    )
    size, now = len(caller), world.now
    mood = contentment[caller]
    praise = rng.random(size) < 1 / (1 + np.exp(1.2 - 1.4 * mood))
    kind = np.where(praise, 2, np.asarray([0, 1, 3])[weighted(rng, [6, 1, 2], size)])
    answered = opened + np.rint(np.exp(rng.normal(10.2, 1.1, size))).astype(np.int64)
    closed = answered + np.rint(np.exp(rng.normal(11.8, 1.0, size))).astype(np.int64)
    closed = np.where(rng.random(size) < 0.95, closed, NEVER)
    # by system named: what people complain of
    shares = np.asarray(
        [[5, 3, 1, 1, 1, 0, 2, 1], [1, 0, 5, 3, 2, 0, 1, 1], [1, 0, 1, 1, 4, 4, 2, 1]]
    )
    chance = rng.random(size)
    cause = np.zeros(size, dtype=np.int64)
    for position, weights in enumerate(shares):
        bounds = np.cumsum(weights) / weights.sum()
        mine = np.maximum(system[caller], 0) == position
        cause = np.where(mine, np.searchsorted(bounds, chance, side="right"), cause)
    pleased = (rng.random(size) < 1 / (1 + np.exp(-0.4 - mood))).astype(np.int64)
    replies = rng.random(size) < 0.8
    department = ["营业厅", "门诊部", "销售部"]
    return Rows(
        table="service.complaints",
        columns={
            "complaint_no": number("CP", month.code * 10**7 + np.arange(size) + 1),
            "caller_no": world.records["caller"].id_of(caller),
            "complaint_kind": pick(repeated(["complaint", "suggestion", "praise", "ticket"]), kind),
            "cause": pick(
                repeated(
                    [
                        "billing_error",
                        "outage",
                        "waiting_time",
                        "attitude",
                        "quality",
                        "delivery",
                        "price",
                        "other",
                    ]
                ),
                np.where(praise, -1, np.minimum(cause, 7)),
            ),
            "department": pick(repeated(department), np.maximum(system[caller], 0)),
            "opened_at": opened,
            "answered_at": seen(answered, now),
            "closed_at": seen(closed, now),
            "satisfied": np.where((closed <= now) & replies, pleased, -1),
        },
        entered=opened,
        updated=last_change(now, opened, answered, closed),
        part=month.index,
    )
