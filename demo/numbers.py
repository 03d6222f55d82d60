"""Identity numbers, credit codes and telephone numbers, valid in form and made up in content.

In: whole numbers. Out: Arrow texts. Touches nothing.
Standards: GB 11643 (resident identity number, check character modulo 11), GB 32100 (unified social
credit code, modulo 31) with GB 11714 inside it (organisation code, modulo 11).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from demo.arrow import Texts, kernels
from demo.chance import Bools, Ints
from demo.frames import choose, join, padded, pick
from demo.pools import places

_CHECK = pa.array(list("10X98765432"))
_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORGANISATION = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def yyyymmdd(days: Ints) -> Ints:
    """Days since 1970 as the number that is written down."""
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]").astype(np.int64)
    day = (dates - dates.astype("datetime64[M]")).astype(np.int64) + 1
    written: Ints = (1970 + months // 12) * 10_000 + (months % 12 + 1) * 100 + day
    return written


def identity_base(region: Ints, birth: Ints, male: Bools, chance: Ints) -> Ints:
    """The 17 digits before the check character, different for everybody.

    The sequence's last digit is odd for men. Who would get the number of another moves on to
    the next free sequence of the same sex.
    """
    sequence = chance % 500 * 2 + male
    stem = region * 100_000_000 + yyyymmdd(birth)
    while True:
        base = stem * 1000 + sequence
        _, first = np.unique(base, return_index=True)
        if len(first) == len(base):
            return base
        again = np.ones(len(base), dtype=bool)
        again[first] = False
        sequence = np.where(again, (sequence + 2) % 1000, sequence)


def _digits(base: Ints, count: int) -> list[Ints]:
    return [base // 10 ** (count - 1 - place) % 10 for place in range(count)]


def identity_number(base: Ints, slip: Bools) -> Texts:
    """18 characters; a slip of the pen spoils the check character."""
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    total = sum(w * d for w, d in zip(weights, _digits(base, 17), strict=True))
    return join(pa.array(base).cast(pa.string()), pick(_CHECK, (total + 4 * slip) % 11))


def old_identity_number(base: Ints) -> Texts:
    """15 digits as issued until 1999: no century, no check character (births before 2000)."""
    region, rest = base // 10**11, base % 10**11
    return pa.array(region * 10**9 + rest % 10**9).cast(pa.string())


def credit_code(region: Ints, serial: Ints) -> Texts:
    """18 characters: a company (91), its region, its organisation code, the check character."""
    letters = pa.array(list(_CREDIT))
    places_of = [np.full(len(serial), 9), np.full(len(serial), 1), *_digits(region, 6)]
    body = [np.full(len(serial), _CREDIT.index(c)) for c in "MA"]
    body += [serial // 31**place % 31 for place in range(5, -1, -1)]
    value = np.asarray([_ORGANISATION.index(c) for c in _CREDIT])
    weights = [3, 7, 9, 10, 5, 8, 4, 2]
    total = sum(w * value[code] for w, code in zip(weights, body, strict=True))
    inner = np.asarray(11 - total % 11) % 11
    codes = [*places_of, *body, np.where(inner == 10, _CREDIT.index("X"), inner)]
    # the standard's weights are the powers of three modulo 31
    total = sum(code * (3**place % 31) for place, code in enumerate(codes))
    check = np.asarray(31 - total % 31) % 31
    return join(*(pick(letters, code) for code in [*codes, check]))


def mobile(line: Ints) -> Ints:
    """The mobile number of a line (party x 4 + which); different lines, different numbers."""
    prefixes = places().mobile_prefixes
    room = len(prefixes) * 10**8
    # the first lines must not come out as round numbers, which are junk elsewhere
    spread = (line + 70_007) * 1_618_033_993 % room
    return prefixes[spread // 10**8] * 10**8 + spread % 10**8


def landline(party: Ints) -> Ints:
    """The eight digits of an organisation's telephone."""
    return 60_000_000 + party * 7_654_321 % 9_999_991


def write_mobile(value: Ints, style: Ints) -> Texts:
    """A mobile number as people type it: plain, grouped, with dashes or with the country."""
    plain = pa.array(value).cast(pa.string())
    head, middle, tail = (
        pa.array(value // 10**8).cast(pa.string()),
        padded(value // 10**4 % 10**4, 4),
        padded(value % 10**4, 4),
    )
    return choose(
        style,
        plain,
        join("+86 ", plain),
        join(head, " ", middle, " ", tail),
        join(head, "-", middle, "-", tail),
        join("+86-", head, "-", middle, "-", tail),
        join("0086", plain),
    )


def write_landline(area: Texts, value: Ints, style: Ints) -> Texts:
    """A landline number as people type it."""
    plain = pa.array(value).cast(pa.string())
    grouped = join(padded(value // 10**4, 4), " ", padded(value % 10**4, 4))
    trunk = kernels.utf8_ltrim(area, "0")
    return choose(
        style,
        join(area, "-", plain),
        join("+86 ", trunk, " ", grouped),
        join("(", area, ")", plain),
        join(area, " ", grouped),
    )
