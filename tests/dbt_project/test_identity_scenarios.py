"""Scenarios of identity by name, over several days: after each day, and after one run over all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.dbt_project.identity_days import IdentityDays, id_after

SCENARIOS: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "identity_scenarios.yaml").read_text(encoding="utf-8")
)
DAYS = range(1, 5)
_WORDS = ("name", "phone", "email", "address", "identity_no")


@dataclass(frozen=True)
class Day:
    """What a build made: record to customer, redirects, changes (kind, rule, before, after)."""

    customers: dict[str, str]
    redirects: dict[str, str]
    changes: list[tuple[str, str, str, str]]


def _own(scenario: str, key: str) -> str:
    return f"{key}@{scenario}"


def _records(day: int) -> list[dict[str, Any]]:
    """The records of all scenarios as they stand on a day; nothing is shared between scenarios."""
    found = []
    for scenario, told in SCENARIOS.items():
        standing: dict[str, dict[str, Any]] = {}
        for order, record in enumerate(told["records"]):
            earlier = standing.get(record["key"], {}).get("order", order)
            if record["day"] <= day:
                words = {w: f"{record[w]} of {scenario}" for w in _WORDS if w in record}
                own = {**record, **words, "order": earlier}
                standing[record["key"]] = {**own, "key": _own(scenario, record["key"])}
        found += [record for record in standing.values() if not record.get("gone")]
    return found


def _linkage(day: int) -> list[tuple[str, str, float]]:
    return [
        (_own(scenario, each["pair"][0]), _own(scenario, each["pair"][1]), each["probability"])
        for scenario, told in SCENARIOS.items()
        for each in told.get("linkage", [])
        if each["day"] <= day <= each.get("until", day)
    ]


def _decisions(day: int) -> list[dict[str, Any]]:
    return [
        {**each, "pair": [_own(scenario, key) for key in each["pair"]]}
        for scenario, told in SCENARIOS.items()
        for each in told.get("decisions", [])
        if each["day"] <= day
    ]


def _read(days: IdentityDays) -> Day:
    query = days.warehouse.query
    changes = query(
        "select change_kind, rule, customer_id_before, coalesce(customer_id_after, '')"
        " from identity.int_new_changes order by all"
    )
    redirects = query(
        "select customer_id, redirected_to from identity.int_redirects"
        " where redirected_to is not null"
    )
    return Day(days.customers(), dict(redirects), [tuple(row) for row in changes])


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> IdentityDays:
    return IdentityDays.make(tmp_path_factory.mktemp("scenarios") / "project")


@pytest.fixture(scope="module")
def made(days: IdentityDays) -> dict[int, Day]:
    """Day by day, each build with the memory of the ones before. The laws of the YAML run too."""
    results = {}
    for day in DAYS:
        days.build(day, _records(day), _linkage(day), _decisions(day))
        results[day] = _read(days)
        days.remember()
    return results


def _expectations(part: str) -> list[Any]:
    return [
        pytest.param(scenario, day, told[part][day], id=f"{scenario}, day {day}")
        for scenario, told in SCENARIOS.items()
        for day in told.get(part, {})
    ]


def _together(scenario: str, customers: dict[str, str]) -> list[list[str]]:
    groups: dict[str, list[str]] = {}
    for record, customer in sorted(customers.items()):
        key, _, of = record.partition("@")
        if of == scenario:
            groups.setdefault(customer, []).append(key)
    return sorted(group for group in groups.values() if len(group) > 1)


@pytest.mark.parametrize(("scenario", "day", "expected"), _expectations("customers"))
def test_customers(made: dict[int, Day], scenario: str, day: int, expected: Any) -> None:
    assert _together(scenario, made[day].customers) == sorted(map(sorted, expected))


@pytest.mark.parametrize(("scenario", "day", "expected"), _expectations("ids"))
def test_ids(made: dict[int, Day], scenario: str, day: int, expected: Any) -> None:
    for record, named_after in expected.items():
        found = made[day].customers[_own(scenario, record)]
        assert found == id_after(_own(scenario, named_after)), record


@pytest.mark.parametrize(("scenario", "day", "expected"), _expectations("redirects"))
def test_redirects(made: dict[int, Day], scenario: str, day: int, expected: Any) -> None:
    known = {id_after(_own(scenario, each["key"])) for each in SCENARIOS[scenario]["records"]}
    found = {old: new for old, new in made[day].redirects.items() if old in known}
    assert found == {
        id_after(_own(scenario, old)): id_after(_own(scenario, new))
        for old, new in expected.items()
    }


@pytest.mark.parametrize(("scenario", "day", "expected"), _expectations("changes"))
def test_changes(made: dict[int, Day], scenario: str, day: int, expected: Any) -> None:
    known = {id_after(_own(scenario, each["key"])) for each in SCENARIOS[scenario]["records"]}
    found = [[kind, rule] for kind, rule, before, _ in made[day].changes if before in known]
    assert sorted(found) == sorted(expected)


def test_every_change_is_told(made: dict[int, Day]) -> None:
    """A record whose customer differs from the day before is in a change of that day."""
    for day in DAYS[1:]:
        before, after = made[day - 1].customers, made[day].customers
        moved = {
            (before[record], after[record])
            for record in before.keys() & after.keys()
            if before[record] != after[record]
        }
        assert moved == {(old, new) for _, _, old, new in made[day].changes if new}


def test_redirects_lead_to_customers_of_today(made: dict[int, Day]) -> None:
    for day in made.values():
        assert set(day.redirects.values()) <= set(day.customers.values())
        assert not set(day.redirects) & set(day.customers.values())


def test_a_day_again_changes_nothing(days: IdentityDays, made: dict[int, Day]) -> None:
    last = DAYS[-1]
    days.build(last, _records(last), _linkage(last), tests=False)
    again = _read(days)
    assert (again.customers, again.redirects) == (made[last].customers, made[last].redirects)
    assert again.changes == []
    for table in ("assignments", "redirects"):
        assert days.warehouse.query(f"select * from identity.int_new_{table}") == []


def test_one_run_over_all_gives_the_same_customers(
    days: IdentityDays, made: dict[int, Day], tmp_path: Path
) -> None:
    last = DAYS[-1]
    fresh = IdentityDays(days.warehouse.copy(tmp_path / "fresh"))
    fresh.forget()
    fresh.build(last, _records(last), _linkage(last), tests=False)
    groups: dict[str, set[str]] = {}
    for record, customer in made[last].customers.items():
        groups.setdefault(customer, set()).add(record)
    assert fresh.clusters() == {frozenset(group) for group in groups.values()}
