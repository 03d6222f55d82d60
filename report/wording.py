"""Numbers and findings in words.

In: the parts of a `Content`. Out: formatted numbers, and one sentence per section that says what
the figure below it shows. Touches nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from report.published import BUCKETS, Content, share

SYSTEM_NAMES: Mapping[str, str] = {
    "billing": "Billing",
    "his": "Hospital",
    "orders": "Orders",
    "service": "Service",
}


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


def percent(part: float) -> str:
    """0.1234 -> 12%; small shares keep a decimal, and nothing that is there reads as 0%."""
    if part == 0:
        return "0%"
    if abs(part) < 0.001:
        return "<0.1%"
    return f"{part:.1%}" if abs(part) < 0.1 or 0.995 <= part < 1 else f"{part:.0%}"


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


def segments(content: Content, label: str) -> str:
    buyers = sum(row["customers"] for row in content.segments)
    bought = sum(row["monetary"] or 0 for row in content.segments)
    first = content.segments[0]
    return (
        f"{label}: {percent(share(first['customers'], buyers))} of buyers, "
        f"{percent(share(first['monetary'], bought))} of all purchases"
    )


def classes(content: Content, label: str) -> str:
    customers = sum(row["customers"] for row in content.classes)
    bought = sum(row["monetary"] for row in content.classes)
    first = content.classes[0]
    return (
        f"{label}: {percent(share(first['customers'], customers))} of scored customers, "
        f"{percent(share(first['monetary'], bought))} of the year's purchases"
    )


def ageing(content: Content) -> str:
    total = sum(row["open_amount"] for row in content.ageing)
    late = sum(row["open_amount"] for row in content.ageing if row["bucket"] in BUCKETS)
    if not late:
        return f"Nothing is overdue; {compact(total)} {content.currency} is not due yet"
    old = sum(row["open_amount"] for row in content.ageing if row["bucket"] in BUCKETS[3:])
    return (
        f"{compact(late)} {content.currency} is overdue, {percent(share(late, total))} of what is "
        f"open; {percent(share(old, late)) if old else 'none'} of it for more than 90 days"
    )


def grades(content: Content, best: str) -> str:
    customers = sum(row["customers"] for row in content.grades)
    first = content.grades[0]
    sentence = f"{percent(share(first['customers'], customers))} of graded customers hold {best}"
    rose, fell = content.moves.get("rose") or 0, content.moves.get("fell") or 0
    if rose or fell:
        sentence += f"; since the last review {whole(rose)} rose and {whole(fell)} fell"
    return sentence


def valuable(content: Content) -> str:
    listed = sum(row["monetary_12m"] or 0 for row in content.valuable)
    bought = sum(row["monetary"] for row in content.classes)
    number = len(content.valuable)
    if not listed:
        return f"The {number} most valuable customers"
    return (
        f"The {number} most valuable customers bring "
        f"{percent(share(listed, bought))} of the year's purchases"
    )


def overdue(content: Content) -> str:
    listed = sum(row["overdue_amount"] for row in content.overdue)
    late = sum(row["open_amount"] for row in content.ageing if row["bucket"] in BUCKETS)
    number = len(content.overdue)
    return (
        f"{plural(number, 'customer owes', 'customers owe')} "
        f"{percent(share(listed, late))} of everything overdue"
    )
