"""Marts against another way of making them, and what they promise to readers."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from tests.dbt_project.conftest import AS_OF_DATES
from tests.dbt_project.scratch_warehouse import ScratchWarehouse


def _band(value: float, population: list[float]) -> int:
    """5 = best; least(5, 1 + floor(5 x percent_rank)), in whole numbers."""
    ordered = sorted(population)
    if len(ordered) == 1:
        return 1
    return min(5, 1 + 5 * bisect_left(ordered, value) // (len(ordered) - 1))


def _segment(recency: int, frequency: int, monetary: int, purchases: int) -> str:
    """The decision table of the segments, read from top to bottom."""
    both = (frequency + monetary) / 2
    for segment, holds in (
        ("new", recency == 5 and purchases == 1),
        ("champions", recency == 5 and both >= 4.5),
        ("cannot_lose", recency == 1 and both >= 4.5),
        ("loyal", recency >= 4 and both >= 3.5),
        ("promising", recency >= 4 and both < 3.5),
        ("needs_attention", recency == 3 and both >= 3),
        ("about_to_sleep", recency == 3 and both < 3),
        ("at_risk", recency <= 2 and both >= 3),
    ):
        if holds:
            return segment
    return "hibernating"


@pytest.mark.parametrize("day", AS_OF_DATES)
def test_rfm_bands_and_segments(marts: ScratchWarehouse, day: str) -> None:
    rows = marts.query(
        "select recency_days, frequency, cast(monetary as double), r_score, f_score, m_score,"
        f" segment from value.rfm where as_of_date = '{day}'"
    )
    assert len(rows) > 10
    recency, frequency, monetary = ([row[place] for row in rows] for place in range(3))
    for row in rows:
        bands = (
            _band(-row[0], [-days for days in recency]),
            _band(row[1], frequency),
            _band(row[2], monetary),
        )
        assert row[3:6] == bands
        assert row[6] == _segment(*bands, purchases=row[1])


def test_value_score_is_made_of_its_two_sides(marts: ScratchWarehouse) -> None:
    rows = marts.query(
        "select score, current_value, potential_value, class_code, class_label_zh"
        " from value.value_scores"
    )
    labels = {"premium": "优质", "important": "重要", "ordinary": "普通", "low_end": "低端"}
    for score, current, potential, code, label in rows:
        sides = [side for side in (current, potential) if side is not None]
        assert min(sides) - 1 <= score <= max(sides) + 1, "a mean lies between its parts"
        bounds = [("premium", 85), ("important", 70), ("ordinary", 50), ("low_end", -1)]
        assert code == next(name for name, lower in bounds if score >= lower)
        assert label == labels[code]


def test_ageing_puts_every_open_debt_into_the_bucket_of_its_days(marts: ScratchWarehouse) -> None:
    found = Counter(
        dict(
            marts.query("select bucket, sum(open_count) from credit.receivables_ageing group by 1")
        )
    )
    wanted: Counter[str] = Counter()
    limits = [(0, "not due"), (30, "1-30"), (60, "31-60"), (90, "61-90"), (180, "91-180"),
              (365, "181-365"), (10**6, ">365")]  # fmt: skip
    for (days,) in marts.query(
        "select days_past_due from value.int_receivable_positions where open_amount > 0"
    ):
        wanted[next(bucket for limit, bucket in limits if days <= limit)] += 1
    assert found == wanted
    assert len(wanted) == len(limits), "the facts fill every bucket"


def test_previous_grade_is_that_of_the_date_before(marts: ScratchWarehouse) -> None:
    grades: dict[str, dict[str, str]] = defaultdict(dict)
    previous: dict[str, dict[str, str | None]] = defaultdict(dict)
    for customer, day, grade, before in marts.query(
        "select customer_id, cast(as_of_date as varchar), grade, previous_grade"
        " from credit.credit_grades"
    ):
        grades[day][customer], previous[day][customer] = grade, before
    assert set(previous[AS_OF_DATES[0]].values()) == {None}
    for before, day in pairwise(AS_OF_DATES):
        wanted = {customer: grades[before].get(customer) for customer in grades[day]}
        assert previous[day] == wanted
    changed = {(before, now) for day in AS_OF_DATES[1:] for customer, now in grades[day].items()
               if (before := previous[day][customer]) not in (None, now)}  # fmt: skip
    assert changed, "somebody's grade changed"


def test_better_grades_are_reviewed_less_often(marts: ScratchWarehouse) -> None:
    months = dict(
        marts.query(
            "select grade, max(date_diff('day', reviewed_date, next_review_date))"
            " from credit.credit_grades group by 1 order by 1"
        )
    )
    days = [months[grade] for grade in "ABCD" if grade in months]
    assert len(days) > 2
    assert days == sorted(days, reverse=True)


def test_payment_behaviour_says_what_the_metrics_say(marts: ScratchWarehouse) -> None:
    different = marts.query(
        "select * from credit.payment_behaviour as behaviour"
        " inner join value.customer_metrics as metrics using (as_of_date, customer_id)"
        " where abs(dso_days - 365.0 * metrics.open_amount / metrics.billed_12m) > 0.001"
        " or behaviour.billed_amount is distinct from metrics.billed_12m"
    )
    assert different == []


def test_customer_360_has_everybody_once_as_of_the_last_date(marts: ScratchWarehouse) -> None:
    rows = marts.query(
        "select customer_id, cast(as_of_date as varchar), next_action, next_action_needs_review,"
        " credit_grade, billing_records from customer.customer_360"
    )
    known = [customer for (customer,) in marts.query("select customer_id from core.dim_customers")]
    assert sorted(row[0] for row in rows) == sorted(known)
    assert {row[1] for row in rows} == {AS_OF_DATES[-1]}
    assert {row[5] for row in rows} == {1}
    for _, _, action, needs_review, grade, _ in rows:
        if grade in ("C", "D"):
            assert needs_review, f"{action} acts against a person"


def test_history_and_transitions_follow_the_scores(marts: ScratchWarehouse) -> None:
    classes: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for day, scheme, customer, class_code in marts.query(
        "select as_of_date::varchar, scheme, customer_id, class_code from value.scores"
    ):
        classes[scheme, customer][day] = class_code
    periods, moves = set(), Counter()
    for (scheme, customer), by_day in classes.items():
        told = [by_day.get(day) for day in AS_OF_DATES]
        for place, class_code in enumerate(told):
            before = told[place - 1] if place else None
            if place and (before or class_code):
                moves[
                    scheme, AS_OF_DATES[place], before or "unclassed", class_code or "unclassed"
                ] += 1
            if class_code and class_code != before:
                rest = range(place + 1, len(told))
                end = next((AS_OF_DATES[n] for n in rest if told[n] != class_code), None)
                periods.add((scheme, customer, class_code, AS_OF_DATES[place], end))

    assert periods == set(
        marts.query(
            "select scheme, customer_id, class_code, valid_from::varchar, valid_to::varchar"
            " from value.class_history"
        )
    )
    assert {end for *_, end in periods} == {None, *AS_OF_DATES[1:]}, "classes changed on both dates"
    assert ("habit", "small", AS_OF_DATES[0], None) in {
        (scheme, *period) for scheme, _, *period in periods
    }, "a class goes on whose rank is another in the next version"
    assert moves == Counter(
        {
            tuple(row): count
            for *row, count in marts.query(
                "select scheme, as_of_date::varchar, from_class_code, to_class_code, customers"
                " from value.class_transitions"
            )
        }
    )
    (unexplained,) = marts.query(
        "select count(*) from (select scheme, as_of_date, sum(amount) as amount"
        " from value.class_transitions where to_class_code <> 'unclassed' group by all) as moved"
        " full join (select scheme, as_of_date, sum(monetary_12m) as amount from value.scores"
        " join value.customer_metrics using (as_of_date, customer_id)"
        f" where as_of_date > date '{AS_OF_DATES[0]}' group by all) as scored"
        " using (scheme, as_of_date, amount) where moved.scheme is null or scored.scheme is null"
    )
    assert unexplained == (0,)
