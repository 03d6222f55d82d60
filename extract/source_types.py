"""Types as sources write them, compared with a contract's: equal, wider, narrower, another.

In: the type of a source's column as its catalog says it, and the contract's column. Out: a word,
or the contract type that carries a new column. Touches nothing.

Only what the text of a type says is judged. A type that says nothing, such as SQLite's NUMERIC or
JSON, is neither wider nor narrower: its cells decide, one by one.
"""

from __future__ import annotations

import re

from extract.contract import Column

_INTEGERS = {
    **dict.fromkeys(("tinyint", "int1", "int8_t"), 3),
    **dict.fromkeys(("smallint", "int2"), 5),
    "mediumint": 7,
    **dict.fromkeys(("integer", "int", "int4"), 10),
    "bigint": 19,
}
"""Digits of integers, by the names that PostgreSQL, MariaDB and SQLite give them."""
_ARROW = {"int8": 3, "int16": 5, "int32": 10, "int64": 19, "uint8": 3, "uint16": 5, "uint32": 10}
_DECIMAL = re.compile(r"(?:numeric|decimal(?:128|256)?)\((\d+),\s*(-?\d+)\)")
_TEXT = ("char", "varchar", "character", "text", "string", "clob", "enum", "uuid", "json")
_FLOATS = ("double", "float", "real", "halffloat")
_MOST_DIGITS = 38
_ENDLESS = 10_000
"""Digits of a number without bounds: PostgreSQL's bare numeric."""


def compared(source_type: str, column: Column) -> str | None:
    """`wider` or `narrower` than the contract's type, of the same kind; None: neither, or unsaid.

    Wider: the source may send cells that the contract's type cannot carry. Narrower: the source
    cannot send every cell that the contract promises.
    """
    source, wanted = _range(source_type), _range(column.physical_type)
    if source is None or wanted is None:
        if column.physical_type == "timestamp" and _plain(source_type) == "date":
            return "narrower"
        return None
    if source[1] < wanted[1]:
        return "narrower"
    if source[0] > wanted[0] or source[1] > wanted[1]:
        return "wider"
    return None if source == wanted else "narrower"


def carrier(source_type: str) -> str | None:
    """The contract type in which a new column of this type is read; None when none is sure."""
    text, plain = source_type.lower(), _plain(source_type)
    if match := _DECIMAL.search(text):
        digits, scale = int(match[1]), int(match[2])
        return f"decimal({digits},{scale})" if 0 <= scale <= digits <= _MOST_DIGITS else None
    if "unsigned" in text or plain == "uint64":
        return "bigint" if plain not in ("bigint", "uint64") else "decimal(20,0)"
    if plain in _INTEGERS or plain in _ARROW:
        return "boolean" if text == "tinyint(1)" else "bigint"
    if plain.startswith(_FLOATS):
        return "double"
    if plain in ("date", "date32"):
        return "date"
    if plain in ("timestamp", "datetime") and " with time zone" not in text and "tz=" not in text:
        return "timestamp"
    if plain in ("boolean", "bool"):
        return "boolean"
    return "varchar" if plain.endswith(_TEXT) or plain.startswith(_TEXT) else None


def _plain(source_type: str) -> str:
    return re.split(r"[ (\[]", source_type.lower().strip(), maxsplit=1)[0]


def _range(type_name: str) -> tuple[int, int] | None:
    """Digits before and after the point of an exact number; None for everything else."""
    text, plain = type_name.lower(), _plain(type_name)
    if match := _DECIMAL.search(text):
        digits, scale = int(match[1]), int(match[2])
        return digits - scale, max(scale, 0)
    if type_name == "numeric":  # PostgreSQL's; what SQLite was told, in whatever case, says less
        return _ENDLESS, _ENDLESS
    if text == "tinyint(1)":
        return None
    if plain in _INTEGERS:
        return _INTEGERS[plain] + (plain == "bigint" and "unsigned" in text), 0
    return (_ARROW[plain], 0) if plain in _ARROW else None
