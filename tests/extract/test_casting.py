"""Cells become the contract's types exactly, or are reported."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from extract import casting, dates
from extract.contract import Column
from extract.landing import CAST_ERRORS


def of(physical_type: str, **more: Any) -> Column:
    return Column("cell", "cell", physical_type, "A cell.", False, False, "internal", **more)


def cast(values: list[Any], column: Column, kind: pa.DataType | None = None) -> list[Any]:
    """Each value after the cast; the text of `_cast_errors` in a tuple where there is one."""
    batch = casting.cast([pa.array(values, kind or pa.string())], [column])
    return [
        row["cell"] if row[CAST_ERRORS] is None else (json.loads(row[CAST_ERRORS])["cell"],)
        for row in batch.to_pylist()
    ]


@pytest.mark.parametrize(
    ("physical_type", "text", "value"),
    [
        ("decimal(18,2)", "12.34", Decimal("12.34")),
        ("decimal(18,2)", "12.3400", Decimal("12.34")),
        ("decimal(18,2)", "-0.01", Decimal("-0.01")),
        ("decimal(18,2)", "9999999999999999.99", Decimal("9999999999999999.99")),
        ("integer", "007", 7),
        ("bigint", "-9223372036854775808", -(2**63)),
        ("date", "2024-02-29", date(2024, 2, 29)),
        ("timestamp", "2026-01-31T10:00:00.5", datetime.fromisoformat("2026-01-31T10:00:00.5")),
        ("timestamp", "2026-01-31", datetime.fromisoformat("2026-01-31")),
        ("boolean", "t", True),
        ("boolean", "FALSE", False),
        ("boolean", "0", False),
        ("double", "1e5", 1e5),
        ("varchar", " kept as it is ", " kept as it is "),
    ],
)
def test_texts_that_fit(physical_type: str, text: str, value: object) -> None:
    assert cast([text, None], of(physical_type)) == [value, None]


@pytest.mark.parametrize(
    ("physical_type", "text"),
    [
        ("decimal(18,2)", "12.345"),
        ("decimal(18,2)", "99999999999999999"),
        ("decimal(18,2)", "12,50"),
        ("decimal(18,2)", "NaN"),
        ("decimal(18,2)", " 1"),
        ("decimal(18,2)", ""),
        ("integer", "2147483648"),
        ("integer", "1.0"),
        ("integer", "0x1F"),
        ("date", "2026-02-30"),
        ("date", "0000-00-00"),
        ("date", "infinity"),
        ("date", "2026-01-31 00:00:00"),
        ("timestamp", "2026-01-31 10"),
        ("timestamp", "2026-01-31 10:00:00+08:00"),
        ("timestamp", "2026-01-31 10:00:00.1234567"),
        ("boolean", "yes"),
    ],
)
def test_texts_that_do_not_fit_are_reported_beside_sound_ones(
    physical_type: str, text: str
) -> None:
    sound = {"date": "2026-01-01", "timestamp": "2026-01-01 00:00:00", "boolean": "1"}
    good = sound.get(physical_type, "5")

    first, bad, empty, last = cast([good, text, None, good], of(physical_type))

    assert bad == (text,)
    assert empty is None
    assert first == last
    assert not isinstance(first, tuple)


def test_each_bad_cell_of_a_row_is_named() -> None:
    columns = [of("integer"), of("date")]
    named = [
        Column(name, name, c.physical_type, "", False, False, "internal")
        for name, c in zip("ab", columns, strict=True)
    ]

    batch = casting.cast([pa.array(["x", "1"]), pa.array(["y", "2026-01-01"])], named)

    assert batch.column(CAST_ERRORS).to_pylist() == ['{"a": "x", "b": "y"}', None]


@pytest.mark.parametrize(
    ("pattern", "text", "day"),
    [
        ("dd/MM/yyyy", "03/01/2012", date(2012, 1, 3)),
        ("d/M/yyyy", "3/1/2012", date(2012, 1, 3)),
        ("d/M/yyyy", "31/12/2012", date(2012, 12, 31)),
        ("yyyyMMdd", "20120229", date(2012, 2, 29)),
        ("dd.MM.yyyy", "29.02.2012", date(2012, 2, 29)),
    ],
)
def test_dates_in_the_contracts_format(pattern: str, text: str, day: date) -> None:
    assert cast([text], of("date", format=pattern)) == [day]


@pytest.mark.parametrize("text", ["31/02/2012", "3/1/2012", "01/13/2012", "03/01/12", "2012-01-03"])
def test_dates_that_break_the_format(text: str) -> None:
    assert cast([text, "03/01/2012"], of("date", format="dd/MM/yyyy")) == [
        (text,),
        date(2012, 1, 3),
    ]


def test_moments_in_the_contracts_format() -> None:
    column = of("timestamp", format="d/M/yyyy HH:mm")

    assert cast(["1/12/2010 08:26", "1/12/2010 24:00"], column) == [
        datetime.fromisoformat("2010-12-01 08:26"),
        ("1/12/2010 24:00",),
    ]


@pytest.mark.parametrize("pattern", ["dd/mm/yyyy", "dd/MM", "YYYY-MM-dd", "dd/MMM/yyyy"])
def test_formats_that_are_not_known_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"none of|are needed"):
        dates.as_regex(pattern)


def test_null_values_of_the_contract() -> None:
    column = of("decimal(18,2)", null_values=(" ", "NA"))

    assert cast([" ", "NA", "1", "-"], column) == [None, None, Decimal("1.00"), ("-",)]
    assert cast([b" ", b"2"], column, pa.binary()) == [None, Decimal("2.00")]


def test_doubles_become_the_decimal_that_they_show() -> None:
    column = of("decimal(18,2)")

    assert cast([2.55, 12345678901234.56, 0.125, float("inf")], column, pa.float64()) == [
        Decimal("2.55"),
        Decimal("12345678901234.56"),
        ("0.125",),
        ("inf",),
    ]


def test_typed_values_widen_but_are_never_cut() -> None:
    moment = datetime.fromisoformat("2026-01-31 10:00")
    midnight = datetime.fromisoformat("2026-01-31")

    assert cast([1.0, 1.5], of("integer"), pa.float64()) == [1, ("1.5",)]
    assert cast([2**40, 5], of("integer"), pa.int64()) == [(str(2**40),), 5]
    assert cast([17850], of("varchar"), pa.int32()) == ["17850"]
    assert cast([midnight, moment], of("date"), pa.timestamp("us")) == [
        midnight.date(),
        (str(moment),),
    ]
    assert cast([midnight.date()], of("timestamp"), pa.date32()) == [midnight]


def test_bytes_that_are_no_text_are_shown_as_bytes() -> None:
    assert cast([b"caf\xe9", "刘".encode()], of("varchar"), pa.binary()) == [("caf\\xe9",), "刘"]


def test_a_column_full_of_bad_cells_keeps_every_row() -> None:
    values = [f"bad {number}" for number in range(5_000)]

    assert cast(values, of("decimal(18,2)")) == [(value,) for value in values]


@pytest.mark.parametrize(
    "text",
    ["1", "-1.5", "+2", ".5", "5.", "1e3", "1e16", "12.345", "12.3400", "NaN", "inf", "1_0", " 1",
     "１", "", "0x1", "9999999999999999.99", "99999999999999999.99", "-", "1e-2", "1e-3"],
)  # fmt: skip
def test_the_second_reading_of_money_agrees_with_the_first(text: str) -> None:
    column = of("decimal(18,2)")

    landed = cast([text], column)[0]

    assert casting.exact(column)(text) == (None if isinstance(landed, tuple) else landed)
