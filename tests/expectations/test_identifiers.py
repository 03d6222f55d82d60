"""Identifiers: examples of each kind, known answers of the hash, agreement with the libraries."""

from __future__ import annotations

import random

import email_validator
import phonenumbers
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc

from expectations import identifiers
from expectations.identifiers import derive, normalise, romanise
from extract.contract import IDENTIFIERS

KEY = b"0123456789abcdef0123456789abcdef"
WOMAN = "11010519880605370X"
MAN_OF_1949 = "320311194912310070"

IDENTITY = {
    WOMAN: WOMAN,
    WOMAN.lower(): WOMAN,
    " 110105 19880605 370x ": WOMAN,
    "１１０１０５１９８８０６０５３７０Ｘ": WOMAN,
    "110105-19880605-370X": WOMAN,
    "110105880605370": WOMAN,
    "110105198806053701": None,  # check character
    "110105198806313700": None,  # 31 June
    "160105198806053709": None,  # no province 16
    "11010519880605370": None,
    "110105880631370": None,
    "91330100799655058B": "91330100799655058B",
    "9144030071526726xg": "9144030071526726XG",
    "91330100799655058C": None,
    "91330100799655059B": None,
    "000000000000000000": None,
    "111111111111111111": None,
    "11010519491231002X": None,  # the standard's own example
    "none": None,
    "": None,
}
PHONE = {
    "13912345679": "+8613912345679",
    "139 1234 5679": "+8613912345679",
    "139-1234-5679": "+8613912345679",
    "+86 13912345679": "+8613912345679",
    "+86-139-1234-5679": "+8613912345679",
    "008613912345679": "+8613912345679",
    "（０２１）６２３４５６７８": "+862162345678",
    "021-62345678": "+862162345678",
    "+44 20 7946 0958": "+442079460958",
    "１３９１２３４５６７９": "+8613912345679",
    "13800138000": None,  # top-up line
    "13800000000": None,
    "12345678": None,
    "00000000": None,
    "11111111111": None,
    "1391234567": None,
    "by arrangement": None,
}
EMAIL = {
    "A.Zhang@Example.COM": "a.zhang@example.com",
    " a.zhang@example.com ": "a.zhang@example.com",
    "ａ@example.com": "a@example.com",
    "a..b@example.com": None,
    ".a@example.com": None,
    "a@example": None,
    "a@": None,
    "test@test.com": None,
    "a b@example.com": None,
}
NAME = {
    "張偉": "张伟",
    "张 伟": "张伟",
    "张　伟": "张伟",
    "张伟先生": "张伟",
    "陳麗華 女士": "陈丽华",
    "王副教授": "王",
    "阿不都·热西提": "阿不都热西提",
    "先生": None,
    "John Smith": "john smith",
    "SMITH, John": "john smith",
    "Dr. John  Smith": "john smith",
    "Ｊｏｈｎ Ｓｍｉｔｈ": "john smith",
    "José Núñez": "jose nunez",
    "Mary O'Brien": "mary obrien",
    "Anne-Marie Weiß": "anne marie weiss",
    "北京（四方）科技有限公司": "北京四方科技有限公司",
    "不詳": None,
    "N/A": None,
    "Unknown": None,
    "测试": None,
    "": None,
}
ADDRESS = {
    "北京市朝陽區建國路８８號 2棟3單元401室": "北京市朝阳区建国路88号2栋3单元401室",
    "北京市 朝阳区，建国路88号，2栋3单元401室": "北京市朝阳区建国路88号2栋3单元401室",
    "Room 401, Unit 3": "room401unit3",
    "不详": None,
    "—": None,
}


@pytest.mark.parametrize(
    ("kind", "examples"),
    [
        ("identity_number", IDENTITY),
        ("phone", PHONE),
        ("email", EMAIL),
        ("party_name", NAME),
        ("address", ADDRESS),
    ],
)
def test_examples(kind: str, examples: dict[str, str | None]) -> None:
    found = normalise(list(examples), kind)
    assert dict(zip(examples, found, strict=True)) == examples


@pytest.mark.parametrize(
    ("name", "pinyin"),
    [
        ("张伟", "zhang wei"),
        ("欧阳娜娜", "ou yang na na"),
        ("曾志伟", "zeng zhi wei"),
        ("单田芳", "shan tian fang"),
        ("重庆四方有限公司", "chong qing si fang you xian gong si"),
        ("john smith", "john smith"),
    ],
)
def test_pinyin(name: str, pinyin: str) -> None:
    assert romanise(name) == pinyin


