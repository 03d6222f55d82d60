"""Business rules of the hospital information system, by hand.

In: a table's name. Out: its expectations. A critical rule holds the row back; a warning is only
reported, because the row can be used and the source may be right.
"""

from __future__ import annotations

from typing import Any

from expectations.engine import WARNING
from expectations.suites import payment_rules
from expectations.suites.rows import wrong_when


def rules(table: str) -> list[Any]:
    """The rules of a table of this system; none for a table without rules of its own."""
    return _RULES.get(table, list)()


def _patients() -> list[Any]:
    return [
        wrong_when(
            "patients:born_before_registered",
            "birth_date > registered_date",
            "Nobody is registered before they are born.",
        ),
        wrong_when(
            "patients:birth_date_agrees_with_identity_number",
            "length(identity_no) = 18 and regexp_matches(identity_no, '^[0-9]{17}')"
            " and substr(identity_no, 7, 8) <> strftime(birth_date, '%Y%m%d')",
            "The identity number holds the day of birth; one of the two is mistyped.",
            severity=WARNING,
        ),
    ]


def _visits() -> list[Any]:
    return [
        wrong_when(
            "visits:discharged_not_before_admitted",
            "discharged_at < admitted_at",
            "A visit cannot end before it began.",
        ),
        wrong_when(
            "visits:condition_has_discharge",
            "discharge_condition is not null and discharged_at is null",
            "A condition at discharge needs a discharge.",
            severity=WARNING,
        ),
        wrong_when(
            "visits:organisation_pays_for_check_ups",
            "payer_kind = 'group_client' and visit_kind <> 'check_up'",
            "Organisations pay for the check-ups of their staff; another visit is unusual.",
            severity=WARNING,
        ),
    ]


def _charges() -> list[Any]:
    return [
        wrong_when(
            "charges:parts_make_amount",
            "insurer_amount + self_pay_amount <> amount",
            "What the insurer and the payer bear is the whole charge, to the cent.",
        ),
        wrong_when(
            "charges:parts_have_one_sign",
            "sign(insurer_amount) * sign(self_pay_amount) < 0",
            "A charge is positive in both parts, its reversal negative in both.",
        ),
    ]


def _appointments() -> list[Any]:
    return [
        wrong_when(
            "appointments:slot_not_before_booking",
            "slot_at < booked_at",
            "Nobody books a slot that has passed.",
        )
    ]


_RULES = {
    "patients": _patients,
    "visits": _visits,
    "charges": _charges,
    "settlements": lambda: payment_rules.rules("settlements", "paid_at"),
    "appointments": _appointments,
}
