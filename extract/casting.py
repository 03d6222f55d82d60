"""From what a source gave to the contract's types, exactly or not at all.

In: one Arrow array per column as a connector read it (text, bytes, or typed). Out: a record batch
of the contract's columns and `_cast_errors` (see `extract.landing`). Touches nothing.

A value is either carried over exactly or it does not fit; nothing is rounded, cut or guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Context, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute

from extract import dates
from extract.contract import Column
from extract.landing import CAST_ERRORS

BAD_LINE = "_line"
"""Name under which a line with a wrong number of fields stands in `_cast_errors`."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)?$"
ISO_FORMATS = ("yyyy-MM-dd", "yyyy-MM-dd HH:mm:ss")
"""Patterns that need no pattern: what Arrow reads as a date or a moment by itself."""
_TRUE, _FALSE = ("t", "true", "1"), ("f", "false", "0")

Array: TypeAlias = Any
"""An Arrow array. Its element type is known only at run time, from the contract."""
Convert = Callable[[Array], Array]
pc: Any = pyarrow.compute
nulls: Any = pa.nulls


def schema(columns: Sequence[Column]) -> pa.Schema:
    """Schema of a batch that `cast` returns."""
    fields = [pa.field(column.name, column.arrow_type) for column in columns]
    return pa.schema([*fields, pa.field(CAST_ERRORS, pa.string())])


def cast(
    arrays: Sequence[Array],
    columns: Sequence[Column],
    decimal: str = ".",
    refused: Mapping[str, Mapping[int, str]] | None = None,
) -> pa.RecordBatch:
    """Bring `arrays`, one per column, to the contract's types.

    `decimal` is the mark before the decimals of numbers that come as text. `refused` has, by column
    and row, the text of cells that the connector could not read; they are NULL in `arrays`.
    """
    rows = len(arrays[0]) if arrays else 0
    cast_arrays: list[Array] = []
    errors: dict[int, dict[str, str]] = {}
    for name, cells in (refused or {}).items():
        for row, text in cells.items():
            errors.setdefault(row, {})[name] = text
    for array, column in zip(arrays, columns, strict=True):
        given = _nullify(plain(array), column.null_values)
        result = _column(given, column, decimal)
        cast_arrays.append(result)
        if result.null_count != given.null_count:
            bad = pc.and_(pc.is_valid(given), pc.is_null(result))
            for row in pc.indices_nonzero(bad).to_pylist():
                errors.setdefault(row, {})[column.name] = as_text(given[row].as_py())
    notes = nulls(rows, pa.string())
    if errors:
        texts = [
            json.dumps(errors[row], ensure_ascii=False) if row in errors else None
            for row in range(rows)
        ]
        notes = pa.array(texts, pa.string())
    return pa.RecordBatch.from_arrays([*cast_arrays, notes], schema=schema(columns))


def bad_lines(
    lines: Sequence[tuple[int, str]], columns: Sequence[Column], position: str
) -> pa.RecordBatch:
    """A batch for lines of a file that have a wrong number of fields: (position, text) each."""
    arrays = [
        pa.array([number for number, _ in lines], column.arrow_type)
        if column.name == position
        else nulls(len(lines), column.arrow_type)
        for column in columns
    ]
    notes = [json.dumps({BAD_LINE: text}, ensure_ascii=False) for _, text in lines]
    return pa.RecordBatch.from_arrays(
        [*arrays, pa.array(notes, pa.string())], schema=schema(columns)
    )


def as_text(value: object) -> str:
    """A cell as text for `_cast_errors`; bytes that are no text are shown as \\xNN."""
    if not isinstance(value, bytes):
        return str(value)
    try:  # half a character, as JSON can hold one, is shown as \\uNNNN
        return value.decode("utf-8", "surrogatepass").encode("utf-8", "backslashreplace").decode()
    except UnicodeDecodeError:
        return value.decode("utf-8", "backslashreplace")


def exact(column: Column, decimal: str = ".") -> Callable[[str | bytes | None], Decimal | None]:
    """A function from a cell's text to the decimal that landing will hold, or None if none fits.

    The second, independent reading that control sums rest on where the source cannot sum.
    """
    context = Context(prec=80, traps=[InvalidOperation])
    unit = Decimal(1).scaleb(-column.scale)
    bound = Decimal(10) ** (column.precision - column.scale)

    @lru_cache(maxsize=1 << 16)
    def read(text: str | bytes | None) -> Decimal | None:
        if text is None:
            return None
        plain_text = as_text(text)
        if plain_text in column.null_values:
            return None
        if decimal != ".":
            plain_text = "" if "." in plain_text else plain_text.replace(decimal, ".")
        if not _NUMBER.fullmatch(plain_text):
            return None
        try:
            value = context.create_decimal(plain_text)
            scaled = value.quantize(unit, context=context)
        except InvalidOperation:
            return None
        return scaled if scaled == value and abs(value) < bound else None

    return read


