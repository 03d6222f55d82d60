"""Business rules of people's decisions, by hand.

In: a table's name. Out: its expectations. A critical rule holds the row back.
"""

from __future__ import annotations

from typing import Any

from expectations.suites.rows import wrong_when


def rules(table: str) -> list[Any]:
    """The rules of a table of this system; none for a table without rules of its own."""
    return _RULES.get(table, list)()


def _identity_decisions() -> list[Any]:
    return [
        wrong_when(
            "identity_decisions:two_records_in_order",
            "left_source_system > right_source_system or (left_source_system = right_source_system"
            " and left_source_record_id >= right_source_record_id)",
            "A decision is about two different records; in one order, a pair has one decision.",
        ),
        wrong_when(
            "identity_decisions:id_is_of_the_pair",
            "decision_id <> md5(concat_ws('|', left_source_system, left_source_record_id,"
            " right_source_system, right_source_record_id))",
            "The id is made of the pair, so a later decision replaces the earlier one.",
        ),
    ]


_RULES = {"identity_decisions": _identity_decisions}
