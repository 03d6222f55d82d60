"""How a record writes a party's name, telephone, address and identity number.

In: the population, which party each record stands for, a stream of chance. Out: Arrow texts, one
per record, with the slips, gaps and habits of people who type. Touches nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pyarrow as pa

from demo import numbers
from demo.arrow import Texts, kernels
from demo.chance import Bools, Ints, between, weighted
from demo.clock import NEVER, day_number
from demo.frames import choose, constant, join, number, pick
from demo.pools import Characters, names, places, plain, read, slipped, texts
from demo.population import CANARY, CHINESE, Homes, Population

Chance = np.random.Generator


def _calm(people: Population, party: Ints, variant: Ints) -> Ints:
    """Canaries are written alike everywhere, so that a scan can look for them."""
    return np.where(people.label[party] == CANARY, 0, variant)


def _given(pool: str, male: Characters, female: Characters, sex: Bools, codes: Ints) -> Texts:
    for_men = pick(getattr(male, pool), np.where(sex, codes, -1))
    for_women = pick(getattr(female, pool), np.where(sex, -1, codes))
    return kernels.fill_null(kernels.coalesce(for_men, for_women), "")


def chinese_name(people: Population, party: Ints, rng: Chance) -> Texts:
    rules, pool = read("behaviour")["records"]["chinese_name"], names()
    use = people.language[party] == CHINESE
    family = np.where(use, people.family[party], -1)
    given = np.where(use, people.given[party], -1)
    second = np.where(use, people.second[party], -1)
    sex = people.male[party]
    variant = _calm(people, party, weighted(rng, rules, len(party)))
    # with two given characters the slip is in the second
    slip_second = second >= 0

    def written(pools: str, sep: str, slips: bool) -> Texts:
        first = _given(pools, pool.male, pool.female, sex, given)
        last = _given(pools, pool.male, pool.female, sex, second)
        if slips:
            spoilt_first = _given("slip", pool.male, pool.female, sex, given)
            spoilt_last = _given("slip", pool.male, pool.female, sex, second)
            mask = pa.array(slip_second)
            first = kernels.if_else(mask, first, spoilt_first)
            last = kernels.if_else(mask, spoilt_last, last)
        return join(pick(getattr(pool.surnames, pools), family), sep, first, last)

    exact = written("simplified", "", False)
    title = pick(pa.array(["女士", "先生"]), sex.astype(np.int64))
    return choose(
        variant,
        exact,
        written("traditional", "", False),
        written("simplified", "", True),
        join(exact, title),
        written("simplified", " ", False),
    )


def latin_name(people: Population, party: Ints, rng: Chance) -> Texts:
    rules, pool = read("behaviour")["records"]["latin_name"], names().latin
    use = people.language[party] != CHINESE
    family = np.where(use, people.family[party], -1)
    given = np.where(use, people.given[party], -1)
    second = np.where(use & (rng.random(len(party)) < 0.5), people.second[party], -1)
    sex = people.male[party]
    variant = weighted(rng, rules, len(party))

    def first_names(men: Texts, women: Texts) -> Texts:
        def of(codes: Ints) -> Texts:
            return kernels.coalesce(
                pick(men, np.where(sex, codes, -1)), pick(women, np.where(sex, -1, codes))
            )

        return join(of(given), kernels.fill_null(join(" ", of(second)), ""))

    given_name = first_names(pool.male, pool.female)
    family_name = pick(pool.family, family)
    exact = join(given_name, " ", family_name)
    titles = pick(
        pa.array(["Ms. ", "Mr. ", "Dr. "]), np.where(rng.random(len(party)) < 0.2, 2, sex)
    )
    return choose(
        variant,
        exact,
        join(family_name, ", ", given_name),
        join(family_name, " ", given_name),
        kernels.utf8_upper(exact),
        join(titles, exact),
        join(
            first_names(plain(pool.male), plain(pool.female)), " ", pick(plain(pool.family), family)
        ),
        join(given_name, " ", pick(slipped(pool.family), family)),
    )


def person_name(people: Population, party: Ints, rng: Chance) -> Texts:
    return kernels.coalesce(chinese_name(people, party, rng), latin_name(people, party, rng))


def _serial_parts(people: Population, party: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Brand and trade of a firm follow from its serial number: no two firms share both."""
    serial, brands = people.serial[party], len(names().brands)
    trades = len(texts("business", "industries"))
    return (
        serial % brands,
        serial // brands % brands,
        serial // brands**2 % trades,
        serial // (brands**2 * trades) % brands,
    )


