"""Sums of decimals that stay exact: Python's own keep 28 digits and round without a word.

In: decimals of up to 38 digits. Out: their sums, exactly or not at all. Touches nothing.
"""

from __future__ import annotations

from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any

import pyarrow as pa
import pyarrow.compute

_WIDE = Context(prec=100, traps=[Inexact, InvalidOperation])
_SAFE = 28
"""Digits of a cell up to which Arrow's own sum cannot run over its 38."""
_pc: Any = pyarrow.compute


def add(*terms: Decimal) -> Decimal:
    """The exact sum; raises when it has more than 100 digits."""
    total = Decimal(0)
    for term in terms:
        total = _WIDE.add(total, term)
    return total


def times(value: Decimal, number: int) -> Decimal:
    """The exact product."""
    return _WIDE.multiply(value, Decimal(number))


def scaled(value: Decimal, scale: int) -> Decimal:
    """The value with so many digits after the point; raises when that would round it."""
    return value.quantize(Decimal(1).scaleb(-scale), context=_WIDE)


def total(array: Any) -> Decimal:
    """The exact sum of an Arrow array of decimals."""
    if array.type.precision > _SAFE:
        array = array.cast(pa.decimal256(76, array.type.scale))
    found: Decimal | None = _pc.sum(array).as_py()
    return found if found is not None else Decimal(0)
