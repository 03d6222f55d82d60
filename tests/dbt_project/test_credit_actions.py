"""Treatments of the credit schemes: what the documents ask for, and who must look first."""

from __future__ import annotations

import csv
from collections import defaultdict

import pytest

from tests.dbt_project.scratch_warehouse import PROJECT, ScratchWarehouse

CREDIT_SCHEMES = {"power_credit", "arrears_risk", "collection_abc", "risk_kind"}
AGAINST_SOMEBODY = [
    ("power_credit", "C"),
    ("power_credit", "D"),
    ("arrears_risk", "severe"),
    ("collection_abc", "C"),
    ("risk_kind", "contract"),
    ("risk_kind", "several"),
]


@pytest.fixture(scope="module")
def actions() -> dict[tuple[str, str], dict[str, bool]]:
    """Scheme and class to action and whether a person decides first."""
    found: dict[tuple[str, str], dict[str, bool]] = defaultdict(dict)
    path = PROJECT / "seeds" / "schemes" / "scheme_actions.csv"
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["scheme"] in CREDIT_SCHEMES:
                of_class = found[row["scheme"], row["class_code"]]
                of_class[row["action_code"]] = row["needs_review"] == "true"
    return found


@pytest.mark.parametrize(("scheme", "class_code"), AGAINST_SOMEBODY)
def test_a_person_decides_whatever_acts_against_somebody(
    actions: dict[tuple[str, str], dict[str, bool]], scheme: str, class_code: str
) -> None:
    assert actions[scheme, class_code]
    assert all(actions[scheme, class_code].values())


def test_an_action_that_needs_review_needs_it_in_every_class(
    actions: dict[tuple[str, str], dict[str, bool]],
) -> None:
    told = defaultdict(set)
    for of_class in actions.values():
        for action, needs_review in of_class.items():
            told[action].add(needs_review)
    assert not [action for action, answers in told.items() if len(answers) > 1]


def test_grade_b_has_rewards_of_a_and_some_controls_of_c(
    actions: dict[tuple[str, str], dict[str, bool]],
) -> None:
    a, b, c = (set(actions["power_credit", grade]) for grade in "ABC")
    assert a - b == {"review_less_often"}
    assert b & c
    assert c - b


def test_actions_are_all_treatments_of_the_class_with_reasons(marts: ScratchWarehouse) -> None:
    scored, told = marts.query(
        "select count(*), count(told.customer_id) from value.scores as scores"
        " inner join schemes.scheme_actions as actions using (scheme, class_code)"
        " left join credit.credit_actions as told"
        " using (as_of_date, customer_id, scheme, action_code)"
        " where as_of_date = date '2026-01-31'"
        " and scheme in ('power_credit', 'arrears_risk', 'collection_abc')"
    )[0]
    assert scored == told > 0
    # who lost points is told by what
    assert marts.query(
        "select count(*) from credit.credit_actions as told"
        " inner join value.scores using (as_of_date, customer_id, scheme)"
        " where (score < 100) <> (reason_codes like '% %')"
    ) == [(0,)]


def test_grades_move_from_month_to_month_and_nobody_is_lost(marts: ScratchWarehouse) -> None:
    after = marts.query(
        "select as_of_date, to_grade, sum(customers) from credit.grade_transitions"
        " where to_grade <> 'unclassed' group by 1, 2 order by 1, 2"
    )
    grades = marts.query(
        "select as_of_date, grade, count(*) from credit.credit_grades"
        " where as_of_date > date '2025-06-30' group by 1, 2 order by 1, 2"
    )
    assert after == grades


def test_payment_behaviour_tells_the_median_of_the_debts(marts: ScratchWarehouse) -> None:
    """By hand, from the movements of each debt up to the day."""
    wrong = marts.query(
        "with late as (select as_of_date, customer_id, days_late,"
        " row_number() over (partition by as_of_date, customer_id order by days_late) as place,"
        " count(*) over (partition by as_of_date, customer_id) as debts"
        " from value.int_receivable_positions"
        " where is_due_in_window and days_late is not null),"
        " by_hand as (select as_of_date, customer_id, avg(days_late) as median from late"
        " where place in ((debts + 1) // 2, debts // 2 + 1) group by 1, 2)"
        " select count(*) filter (where abs(median - days_late_median) > 0.05), count(median)"
        " from credit.payment_behaviour left join by_hand using (as_of_date, customer_id)"
    )[0]
    assert wrong[0] == 0
    assert wrong[1] > 0


def test_cured_and_not_cured_are_all_that_was_overdue(marts: ScratchWarehouse) -> None:
    wrong, rows = marts.query(
        "with rolled as (select month, source_system, from_bucket as bucket, sum(amount) as amount,"
        " coalesce(sum(amount) filter (where to_bucket = 'settled'), 0) as cured"
        " from credit.roll_rates group by 1, 2, 3)"
        " select count(*) filter (where overdue_amount <> amount or cured_amount <> cured),"
        " count(*) from credit.cure_rates inner join rolled using (month, source_system, bucket)"
    )[0]
    assert wrong == 0
    assert rows > 0