def firm_name(people: Population, party: Ints, rng: Chance) -> Texts:
    rules = read("behaviour")["records"]["firm_name"]
    pool, brand = places(), names().brands
    first, second, trade, third = _serial_parts(people, party)
    chinese = people.language[party] == CHINESE
    variant = _calm(people, party, weighted(rng, rules, len(party)))
    forms, trades = texts("business", "company_forms"), texts("business", "industries")
    form = people.serial[party] % 7 % len(forms)
    city = pick(pool.short_city, people.homes[0].district[party])
    core = join(
        pick(brand.simplified, first),
        pick(brand.simplified, second),
        pick(brand.simplified, third),
        pick(trades, trade),
    )
    other = pick(forms, (form + 1) % len(forms))
    in_chinese = choose(
        variant,
        join(city, core, pick(forms, form)),
        join(core, pick(forms, form)),
        join(city, core, other),
        join(city, core, " ", pick(forms, form)),
    )
    latin = join(
        kernels.utf8_capitalize(
            join(pick(brand.pinyin, first), pick(brand.pinyin, second), pick(brand.pinyin, third))
        ),
        " ",
        pick(texts("business", "foreign_nouns"), trade % 12),
        " ",
    )
    nouns = texts("business", "foreign_forms")
    in_latin = join(latin, pick(nouns, form + people.serial[party] % 5))
    return kernels.if_else(
        pa.array(chinese),
        in_chinese,
        kernels.if_else(pa.array(variant == 1), kernels.utf8_upper(in_latin), in_latin),
    )


def phone(
    people: Population, party: Ints, moved: Bools, rules: Sequence[float], rng: Chance
) -> Texts:
    """A telephone number; with `moved`, the one the party changes to later.

    `rules` are the shares of numbers in use, given up long ago, of a test, and left out.
    """
    size, pool = len(party), places()
    state = weighted(rng, rules, size)
    state = np.where(moved, 0, _calm(people, party, state))
    style = weighted(rng, [0.70, 0.08, 0.08, 0.07, 0.04, 0.03], size)
    line = np.where(moved, party * 4 + 2, np.where(state == 1, party * 4 + 1, -1))
    line = np.where(line < 0, people.phone_owner[party] * 4, line)
    style = _calm(people, party, style)
    by_person = numbers.write_mobile(numbers.mobile(line), style)
    office = np.where(people.employer[party] >= 0, people.employer[party], party)
    area = pick(pool.area_code, people.homes[0].district[office])
    by_firm = numbers.write_landline(area, numbers.landline(office), style % 4)
    real = kernels.if_else(pa.array(people.organisation[party]), by_firm, by_person)
    test = pick(pool.test_phones, between(rng, 0, len(pool.test_phones) - 1, size))
    real = kernels.if_else(pa.array(state == 2), test, real)
    return kernels.if_else(pa.array(state == 3), pa.scalar(None, pa.string()), real)


def office_phone(people: Population, employer: Ints) -> Texts:
    """The telephone of a person's employer; NULL without one."""
    office = np.maximum(employer, 0)
    area = pick(places().area_code, people.homes[0].district[office])
    plain_style = np.zeros(len(employer), dtype=np.int64)
    value = numbers.write_landline(area, numbers.landline(office), plain_style)
    return kernels.if_else(pa.array(employer >= 0), value, pa.scalar(None, pa.string()))


def email(people: Population, party: Ints, share: float, rng: Chance) -> Texts:
    """Addresses under the domains that are reserved for examples (RFC 2606)."""
    pool, latin = names(), names().latin
    use = people.language[party] == CHINESE
    sex, family, given = people.male[party], people.family[party], people.given[party]
    chinese = join(
        _given("pinyin", pool.male, pool.female, sex, np.where(use, given, -1)),
        ".",
        pick(pool.surnames.pinyin, np.where(use, family, -1)),
    )
    western = join(
        kernels.coalesce(
            pick(plain(latin.male), np.where(~use & sex, given, -1)),
            pick(plain(latin.female), np.where(~use & ~sex, given, -1)),
        ),
        ".",
        pick(plain(latin.family), np.where(use, -1, family)),
    )
    local = kernels.if_else(
        pa.array(people.organisation[party]),
        constant("office", len(party)),
        kernels.utf8_lower(kernels.coalesce(chinese, western)),
    )
    domain = pick(pa.array(["@example.com", "@example.org", "@example.net"]), party % 3)
    address = join(local, number("", party + 100), domain)
    shown = (rng.random(len(party)) < share) | (people.label[party] == CANARY)
    shouted = kernels.if_else(
        pa.array(rng.random(len(party)) < 0.03), kernels.utf8_upper(address), address
    )
    quiet = kernels.if_else(pa.array(people.label[party] == CANARY), address, shouted)
    return kernels.if_else(pa.array(shown), quiet, pa.scalar(None, pa.string()))


