"""Sums of money of 38 digits stay exact, or stop."""

from __future__ import annotations

from decimal import Decimal, Inexact, InvalidOperation

import pyarrow as pa
import pytest

from extract import decimals

LARGE = Decimal("1234567890123456789012345678.0123456789")


def test_more_than_the_28_digits_that_python_keeps() -> None:
    assert decimals.add(LARGE, Decimal("0.0000000001")) == Decimal(
        "1234567890123456789012345678.0123456790"
    )
    assert decimals.times(LARGE, 3) == Decimal("3703703670370370367037037034.0370370367")
    assert str(decimals.scaled(LARGE, 12)) == "1234567890123456789012345678.012345678900"


def test_what_would_be_rounded_stops() -> None:
    with pytest.raises((Inexact, InvalidOperation)):
        decimals.scaled(Decimal("0.125"), 2)


def test_a_sum_beyond_what_arrow_holds() -> None:
    array = pa.array([Decimal("9" * 38)] * 20, pa.decimal128(38, 0))

    assert decimals.total(array) == Decimal("1" + "9" * 37 + "80")
    assert decimals.total(pa.array([None], pa.decimal128(18, 2))) == 0
