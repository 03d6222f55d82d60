"""The true population: who exists, and how they live and behave.

In: seed, number of customers, clock. Out: a frozen `Population` of numpy columns, one row per
person or organisation. Touches nothing. Nobody in it is real.

The first `known` parties have a record somewhere on the day the demo starts; the others turn up in
the year after. What the records make of a party is `demo.records`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from demo import numbers
from demo.chance import Bools, Floats, Ints, between, stream, weighted
from demo.clock import FUTURE_DAYS, Clock, day_number
from demo.pools import names, places, read

SYSTEMS = ("billing", "his", "orders", "service")
LABELS = ("ordinary", "spouse", "namesake", "staff", "canary")
ORDINARY, SPOUSE, NAMESAKE, STAFF, CANARY = range(len(LABELS))
HABITS = ("prompt", "slow", "chronic", "defaulter", "prepaid")
PROMPT, SLOW, CHRONIC, DEFAULTER, PREPAID = range(len(HABITS))
CHINESE = -1
"""Language of a Chinese name; others count through `pools.names().languages`."""

CANARIES = 4
"""The first parties are canaries: three persons and an organisation, in several systems."""


@dataclass(frozen=True)
class Homes:
    """Addresses of all parties, part by part."""

    district: Ints
    road: Ints
    number: Ints
    estate: Ints
    building: Ints
    unit: Ints
    room: Ints


@dataclass(frozen=True)
class Population:
    """All parties. Names are positions in the pools; a spouse's home and phone are shared."""

    size: int
    known: int
    organisation: Bools
    language: Ints
    male: Bools
    birth: Ints
    family: Ints
    given: Ints
    second: Ints
    identity: Ints
    """The 17 digits of a person's identity number; 0 when the person has none."""
    serial: Ints
    """An organisation's serial number, from which its name and credit code come."""
    habit: Ints
    contentment: Floats
    means: Floats
    homes: tuple[Homes, Homes, Homes]
    """Where they live, lived before, and will move to."""
    phone_owner: Ints
    partner: Ints
    employer: Ints
    label: Ints
    arrival: Ints
    member: Bools
    primary: Ints
    """The system in which the party turns up first."""

    def party_kind(self) -> Bools:
        return self.organisation


def _homes(rng: np.random.Generator, size: int, same_city: Ints | None) -> Homes:
    pool = places()
    district = between(rng, 0, len(pool.code) - 1, size)
    if same_city is not None:
        # most people move within their district
        district = np.where(rng.random(size) < 0.7, same_city, district)
    return Homes(
        district=district,
        road=between(rng, 0, len(pool.road) - 1, size),
        number=between(rng, 1, 999, size),
        estate=between(rng, 0, len(pool.estate) - 1, size),
        building=between(rng, 1, 38, size),
        unit=between(rng, 1, 4, size),
        room=between(rng, 1, 28, size) * 100 + between(rng, 1, 4, size),
    )


def _share(homes: Homes, source: Ints) -> Homes:
    return Homes(**{name: values[source] for name, values in vars(homes).items()})


def _pairs(rng: np.random.Generator, candidates: Ints, count: int) -> tuple[Ints, Ints]:
    chosen = rng.permutation(candidates)[: 2 * count]
    return chosen[:count], chosen[count : 2 * count]


