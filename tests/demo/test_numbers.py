"""Identity numbers, credit codes and telephones: valid in form, different for everybody."""

from __future__ import annotations

from datetime import date

import numpy as np
import phonenumbers
import pytest
from stdnum.cn import ric, uscc

from demo import numbers
from demo.clock import day_number
from demo.pools import names, places


def test_identity_numbers_have_the_right_check_character() -> None:
    rng = np.random.default_rng(1)
    size = 500
    regions = places().birth_regions
    birth = rng.integers(day_number(date(1936, 1, 1)), day_number(date(2006, 12, 31)), size)
    male = rng.random(size) < 0.5
    base = numbers.identity_base(
        regions[rng.integers(0, len(regions), size)], birth, male, rng.integers(0, 10**9, size)
    )
    good = numbers.identity_number(base, np.zeros(size, dtype=bool)).to_pylist()
    assert all(ric.is_valid(number) for number in good)
    assert [int(number[16]) % 2 == 1 for number in good] == male.tolist()
    assert [ric.get_birth_date(n) for n in good] == [
        date.fromordinal(int(d) + date(1970, 1, 1).toordinal()) for d in birth
    ]
    spoilt = numbers.identity_number(base, np.ones(size, dtype=bool)).to_pylist()
    assert not any(ric.is_valid(number) for number in spoilt)


def test_nobody_gets_the_number_of_another() -> None:
    same = np.full(400, 110101), np.full(400, 4000), np.full(400, True), np.full(400, 7)
    assert len(np.unique(numbers.identity_base(*same))) == 400


def test_old_numbers_lack_century_and_check_character() -> None:
    base = np.asarray([11010119760918221])
    assert numbers.old_identity_number(base).to_pylist() == ["110101760918221"]


def test_credit_codes_are_valid() -> None:
    serial = np.arange(300) * 104_729 + 5_000_011
    codes = numbers.credit_code(np.full(300, 310115), serial).to_pylist()
    assert all(uscc.is_valid(code) for code in codes)
    assert len(set(codes)) == 300


def test_mobile_numbers_are_distinct() -> None:
    lines = np.arange(200_000)
    assert len(np.unique(numbers.mobile(lines))) == len(lines)


@pytest.mark.parametrize("style", range(6))
def test_mobile_numbers_parse_however_they_are_written(style: int) -> None:
    values = numbers.mobile(np.arange(0, 4000, 37))
    written = numbers.write_mobile(values, np.full(len(values), style)).to_pylist()
    for text, value in zip(written, values, strict=True):
        parsed = phonenumbers.parse(text, "CN")
        assert phonenumbers.is_valid_number(parsed)
        assert parsed.national_number == value


@pytest.mark.parametrize("style", range(4))
def test_landlines_parse_however_they_are_written(style: int) -> None:
    areas = places().area_code
    values = numbers.landline(np.arange(len(areas)) * 991)
    written = numbers.write_landline(areas, values, np.full(len(areas), style)).to_pylist()
    parsed = [phonenumbers.parse(text, "CN") for text in written]
    assert all(phonenumbers.is_valid_number(number) for number in parsed)


def test_traditional_characters_go_back_to_the_simplified() -> None:
    import opencc

    simplify = opencc.OpenCC("t2s").convert
    for pool in (names().surnames, names().male, names().female, names().brands):
        written = zip(pool.simplified.to_pylist(), pool.traditional.to_pylist(), strict=True)
        assert all(simplify(traditional) == simple for simple, traditional in written)
        slips = zip(pool.simplified.to_pylist(), pool.slip.to_pylist(), strict=True)
        assert all(slip != simple for simple, slip in slips)
