"""Segments of a table by key, and the search for the rows in which two copies of it differ.

In: two sides that can count and sum a segment. Out: the keys that differ, with their columns.
Touches nothing: the sides ask source and warehouse.

A checksum is the number of rows and the sum of their MD5s, so order does not matter. A segment
whose checksums differ is cut into smaller ones until it is small enough to be compared row by row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

LEAF_ROWS = 1_000
"""Segments up to this size are compared row by row."""
MOST_FOUND = 1_000
"""After so many rows the search ends: then it is no longer about single cells."""

NULL, SEPARATOR = "\x1e", "\x1f"
"""What stands for an empty cell in the text of a row, and between its cells."""
HASH_DIGITS = 15
"""Hexadecimal digits of the MD5 that are summed: what fits a signed 64-bit number anywhere."""

Key = tuple[str, ...]
Rows = Mapping[Key, tuple[str, ...]]
"""Per key the MD5 of each cell, in the order of the contract's columns."""


@dataclass(frozen=True)
class Segment:
    """Rows whose first key column is at least `low` and below `high`, in byte order; None: open."""

    low: str | None = None
    high: str | None = None


@dataclass(frozen=True)
class Checksum:
    rows: int = 0
    total: int = 0


class Side(Protocol):
    """One copy of the table."""

    def checksums(self, within: Segment, cuts: Sequence[str]) -> list[Checksum]:
        """Of each part into which `cuts`, ascending, divide the segment: one more than cuts."""

    def rows(self, within: Segment) -> Rows:
        """Every row of a small segment."""


class Divided(Side, Protocol):
    """The side that says where to cut."""

    def cuts(self, within: Segment, parts: int) -> list[str]:
        """Values of the first key column that cut the segment into about equal parts; may be []."""


@dataclass
class Found:
    """Keys that one side lacks, keys with the columns that differ, and the rows of both sides."""

    source_rows: int = 0
    warehouse_rows: int = 0
    missing: list[Key] = field(default_factory=list)
    surplus: list[Key] = field(default_factory=list)
    changed: dict[Key, list[str]] = field(default_factory=dict)
    complete: bool = True

    @property
    def number(self) -> int:
        return len(self.missing) + len(self.surplus) + len(self.changed)


def differences(source: Side, warehouse: Divided, columns: Sequence[str], parts: int) -> Found:
    """Find what differs; `parts`: into how many segments one that differs is cut."""
    found = Found()
    _search(Segment(), source, warehouse, columns, parts, found, is_whole=True)
    return found


def _search(
    within: Segment,
    source: Side,
    warehouse: Divided,
    columns: Sequence[str],
    parts: int,
    found: Found,
    *,
    is_whole: bool = False,
) -> None:
    cuts = warehouse.cuts(within, parts)
    theirs, ours = source.checksums(within, cuts), warehouse.checksums(within, cuts)
    if is_whole:
        found.source_rows = sum(each.rows for each in theirs)
        found.warehouse_rows = sum(each.rows for each in ours)
    ends = [within.low, *cuts, within.high]
    for low, high, their, our in zip(ends, ends[1:], theirs, ours, strict=False):
        if their == our:
            continue
        if found.number >= MOST_FOUND:
            found.complete = False
            return
        part = Segment(low, high)
        if max(their.rows, our.rows) <= LEAF_ROWS or not cuts:
            _compare(source.rows(part), warehouse.rows(part), columns, found)
        else:
            _search(part, source, warehouse, columns, parts, found)


def _compare(theirs: Rows, ours: Rows, columns: Sequence[str], found: Found) -> None:
    found.missing += sorted(theirs.keys() - ours.keys())
    found.surplus += sorted(ours.keys() - theirs.keys())
    for key in sorted(theirs.keys() & ours.keys()):
        cells = zip(columns, theirs[key], ours[key], strict=True)
        if differing := [name for name, their, our in cells if their != our]:
            found.changed[key] = differing
