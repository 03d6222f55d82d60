"""Rules that every table of money received shares, whatever the system calls its columns.

In: table name and the name of its column for the moment of payment. Out: expectations.
"""

from __future__ import annotations

from typing import Any

from expectations.engine import WARNING
from expectations.suites.rows import wrong_when


def rules(table: str, paid_at: str) -> list[Any]:
    return [
        wrong_when(
            f"{table}:settled_not_before_paid",
            f"settled_at < {paid_at}",
            "Money cannot arrive before it was paid.",
        ),
        wrong_when(
            f"{table}:reversed_not_before_paid",
            f"reversed_at < {paid_at}",
            "A payment cannot be taken back before it was made.",
        ),
        wrong_when(
            f"{table}:paid_not_in_the_future",
            f"cast({paid_at} as date) > cast(updated_at as date)",
            "It was on file before the day it was made; it counts from the day it arrives.",
            severity=WARNING,
        ),
        wrong_when(
            f"{table}:reversal_has_reason",
            "reversed_at is not null and reversal_reason is null",
            "A bounced payment counts against the customer, a mistake does not: it must be said.",
        ),
        wrong_when(
            f"{table}:reason_has_reversal",
            "reversal_reason is not null and reversed_at is null",
            "A reason without a moment leaves open whether the money counts.",
        ),
    ]
