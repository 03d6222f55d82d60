"""Numbers and findings in words.

In: numbers, and the `Content` of the overview. Out: formatted numbers, and one sentence per section
of the overview that says what the figure below it shows. Touches nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from report.published import Content

SYSTEM_NAMES: Mapping[str, str] = {
    "billing": "Billing",
    "his": "Hospital",
    "orders": "Orders",
    "service": "Service",
}


def share(part: object, whole: object) -> float:
    """`part` of `whole`, 0 when there is no whole."""
    whole_number = float(Decimal(str(whole or 0)))
    return float(Decimal(str(part or 0))) / whole_number if whole_number else 0.0


def whole(number: Any) -> str:
    """1234567 -> 1,234,567."""
    return "–" if number is None else f"{int(number):,}"


def money(number: Any) -> str:
    """Amount with two decimals."""
    return "–" if number is None else f"{Decimal(str(number)):,.2f}"


def compact(number: Any) -> str:
    """1234567 -> 1.23 million."""
    if number is None:
        return "–"
    value = float(number)
    for size, word in ((1e9, " billion"), (1e6, " million")):
        if abs(value) >= size:
            return f"{value / size:.3g}{word}"
    return f"{value:,.0f}"


def percent(number: Any) -> str:
    """0.1234 -> 12%; small shares keep a decimal, and nothing that is there reads as 0%."""
    if number is None:
        return "–"
    part = float(number)
    if part == 0:
        return "0%"
    if abs(part) < 0.001:
        return "<0.1%"
    return f"{part:.1%}" if abs(part) < 0.1 or 0.995 <= part < 1 else f"{part:,.0%}"


def figure(number: Any) -> str:
    """Three digits that matter: 0.01234 -> 0.0123, 12.34 -> 12.3, 1234 -> 1,234."""
    if number is None:
        return "–"
    value = float(number)
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def signed(number: Any) -> str:
    """Points: +12, -3, 0."""
    return "–" if number is None else f"{int(number):+d}" if number else "0"


def month(day: date) -> str:
    """Jan 26."""
    return f"{day:%b %y}"


def words(code: str | None) -> str:
    """A code as words: recency_days -> recency days."""
    return (code or "").replace("_", " ")


def seconds(number: Any) -> str:
    """Duration: 0.4 s, 12 s, 2 min 5 s."""
    if number is None:
        return "–"
    value = float(number)
    if value >= 60:
        return f"{int(value // 60)} min {int(value % 60)} s"
    return f"{value:.0f} s" if value >= 10 else f"{value:.1f} s"


def plural(number: Any, one: str, many: str) -> str:
    """`1 customer`, `2 customers`."""
    return f"{whole(number)} {one if int(number) == 1 else many}"


def headline(content: Content) -> str:
    customers = content.customers.get("customers") or 0
    if not customers:
        return "No customer has been published yet"
    shared = content.customers["shared"]
    if not shared:
        return f"{plural(customers, 'customer', 'customers')} in one view"
    return (
        f"{plural(customers, 'customer', 'customers')}, one view: "
        f"{whole(shared)} of them known in more than one system"
    )


def health(content: Content) -> str:
    if not content.tables:
        return "No table has been loaded yet"
    wrong = [row for row in content.tables if not row["adds_up"]]
    if wrong:
        names = ", ".join(f"{row['system']}.{row['table']}" for row in wrong[:3])
        return f"{plural(len(wrong), 'table does', 'tables do')} not add up: {names}"
    source = sum(row["source"] for row in content.tables)
    held = sum(row["quarantined"] for row in content.tables)
    return f"All {whole(source)} rows that were read are accounted for; " + (
        f"{whole(held)} wait in quarantine" if held else "none is in quarantine"
    )


def overlap(content: Content) -> str:
    customers = content.customers.get("customers") or 0
    shared = content.customers.get("shared") or 0
    if not shared:
        return "No customer is known in more than one system"
    return (
        f"{percent(share(shared, customers))} of customers "
        f"({whole(shared)}) are known in two or more systems"
    )