def plain(array: Array) -> Array:
    """The array without the encodings that only save space."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_large_string(array.type) or pa.types.is_string_view(array.type):
        array = array.cast(pa.string())
    if pa.types.is_large_binary(array.type) or pa.types.is_binary_view(array.type):
        array = array.cast(pa.binary())
    return array


def _nullify(array: Array, null_values: Iterable[str]) -> Array:
    """NULL instead of the texts by which the contract says that a value is missing."""
    texts = list(null_values)
    if not texts:
        return array
    if pa.types.is_binary(array.type):
        found = pc.is_in(array, value_set=pa.array([t.encode() for t in texts], pa.binary()))
    else:
        found = pc.is_in(array.cast(pa.string()), value_set=pa.array(texts, pa.string()))
    return pc.if_else(found, pa.scalar(None, array.type), array)


def _column(array: Array, column: Column, decimal: str) -> Array:
    target = column.arrow_type
    if array.type == target:
        return array
    if pa.types.is_null(array.type):
        return nulls(len(array), target)
    if pa.types.is_timestamp(array.type) and pa.types.is_date32(target):
        # A plain cast would drop the time of day; only midnight is a date.
        return pc.if_else(
            pc.equal(array, pc.floor_temporal(array, unit="day")),
            array.cast(target, safe=False),
            pa.scalar(None, target),
        )
    widens = pa.types.is_timestamp(array.type) or pa.types.is_date(array.type)
    if (widens and pa.types.is_timestamp(target)) or (
        pa.types.is_floating(array.type) and pa.types.is_integer(target)
    ):
        return _fit(array, lambda part: part.cast(target), target)
    if pa.types.is_binary(array.type):
        array = _fit(array, lambda part: part.cast(pa.string()), pa.string())
    elif not pa.types.is_string(array.type):
        # Numbers go through their shortest exact text, so 2.55 read as a double stays 2.55.
        array = array.cast(pa.string())
    if pa.types.is_string(target):
        return array
    return _from_text(array, column, decimal)


def _from_text(array: Array, column: Column, decimal: str) -> Array:
    target = column.arrow_type
    if decimal != "." and (pa.types.is_decimal(target) or pa.types.is_floating(target)):
        # 1.234 is one thousand and more here, or a number of another form: nobody can know.
        array = _keep(array, pc.invert(pc.match_substring(array, ".")))
        array = pc.replace_substring(array, decimal, ".")
    if pa.types.is_boolean(target):
        lower = pc.utf8_lower(array)
        true = pc.is_in(lower, value_set=pa.array(_TRUE))
        known = pc.or_(true, pc.is_in(lower, value_set=pa.array(_FALSE)))
        return pc.if_else(pc.and_(known, pc.is_valid(array)), true, pa.scalar(None, pa.bool_()))
    if pa.types.is_integer(target):
        # Arrow would read 0x1F as 31.
        array = _keep(array, pc.match_substring_regex(array, "^-?[0-9]+$"))
    elif pa.types.is_temporal(target):
        pattern = column.format
        if pattern and pattern not in ISO_FORMATS:
            # Few distinct days stand in many rows: the pattern is matched once for each.
            return _by_value(array, lambda part: _from_pattern(part, pattern, target))
        if pa.types.is_timestamp(target):
            # Arrow would read 2026-01-31 10 as ten o'clock.
            array = _keep(array, pc.match_substring_regex(array, _MOMENT))
    return _fit(array, lambda part: part.cast(target), target)


def _from_pattern(texts: Array, pattern: str, target: pa.DataType) -> Array:
    parts = pc.extract_regex(texts, dates.as_regex(pattern))
    names = {field.name for field in parts.type}

    def part(name: str, default: str, width: int) -> Array:
        if name not in names:
            return pa.array([default] * len(texts), pa.string())
        return pc.utf8_lpad(pc.struct_field(parts, name), width, "0")

    iso = pc.binary_join_element_wise(
        part("year", "", 4), part("month", "", 2), part("day", "", 2), "-"
    )
    if pa.types.is_timestamp(target):
        time = pc.binary_join_element_wise(
            part("hour", "00", 2), part("minute", "00", 2), part("second", "00", 2), ":"
        )
        time = pc.binary_join_element_wise(time, part("fraction", "000000", 3), ".")
        iso = pc.binary_join_element_wise(iso, time, " ")
    return _fit(iso, lambda part: part.cast(target), target)


def _keep(array: Array, wanted: Array) -> Array:
    return pc.if_else(pc.fill_null(wanted, False), array, pa.scalar(None, array.type))


def _by_value(array: Array, convert: Convert) -> Array:
    encoded = array.dictionary_encode()
    return convert(encoded.dictionary).take(encoded.indices)


def _fit(array: Array, convert: Convert, target: pa.DataType) -> Array:
    """`convert(array)`, with NULL for each value that it refuses.

    Almost every column fits as a whole. Where one does not, its distinct values are halved until
    the ones that are refused stand alone.
    """
    try:
        return convert(array)
    except pa.ArrowInvalid:
        return _by_value(array, lambda values: _halve(values, convert, target))


def _halve(values: Array, convert: Convert, target: pa.DataType) -> Array:
    try:
        return convert(values)
    except pa.ArrowInvalid:
        if len(values) == 1:
            return nulls(1, type=target)
        middle = len(values) // 2
        halves = (values.slice(0, middle), values.slice(middle))
        return pa.concat_arrays([_halve(half, convert, target) for half in halves])
