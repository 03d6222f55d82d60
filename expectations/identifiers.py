"""Makes identifiers comparable: one written form per identity number, phone, e-mail, name, address.

In: a column of a batch and the kind of identifier in it. Out: the columns that the gate adds
(`_norm`, `_hash`, `_pinyin`). Touches: reads the word lists beside this file, once.

Each distinct value of a column is normalised once. A value that is not valid, or that is known to
name nobody (`junk_identifiers.yaml`), gives NULL: it must not tie two records together.

Standards are left to libraries that keep up with them: GB 11643 and GB 32100 (python-stdnum),
telephone plans (phonenumbers), e-mail (email-validator), characters (OpenCC, pypinyin).
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import email_validator
import opencc
import phonenumbers
import pyarrow as pa
import pypinyin
import yaml
from stdnum import numdb
from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError as InvalidNumber

DEFAULT_REGION = "CN"
"""Telephone numbers without a country code are read as numbers of this region."""

_HERE = Path(__file__).parent
_HAN = re.compile(r"[㐀-䶿一-鿿豈-﫿\U00020000-\U0003ffff]")
_NOT_WORD = re.compile(r"[\W_]+")
_APOSTROPHE = re.compile(r"['’‘`´]")
_SEPARATORS = re.compile(r"[\s\-‐-―·.]")
_LINE_BREAKS = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")
_ACCENT = re.compile(r"[\u0300-\u036f]")
_LONGEST_PERSON_NAME = 4
_PLAIN_LOCAL_PART = re.compile(r"[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*")
_LONGEST_LOCAL_PART = 64
# The library's own pattern of Chinese mobile numbers, which are nearly all there is to parse.
_PLAN: Any = phonenumbers.PhoneMetadata.metadata_for_region(DEFAULT_REGION)
_MOBILE = re.compile(_PLAN.mobile.national_number_pattern)
_CENTURIES = ("18", "19", "20")
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENCE_PERMITS = ("81", "82", "83", "9")
"""First digits of permits in the form of GB 11643: Hong Kong, Macau, Taiwan; foreigners."""


def derive(column: pa.Array[Any], kind: str, key: bytes) -> dict[str, pa.Array[Any]]:
    """The columns derived from `column`, by suffix, for an identifier of `kind`.

    `_norm` for every kind; `_hash` (keyed with `key`) for identity_number, phone and email;
    `_pinyin` for party_name.
    """
    encoded = column.dictionary_encode()
    values = encoded.dictionary.to_pylist()
    norms = normalise(values, kind)
    derived: dict[str, Sequence[str | None]] = {"_norm": norms}
    if kind == "party_name":
        derived["_pinyin"] = [None if norm is None else romanise(norm) for norm in norms]
    elif kind != "address":
        derived["_hash"] = [None if norm is None else pseudonym(norm, kind, key) for norm in norms]
    return {
        suffix: pa.array(mapped, pa.string()).take(encoded.indices)
        for suffix, mapped in derived.items()
    }


def normalise(values: Sequence[str | None], kind: str) -> list[str | None]:
    """The one form of each value, or None where it is empty, invalid or known junk."""
    junk = _junk()[kind]
    norms = _NORMALISERS[kind](_folded(values))
    return [None if not norm or norm in junk else norm for norm in norms]


def pseudonym(norm: str, kind: str, key: bytes) -> str:
    """HMAC-SHA-256 of a normalised value, in hexadecimal; the kind keeps equal texts apart."""
    return hmac.digest(key, f"{kind}:{norm}".encode(), "sha256").hex()


def romanise(norm: str) -> str:
    """Toneless pinyin of a normalised Chinese name; a Latin name stays as it is."""
    if not _HAN.search(norm):
        return norm
    if len(norm) > _LONGEST_PERSON_NAME:
        return " ".join(pypinyin.lazy_pinyin(norm))
    # Names of people are read character by character: their neighbours say nothing about them.
    first = _words()["surname_readings"].get(norm[0]) or _reading(norm[0])
    return " ".join([first, *(_reading(character) for character in norm[1:])])


@cache
def _reading(character: str) -> str:
    return str(pypinyin.lazy_pinyin(character)[0])


def _folded(values: Sequence[str | None]) -> list[str]:
    """Full width to half width and the like (NFKC), without blanks around; '' for NULL."""
    return [unicodedata.normalize("NFKC", value).strip() if value else "" for value in values]


def _identity_numbers(values: Sequence[str]) -> list[str | None]:
    return [identity_number(value) for value in values]


def identity_number(text: str) -> str | None:
    """A valid resident identity number of 18 digits, or a unified social credit code.

    The old number of 15 digits is lifted: century 19 and check digit are added.
    """
    number = _SEPARATORS.sub("", text).upper()
    if len(number) == 15 and number.isascii() and number.isdigit():
        number = f"{number[:6]}19{number[6:]}"
        number += ric.calc_check_digit(f"{number}0")
    if len(number) != 18 or not number.isascii() or len(set(number)) == 1:
        return None
    if _looks_resident(number):
        # A slip in it may make a valid credit code by chance (one in 31): that is none.
        return number if number[-1] == ric.calc_check_digit(number) else None
    return number if _is_credit_code(number) else None


def _looks_resident(number: str) -> bool:
    """Whether the number has the parts of GB 11643: a province, a day of birth, digits.

    The library's own `validate` also wants the county to have existed in the year of birth. But
    numbers are given since 1984, after the county of the first registration, so that the true
    numbers of most older people would be refused.
    """
    place_is_known = number[:2] in _provinces() or number.startswith(_RESIDENCE_PERMITS)
    return place_is_known and number[:-1].isdigit() and _is_birthday(number[6:14])


@lru_cache(maxsize=1 << 17)
def _is_birthday(digits: str) -> bool:
    """Whether eight digits are a day on which somebody may have been born."""
    if digits[:2] not in _CENTURIES:
        return False
    try:
        return bool(ric.get_birth_date(f"110101{digits}0000"))
    except InvalidNumber:
        return False


def _is_credit_code(number: str) -> bool:
    """Whether the number keeps GB 32100, with the organisation code of GB 11714 inside it."""
    if not uscc.is_valid(number):
        return False
    total = sum(w * int(c, 36) for w, c in zip(_ORGANISATION_WEIGHTS, number[8:16], strict=True))
    return number[16] == "0123456789X"[-total % 11]


@cache
def _provinces() -> frozenset[str]:
    codes = (f"{code:02d}" for code in range(11, 100))
    place = numdb.get("cn/loc")
    return frozenset(c for c in codes if "province" in place.info(f"{c}0000")[0][1])


def _phones(values: Sequence[str]) -> list[str | None]:
    return [phone(value) for value in values]


def phone(text: str) -> str | None:
    """A valid number in the form E.164."""
    if _MOBILE.fullmatch(text):
        return f"+86{text}"
    try:
        number = phonenumbers.parse(text, DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _emails(values: Sequence[str]) -> list[str | None]:
    return [email(value) for value in values]


def email(text: str) -> str | None:
    """A valid address in lower case; whether it can be reached is not asked."""
    local, at, domain = text.rpartition("@")
    if not at:
        return None
    if _PLAIN_LOCAL_PART.fullmatch(local) and len(local) <= _LONGEST_LOCAL_PART:
        # Nothing in it for the library to judge; and few domains serve most addresses.
        checked = _email_domain(domain)
        return checked and f"{local}@{checked}".lower()
    return _checked_email(text)


@lru_cache(maxsize=1 << 16)
def _email_domain(domain: str) -> str | None:
    checked = _checked_email(f"a@{domain}")
    return checked and checked[2:]


def _checked_email(text: str) -> str | None:
    try:
        checked = email_validator.validate_email(text, check_deliverability=False)
    except email_validator.EmailNotValidError:
        return None
    return str(checked.normalized).lower()


def _party_names(values: Sequence[str]) -> list[str | None]:
    return [party_name(value) for value in _simplified(values)]


def party_name(text: str) -> str | None:
    """A name in small, simplified characters without title.

    Chinese names lose blanks and punctuation; the parts of Latin names lose their accents and are
    sorted, so that "Smith, Dr. John" and "John Smith" are the same. A title alone is no name.
    """
    if _HAN.search(text):
        name = _NOT_WORD.sub("", text)
        titles = _words()["titles_after"]
        if name.endswith(titles):
            title = next(title for title in titles if name.endswith(title))
            return name.removesuffix(title) or None
        return name
    plain = _ACCENT.sub("", unicodedata.normalize("NFKD", _APOSTROPHE.sub("", text)))
    titles = _words()["titles_latin"]
    parts = [part for part in _NOT_WORD.sub(" ", plain).split() if part not in titles]
    return " ".join(sorted(parts)) or None


def _addresses(values: Sequence[str]) -> list[str | None]:
    return [_NOT_WORD.sub("", value) or None for value in _simplified(values)]


def _simplified(values: Sequence[str]) -> list[str]:
    """Small letters and simplified characters; all values in one call of the converter."""
    lines = [_LINE_BREAKS.sub(" ", value.casefold()) for value in values]
    converted: str = _converter().convert("\n".join(lines))
    return converted.split("\n")


@cache
def _converter() -> Any:
    return opencc.OpenCC("t2s")


@cache
def _words() -> Mapping[str, Any]:
    words = yaml.safe_load((_HERE / "name_words.yaml").read_text(encoding="utf-8"))
    return {
        # The longest title first: 副教授 before 教授.
        "titles_after": tuple(sorted(words["titles_after"], key=len, reverse=True)),
        "titles_latin": frozenset(words["titles_latin"]),
        "surname_readings": words["surname_readings"],
    }


@cache
def _junk() -> Mapping[str, frozenset[str]]:
    groups = yaml.safe_load((_HERE / "junk_identifiers.yaml").read_text(encoding="utf-8"))
    return {
        kind: frozenset(value for group in entries for value in group["values"])
        for kind, entries in groups.items()
    }


_NORMALISERS: Mapping[str, Callable[[Sequence[str]], list[str | None]]] = {
    "identity_number": _identity_numbers,
    "phone": _phones,
    "email": _emails,
    "party_name": _party_names,
    "address": _addresses,
}