def test_order_of_latin_names_does_not_matter() -> None:
    spellings = ["Li Na Wang", "Wang, Li Na", "wang na li", "Ms. Na Li WANG"]
    assert len(set(normalise(spellings, "party_name"))) == 1


def test_hash_known_answers() -> None:
    """Computed with `openssl dgst -sha256 -hmac`: the published pseudonyms must never move."""
    answers = {
        ("phone", "+8613912345679"): (
            "e2dc0f3d5b3804602b36023ac5c2fb795c255be69d3d69cdef992a0f31678519"
        ),
        ("email", "a.zhang@example.com"): (
            "2370af94d4d3ec81aa70ac7e92f125f2a3af2ca21c3c9f6da1c2142e27c048be"
        ),
        ("identity_number", WOMAN): (
            "28150d6d4cae20efce965de699dcfa9e42f6112018576d9661eb4342b7895213"
        ),
    }
    for (kind, norm), answer in answers.items():
        assert identifiers.pseudonym(norm, kind, KEY) == answer
        assert identifiers.pseudonym(norm, kind, KEY[::-1]) != answer


def test_kinds_keep_equal_texts_apart() -> None:
    assert identifiers.pseudonym("1", "phone", KEY) != identifiers.pseudonym("1", "email", KEY)


def test_derive_keeps_the_order_and_gives_the_contract_s_columns() -> None:
    column = pa.array(["139 1234 5679", None, "x", "13912345679", "139 1234 5679"])
    derived = derive(column, "phone", KEY)
    norm = "+8613912345679"
    assert derived["_norm"].to_pylist() == [norm, None, None, norm, norm]
    hashed = identifiers.pseudonym(norm, "phone", KEY)
    assert derived["_hash"].to_pylist() == [hashed, None, None, hashed, hashed]
    for kind, suffixes in IDENTIFIERS.items():
        if suffixes:
            assert tuple(derive(pa.array(["a"]), kind, KEY)) == suffixes


def test_normalising_twice_changes_nothing() -> None:
    for kind, examples in (
        ("identity_number", IDENTITY),
        ("phone", PHONE),
        ("email", EMAIL),
        ("party_name", NAME),
        ("address", ADDRESS),
    ):
        once = [norm for norm in normalise(list(examples), kind) if norm]
        assert normalise(once, kind) == once


@given(st.text(max_size=30))
def test_any_text_is_normalised_or_none(text: str) -> None:
    for kind in ("identity_number", "phone", "email", "party_name", "address"):
        (norm,) = normalise([text], kind)
        assert norm is None or norm == norm.strip()
        assert len(normalise(["a", text, "b"], kind)) == 3


def test_mobile_numbers_agree_with_phonenumbers() -> None:
    """The short way for plain mobile numbers decides as the library would."""
    rng = random.Random(20260131)
    for _ in range(3000):
        text = f"1{rng.randrange(10**10):010d}"
        try:
            number = phonenumbers.parse(text, "CN")
        except phonenumbers.NumberParseException:
            expected = None
        else:
            e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            expected = e164 if phonenumbers.is_valid_number(number) else None
        assert identifiers.phone(text) == expected, text


def test_plain_addresses_agree_with_email_validator() -> None:
    locals_ = ["a", "a.b", "a-b_c+d", ".a", "a.", "a..b", "A" * 64, "A" * 65, "a b", '"a"', "", "é"]
    domains = [
        "example.com",
        "EXAMPLE.org",
        "qq.com",
        "x",
        "a_b.com",
        "-a.com",
        "b.invalid",
        "例子.cn",
    ]
    for text in (f"{local}@{domain}" for local in locals_ for domain in domains):
        try:
            checked = email_validator.validate_email(text, check_deliverability=False)
            expected: str | None = checked.normalized.lower()
        except email_validator.EmailNotValidError:
            expected = None
        assert identifiers.email(text) == expected, text


def test_county_younger_than_the_person_is_no_fault() -> None:
    """The library's own check refuses true numbers of people older than their county."""
    number = MAN_OF_1949[:-1] + ric.calc_check_digit(MAN_OF_1949)
    assert not ric.is_valid(number)
    assert identifiers.identity_number(number) == number


def test_a_slip_in_an_identity_number_makes_no_credit_code() -> None:
    """One in 31 mistyped numbers would keep the check character of GB 32100."""
    stem = "1101051988060537"
    mistyped = [f"{stem}{n:02d}" for n in range(100)]
    by_chance = [n for n in mistyped if uscc.is_valid(n) and not ric.is_valid(n)]
    assert by_chance
    assert normalise(by_chance, "identity_number") == [None] * len(by_chance)