def _full_width(values: Ints) -> Texts:
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    return pick(pa.array([str(n).translate(wide) for n in range(1000)]), values)


def _write_address(homes: Homes, party: Ints, style: Ints) -> Texts:
    pool = places()
    at = {name: values[party] for name, values in vars(homes).items()}
    road, estate = pick(pool.road, at["road"]), pick(pool.estate, at["estate"])
    building, unit, room = (number("", at[part]) for part in ("building", "unit", "room"))
    house = number("", at["number"])
    district = pick(pool.district, at["district"])
    city = join(pick(pool.province, at["district"]), pick(pool.city, at["district"]))
    door = join(estate, building, "栋", unit, "单元", room, "室")
    return choose(
        style,
        join(city, district, road, house, "号", door),
        join(district, road, house, "号", door),
        join(city, district, road, house, "号", estate, building, "-", unit, "-", room),
        join(city, " ", district, " ", road, _full_width(at["number"]), "号 ", door),
        join(
            *("Room ", room, ", Unit ", unit, ", Building ", building, ", ", house, " "),
            *(pick(pool.road_latin, at["road"]), ", ", pick(pool.latin, at["district"])),
        ),
    )


def address(people: Population, party: Ints, moved: Bools, rng: Chance) -> tuple[Texts, Texts]:
    """An address and its region; with `moved`, the one the party moves to later."""
    rules = read("behaviour")["records"]["address"]
    size = len(party)
    state = _calm(people, party, weighted(rng, list(rules.values()), size))
    state = np.where(moved, 0, state)
    style = weighted(rng, [0.62, 0.14, 0.14, 0.10], size)
    english = (people.language[party] != CHINESE) & (rng.random(size) < 0.3)
    style = _calm(people, party, np.where(english, 4, style))
    current, former, later = (_write_address(homes, party, style) for homes in people.homes)
    which = np.where(moved, 2, np.where(state == 1, 1, 0))
    written = choose(which, current, former, later)
    districts = choose(which, *(pick(places().district, h.district[party]) for h in people.homes))
    return kernels.if_else(pa.array(state == 2), pa.scalar(None, pa.string()), written), districts


def identity(people: Population, party: Ints, missing: float, rng: Chance) -> Texts:
    """Identity number or credit code: often missing, rarely spoilt or in the old form."""
    rules, size = read("behaviour")["records"], len(party)
    base = people.identity[party]
    exists = base > 0
    base = np.where(exists, base, 11010119700101001)
    canary = people.label[party] == CANARY
    slip = (rng.random(size) < rules["identity_slip"]) & ~canary
    early = people.birth[party] < day_number(date(1985, 1, 1))
    old = (rng.random(size) < rules["identity_of_15_digits"]) & early & ~canary & ~slip
    shown = (rng.random(size) >= missing) | canary
    number18 = numbers.identity_number(base, slip)
    lower = (rng.random(size) < 0.3) & ~canary
    number18 = kernels.if_else(pa.array(lower), kernels.utf8_lower(number18), number18)
    person = kernels.if_else(pa.array(old), numbers.old_identity_number(base), number18)
    person = kernels.if_else(pa.array(exists), person, pa.scalar(None, pa.string()))
    region = places().code[people.homes[0].district[party]]
    firm = numbers.credit_code(region, people.serial[party])
    value = kernels.if_else(pa.array(people.organisation[party]), firm, person)
    return kernels.if_else(pa.array(shown), value, pa.scalar(None, pa.string()))


def birth_date(people: Population, party: Ints, rng: Chance) -> Ints:
    """A date of birth: right, a few days off, or missing (NEVER)."""
    rules = read("behaviour")["records"]["birth_date"]
    state = _calm(people, party, weighted(rng, list(rules.values()), len(party)))
    off = between(rng, 1, 9, len(party))
    birth = people.birth[party]
    return np.where(state == 2, NEVER, np.where(state == 1, birth + off, birth))
