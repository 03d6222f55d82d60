"""The records of the source systems: which party stands in which system, under which number.

In: the population and the clock. Out: frozen `Records` per kind of record, sorted by the day they
were first entered, so that numbers rise with time. Touches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from demo import spelling
from demo.arrow import Texts, kernels
from demo.chance import Bools, Ints, between, stream
from demo.clock import DAY, NEVER, Clock
from demo.frames import last_change, number
from demo.pools import read
from demo.population import CANARY, ORDINARY, PROMPT, STAFF, SYSTEMS, Population

KINDS = {"account": "A", "patient": "P", "group_client": "G", "buyer": "C", "caller": "S"}
"""Kinds of record and the letter their numbers begin with."""

FIRST_NUMBER = 10_000_001
SYSTEM_OF = {
    "account": "billing",
    "patient": "his",
    "group_client": "his",
    "buyer": "orders",
    "caller": "service",
}


@dataclass(frozen=True)
class Details:
    """What a record says of its party."""

    name: Texts
    identity: Texts
    phone: Texts
    email: Texts
    address: Texts
    region: Texts


@dataclass(frozen=True)
class Records:
    """All records of one kind that there will ever be, by the day of their entry."""

    kind: str
    party: Ints
    start: Ints
    entered: Ints
    changed: Ints
    """When telephone or address change; NEVER for most."""
    moves_home: Bools
    """Whether the change is of the address (otherwise of the telephone)."""

    def __len__(self) -> int:
        return len(self.party)

    @property
    def numbers(self) -> Ints:
        return FIRST_NUMBER + np.arange(len(self.party))

    @property
    def ids(self) -> Texts:
        return number(KINDS[self.kind], self.numbers)

    def id_of(self, positions: Ints) -> Texts:
        """Record numbers by position; NULL where the position is negative."""
        return number(KINDS[self.kind], np.where(positions < 0, -1, FIRST_NUMBER + positions))

    def updated(self, now: int, *changes: Ints) -> Ints:
        return last_change(now, self.entered, self.changed, *changes)


def enrol(seed: int, kind: str, people: Population, clock: Clock) -> Records:
    """Who has a record of this kind, since when; a few have two."""
    rules, system = read("behaviour")["records"], SYSTEM_OF[kind]
    rng = stream(seed, "records", kind)
    belongs = people.member[:, SYSTEMS.index(system)]
    if kind == "patient":
        belongs = belongs & ~people.organisation
    elif kind == "group_client":
        belongs = belongs & people.organisation
    party = np.flatnonzero(belongs)
    twice = rng.random(people.size)[party] < rules["registered_twice"]
    twice &= people.label[party] != CANARY
    # a party comes to its other systems later, some only after the demo has started
    late = clock.created + 240
    arrival = people.arrival[party]
    other = between(rng, arrival, np.maximum(late, arrival), len(party))
    first = people.primary[party] == SYSTEMS.index(system)
    canary = people.label[party] == CANARY
    start = np.where(first | canary, arrival, other)
    again = between(rng, start[twice] + 20, np.maximum(late, start[twice] + 20), int(twice.sum()))
    party = np.concatenate([party, party[twice]])
    start = np.concatenate([start, again])
    order = np.argsort(start, kind="stable")
    party, start = party[order], start[order]
    size = len(party)
    entered = start * DAY + between(rng, 8 * 3600, 18 * 3600, size)
    changes = rng.random(size) < rules["changes_in_three_years"]
    changes &= people.label[party] != CANARY
    day = between(rng, np.maximum(start + 5, clock.history), clock.horizon, size)
    moment = day * DAY + between(rng, 8 * 3600, 20 * 3600, size)
    return Records(
        kind=kind,
        party=party,
        start=start,
        entered=entered,
        changed=np.where(changes & (day > start), moment, NEVER),
        moves_home=rng.random(size) < 0.5,
    )


def describe(seed: int, records: Records, people: Population, now: int) -> Details:
    """How the records read at `now`."""
    rules, party = read("behaviour")["records"], records.party
    system = SYSTEM_OF[records.kind]
    rng = stream(seed, "details", records.kind)
    firm = pa.array(people.organisation[party])
    name = kernels.if_else(
        firm,
        spelling.firm_name(people, party, rng),
        spelling.person_name(people, party, rng),
    )
    still = np.zeros(len(party), dtype=bool)
    gone = np.ones(len(party), dtype=bool)
    lines = rules["phone"][system]
    phone = spelling.phone(people, party, still, lines, rng)
    new_phone = spelling.phone(people, party, gone, lines, rng)
    address, region = spelling.address(people, party, still, rng)
    new_address, new_region = spelling.address(people, party, gone, rng)
    if records.kind == "patient":
        # staff are registered by their firm, which leaves its own telephone
        office = (people.label[party] == STAFF) & (rng.random(len(party)) < 0.7)
        employer = np.where(office, people.employer[party], -1)
        phone = kernels.coalesce(spelling.office_phone(people, employer), phone)
    happened = records.changed <= now
    home = pa.array(happened & records.moves_home)
    line = pa.array(happened & ~records.moves_home)
    return Details(
        name=name,
        identity=spelling.identity(people, party, rules["without_identity"][system], rng),
        phone=kernels.if_else(line, new_phone, phone),
        email=spelling.email(people, party, rules["email"][system], rng),
        address=kernels.if_else(home, new_address, address),
        region=kernels.if_else(home, new_region, region),
    )


def truth(records: Records, people: Population, now: int, labels: tuple[str, ...]) -> pa.Table:
    """Which party each record that exists at `now` stands for."""
    party = records.party
    label = people.label[party]
    # a second record of the same party in the same system is the case to find first
    seen_before = np.zeros(len(party), dtype=bool)
    _, first = np.unique(party, return_index=True)
    seen_before[:] = True
    seen_before[first] = False
    label_text = pa.array(np.asarray(labels, dtype=object)[label], type=pa.string())
    twice = pa.array(seen_before & (label == ORDINARY))
    table = pa.table(
        {
            "source_system": pa.repeat(SYSTEM_OF[records.kind], len(party)),
            "source_record_id": records.ids,
            "party_id": number("T", party + 1),
            "party_kind": kernels.if_else(
                pa.array(people.organisation[party]), "organisation", "person"
            ),
            "label": kernels.if_else(twice, "registered_twice", label_text),
        }
    )
    return table.filter(pa.array(records.entered <= now))


def habits(records: Records, people: Population) -> Ints:
    """How each record's party pays."""
    return people.habit[records.party] if len(records) else np.zeros(0, dtype=np.int64) + PROMPT
