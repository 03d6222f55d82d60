"""Business rules of the service centre, by hand.

In: a table's name. Out: its expectations. A critical rule holds the row back; a warning is only
reported, because the row can be used and the source may be right.
"""

from __future__ import annotations

from typing import Any

from expectations.engine import WARNING
from expectations.suites.rows import wrong_when


def rules(table: str) -> list[Any]:
    """The rules of a table of this system; none for a table without rules of its own."""
    return _RULES.get(table, list)()


def _callers() -> list[Any]:
    return [
        wrong_when(
            "callers:named_record_is_whole",
            "(named_system is null) <> (named_record_id is null)",
            "A named record is a system and a number; half of it names nobody.",
            severity=WARNING,
        )
    ]


def _complaints() -> list[Any]:
    return [
        wrong_when(
            "complaints:answered_not_before_opened",
            "answered_at < opened_at",
            "A case cannot be answered before it was opened.",
        ),
        wrong_when(
            "complaints:closed_not_before_opened",
            "closed_at < opened_at",
            "A case cannot be closed before it was opened.",
        ),
        wrong_when(
            "complaints:satisfied_when_closed",
            "satisfied is not null and closed_at is null",
            "Satisfaction with the outcome is asked when there is one.",
            severity=WARNING,
        ),
    ]


def _follow_ups() -> list[Any]:
    return [
        wrong_when(
            "follow_ups:answered_not_before_sent",
            "answered_at < sent_at",
            "Nobody answers before they were asked.",
        )
    ]


def _consultations() -> list[Any]:
    return [
        wrong_when(
            "consultations:answered_not_before_asked",
            "answered_at < asked_at",
            "A question cannot be answered before it was asked.",
        )
    ]


def _campaigns() -> list[Any]:
    return [
        wrong_when(
            "campaigns:ends_not_before_start",
            "ends_date < starts_date",
            "A campaign cannot end before it begins.",
        )
    ]


def _campaign_contacts() -> list[Any]:
    return [
        wrong_when(
            "campaign_contacts:responded_not_before_contacted",
            "responded_at < contacted_at",
            "Nobody responds before they were contacted.",
        )
    ]


_RULES = {
    "callers": _callers,
    "complaints": _complaints,
    "follow_ups": _follow_ups,
    "consultations": _consultations,
    "campaigns": _campaigns,
    "campaign_contacts": _campaign_contacts,
}
