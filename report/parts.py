"""What a page is made of: sections with a finding, and the charts and tables that show it.

In: rows of the published file. Out: frozen parts, which the template `section` writes. Touches
nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from report.charts import Chart
from report.wording import share

Row = dict[str, Any]


class Name(NamedTuple):
    """Of a class, in English and, where it has one, in Chinese."""

    english: str
    chinese: str = ""


class Column(NamedTuple):
    """`kind` says how the template `table` writes a cell; `is_spare`: not on a narrow screen."""

    title: str
    key: str
    kind: str = "text"
    is_spare: bool = False


@dataclass(frozen=True)
class Table:
    """Rows as they are. A folded one stands behind its caption until a reader opens it."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    is_folded: bool = False
    is_wide: bool = False
    is_numbered: bool = False
    legend: Sequence[tuple[str, str]] = ()
    part: str = "table"

    def longest(self, key: str) -> Any:
        """Of a column of bars."""
        return max((row[key] or 0 for row in self.rows), default=0)


class Cell(NamedTuple):
    """A field of a heat map; `warmth` from 0 to 1, none where there is nothing."""

    text: str
    small: str
    warmth: float | None


@dataclass(frozen=True)
class Heat:
    """A field of numbers whose colour says how large they are."""

    caption: str
    down: str
    across: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]
    is_wide: bool = False
    part: str = "heat"


def heat(
    caption: str,
    down: tuple[str, Mapping[Any, str]],
    across: tuple[str, Mapping[Any, str]],
    held: Mapping[tuple[Any, Any], Any],
    write: Callable[[tuple[Any, Any], Any], tuple[str, str]],
    most: float | None = None,
    *,
    is_wide: bool = False,
) -> Heat:
    """A heat map of `held` by (row, column).

    `down` and `across` are a title, and labels by code in order; `write` gives the text of a cell
    and the small one under it, from its place and number; `most` is the warmest number, by default
    the largest held.
    """
    warmest = most or max((float(value) for value in held.values()), default=0)

    def cell(place: tuple[Any, Any]) -> Cell:
        if not (value := held.get(place)):
            return _NOTHING
        # small numbers stay apart from none: the scale is steeper at its cold end
        return Cell(*write(place, value), min(share(value, warmest), 1) ** 0.7)

    rows = [
        (label, [cell((row, column)) for column in across[1]]) for row, label in down[1].items()
    ]
    return Heat(caption, down[0], across[0], list(across[1].values()), rows, is_wide)


_NOTHING = Cell("0", "", None)


@dataclass(frozen=True)
class Section:
    """A finding and what shows it; without parts, `nothing` says why and what to do."""

    key: str
    title: str
    finding: str
    how: str
    source: str
    parts: Sequence[Chart | Heat | Table] = ()
    nothing: str = ""


def empty(key: str, title: str, finding: str, source: str, nothing: str) -> Section:
    return Section(key, title, finding, "", source, nothing=nothing)


BUILD = "The marts have no row of it: run `make demo`, or load the sources and build."
NOT_BETTER = (
    "A model is published only when it beats its baseline: model quality, at the end of this page,"
    " says what it lacks. More history, or more customers, usually helps."
)
"""Why a section may be empty, and what to do."""


def share_out(rows: list[Row]) -> None:
    """Add the shares that each row has of all customers and of all amounts."""
    for name in ("customers", "amount"):
        total = sum(row[name] for row in rows)
        for row in rows:
            row[f"{name}_share"] = share(row[name], total)


def shares(people: str, amounts: str) -> list[Column]:
    """Number and share of customers, share of amounts and the amount."""
    return [
        Column(people.capitalize(), "customers", "whole"),
        Column(f"Share of {people}", "customers_share", "sharebar"),
        Column(amounts.capitalize(), "amount", "compact", is_spare=True),
        Column(f"Share of {amounts}", "amount_share", "sharebar second"),
    ]


def person() -> list[Column]:
    """A listed customer: masked name, and the systems that know it."""
    return [
        Column("Customer", "display_name", "customer"),
        Column("Systems", "", "systems", is_spare=True),
    ]


def at_month_ends(
    moves: Sequence[Row], to: str, codes: Iterable[str]
) -> tuple[list[date], dict[str, list[int]]]:
    """Months of moves between classes, and per class how many customers stood in it at their ends.

    `to` is the column of the class after a move; who stands in none is left out.
    """
    counted: Counter[tuple[date, str]] = Counter()
    for row in moves:
        counted[row["month"], row[to]] += row["customers"]
    months = sorted({row["month"] for row in moves})
    known = [code for code in codes if code != "unclassed"]
    return months, {code: [counted[month, code] for month in months] for code in known}


def by_month(
    caption: str,
    labels: Mapping[str, str],
    months: Sequence[date],
    held: Mapping[str, Sequence[int]],
) -> Table:
    """The same as a folded table."""
    rows = [
        {"month": month} | {code: counted[at] for code, counted in held.items()}
        for at, month in enumerate(months)
    ]
    columns = [
        Column("Month", "month", "month"),
        *(Column(labels[code], code, "whole") for code in held),
    ]
    return Table(caption, columns, rows, is_folded=True, is_wide=True)