def populate(seed: int, customers: int, clock: Clock) -> Population:
    """Lay out the population of one world."""
    rules = read("behaviour")["population"]
    size = customers + max(8, round(customers * rules["newcomers_a_year"] * FUTURE_DAYS / 365))
    rng = stream(seed, "population")
    pool, latin = names(), names().latin
    everybody = np.arange(size)

    organisation = rng.random(size) < rules["organisations"]
    organisation[:CANARIES] = np.arange(CANARIES) == CANARIES - 1
    foreign = rng.random(size) < rules["non_chinese"]
    foreign[:CANARIES] = False
    language = np.where(foreign, between(rng, 0, len(pool.languages) - 1, size), CHINESE)
    male = rng.random(size) < 0.5
    adults = (day_number(date(1936, 1, 1)), day_number(date(2006, 12, 31)))
    birth = between(rng, *adults, size)

    # special cases: couples
    persons = everybody[~organisation & (everybody >= CANARIES)]
    label, partner = np.zeros(size, dtype=np.int64), np.full(size, -1)
    left, right = _pairs(rng, persons, max(2, round(len(persons) * rules["couples"])))
    label[left] = label[right] = SPOUSE
    partner[left], partner[right] = right, left
    male[right] = ~male[left]
    birth[right] = np.clip(birth[left] + between(rng, -1500, 1500, len(left)), *adults)

    # names: common surnames come first in the pool and are drawn more often
    chinese = language == CHINESE
    spoken = np.maximum(language, 0)
    surname = weighted(rng, 1 / (np.arange(len(pool.surnames)) + 4.0), size)
    chance = rng.random((4, size))
    characters = np.where(male, len(pool.male), len(pool.female))
    latin_given = np.where(
        male, latin.draw("male", spoken, chance[0]), latin.draw("female", spoken, chance[0])
    )
    latin_second = np.where(
        male, latin.draw("male", spoken, chance[1]), latin.draw("female", spoken, chance[1])
    )
    family = np.where(chinese, surname, latin.draw("family", spoken, chance[2]))
    given = np.where(chinese, np.floor(chance[0] * characters).astype(np.int64), latin_given)
    second = np.where(chinese, np.floor(chance[1] * characters).astype(np.int64), latin_second)
    one_given = rng.random(size) > np.where(chinese, 0.82, 0.45)
    second = np.where(one_given | (second == given), -1, second)

    # special cases: namesakes born the same day, staff of one firm
    free = persons[label[persons] == ORDINARY]
    first, twin = _pairs(rng, free, max(2, round(len(persons) * rules["namesakes"])))
    label[first] = label[twin] = NAMESAKE
    for values in (male, birth, language, family, given, second):
        values[twin] = values[first]
    free = persons[label[persons] == ORDINARY]
    employers = everybody[organisation & (everybody < customers) & (everybody >= CANARIES)]
    staff = rng.permutation(free)[: round(len(persons) * rules["staff"])]
    employer = np.full(size, -1)
    if len(employers):
        label[staff] = STAFF
        employer[staff] = employers[between(rng, 0, len(employers) - 1, len(staff))]
    label[:CANARIES] = CANARY

    regions = places().birth_regions
    region = regions[between(rng, 0, len(regions) - 1, size)]
    base = numbers.identity_base(region, birth, male, between(rng, 0, 10**9, size))
    has_identity = ~organisation & ((language == CHINESE) | (rng.random(size) < 0.3))

    homes = _homes(rng, size, None)
    former, later = _homes(rng, size, homes.district), _homes(rng, size, homes.district)
    head = np.where((partner >= 0) & (partner < everybody), partner, everybody)
    shares_phone = (partner >= 0) & (rng.random(size)[head] < rules["couples_sharing_a_phone"])

    member, primary, arrival = _membership(rng, rules, clock, size, customers, organisation, staff)
    habit = weighted(rng, [rules["habits"][name] for name in HABITS], size)
    habit[:CANARIES] = PROMPT
    return Population(
        size=size,
        known=customers,
        organisation=organisation,
        language=language,
        male=male,
        birth=birth,
        family=family,
        given=given,
        second=second,
        identity=np.where(has_identity, base, 0),
        serial=(everybody * 104_729 + 5_000_011) % 31**6,
        habit=habit,
        contentment=rng.normal(0.0, 1.0, size),
        means=np.exp(rng.normal(0.0, 0.7, size)),
        homes=(_share(homes, head), former, _share(later, head)),
        phone_owner=np.where(shares_phone, head, everybody),
        partner=partner,
        employer=employer,
        label=label,
        arrival=arrival,
        member=member,
        primary=primary,
    )


def _membership(
    rng: np.random.Generator,
    rules: dict[str, dict[str, list[float]]],
    clock: Clock,
    size: int,
    customers: int,
    organisation: Bools,
    staff: Ints,
) -> tuple[Bools, Ints, Ints]:
    """In which systems each party occurs, in which one first, and since when."""
    person, firm = (np.asarray(rules["membership"][kind]) for kind in ("person", "organisation"))
    share = np.where(organisation[:, None], firm[None, :], person[None, :])
    member = rng.random((size, len(SYSTEMS))) < share
    member[staff, SYSTEMS.index("his")] |= rng.random(len(staff)) < 0.7
    member[:CANARIES] = True
    member[CANARIES - 1, SYSTEMS.index("service")] = False
    only = weighted(rng, person, size)
    only = np.where(organisation, weighted(rng, firm, size), only)
    nowhere = ~member.any(axis=1)
    member[nowhere, only[nowhere]] = True
    # most callers are customers somewhere, and were so before they called
    stranger = member[:, 3] & (member.sum(axis=1) == 1) & (rng.random(size) < 0.6)
    other = weighted(rng, person[:3], size)
    member[stranger, other[stranger]] = True
    chance = rng.random((size, len(SYSTEMS))) * np.asarray([1.0, 1.0, 1.0, 0.3])
    primary = np.argmax(np.where(member, chance, -1.0), axis=1)

    everybody = np.arange(size)
    old = rng.random(size) < 0.62
    arrival = np.where(
        old,
        between(rng, clock.history - 3650, clock.history - 1, size),
        between(rng, clock.history, clock.created - 1, size),
    )
    newcomers = between(rng, clock.created + 1, clock.horizon, size)
    arrival = np.where(everybody < customers, arrival, newcomers)
    arrival[:CANARIES] = clock.history - 400
    return member, primary, arrival
