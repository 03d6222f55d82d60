"""What the embedded sources hold: sound where a source is sound, spoilt exactly where planted."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from stdnum.cn import ric, uscc

from demo.sales import Met
from extract.contract import Contract
from tests.demo.conftest import START, Sources

PARTY_TABLES = {
    "billing": [("billing.accounts", "account_no", "holder_name")],
    "his": [
        ("his.patients", "patient_no", "patient_name"),
        ("his.group_clients", "group_client_no", "client_name"),
    ],
    "orders": [("orders.customers", "customer_no", "customer_name")],
    "service": [("service.callers", "caller_no", "caller_name")],
}


def _truth(sources: Sources) -> list[dict[str, Any]]:
    path = sources.settings.demo_sources / "truth" / "truth.parquet"
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def _document(sources: Sources, name: str) -> Any:
    return json.loads((sources.settings.demo_sources / "truth" / name).read_text())


def _good(table: Contract) -> str:
    """Condition of rows that were not planted: planted keys are marked."""
    last = table.column(table.key[-1])
    if last.pattern:
        return f"{last.name} >= '2020'"
    if last.physical_type == "varchar":
        return f"{last.name} NOT LIKE '%X'"
    return f"{last.name} > 0" if last.physical_type == "bigint" else f"{last.name} < 100"


def test_all_tables_have_rows(sources: Sources, contracts: tuple[Contract, ...]) -> None:
    for contract in contracts:
        assert sources.value(f"SELECT count(*) FROM {contract.name}") > 0, contract.name


def test_foreign_keys_hold(sources: Sources, contracts: tuple[Contract, ...]) -> None:
    checked = 0
    for contract in contracts:
        for column in contract.columns:
            if column.references is None:
                continue
            parent, key = column.references.rsplit(".", 1)
            orphans = sources.value(
                f"SELECT count(*) FROM {contract.name} WHERE {column.name} IS NOT NULL "
                f"AND {column.name} NOT IN (SELECT {key} FROM {parent})"
            )
            assert orphans == 0, f"{contract.name}.{column.name}"
            checked += 1
    assert checked > 30


def test_rows_keep_the_contract_unless_planted(
    sources: Sources, contracts: tuple[Contract, ...]
) -> None:
    for contract in contracts:
        good = _good(contract)
        for column in contract.columns:
            wrong = ["0"]
            if column.required:
                wrong.append(f"{column.name} IS NULL")
            if column.enum:
                allowed = ", ".join(f"'{value}'" for value in column.enum)
                wrong.append(f"{column.name} NOT IN ({allowed})")
            if column.minimum is not None:
                wrong.append(f"{column.name} < {column.minimum}")
            if column.exclusive_minimum is not None:
                wrong.append(f"{column.name} <= {column.exclusive_minimum}")
            if column.maximum is not None:
                wrong.append(f"{column.name} > {column.maximum}")
            sql = f"SELECT count(*) FROM {contract.name} WHERE ({' OR '.join(wrong)}) AND {good}"
            assert sources.value(sql) == 0, f"{contract.name}.{column.name}"


def test_planted_rows_are_exactly_those_counted(
    sources: Sources, contracts: tuple[Contract, ...]
) -> None:
    planted = _document(sources, "planted.json")["tables"]
    for contract in contracts:
        spoilt = sources.value(
            f"SELECT count(*) FROM {contract.name} WHERE NOT ({_good(contract)})"
        )
        assert spoilt == sum(planted.get(contract.name, {}).values()), contract.name
    total = sum(sum(by_rule.values()) for by_rule in planted.values())
    rows = sum(sources.value(f"SELECT count(*) FROM {c.name}") for c in contracts)
    assert 0.001 < total / rows < 0.005
    assert len({rule.split(":")[1] for rules in planted.values() for rule in rules}) >= 4


def test_nothing_is_later_than_the_day(sources: Sources, contracts: tuple[Contract, ...]) -> None:
    for contract in contracts:
        assert contract.cursor is not None
        latest = sources.value(f"SELECT max({contract.cursor}) FROM {contract.name}")
        assert latest <= f"{START} 23:59:59", contract.name


def test_truth_covers_every_record_and_stays_outside(
    sources: Sources, contracts: tuple[Contract, ...]
) -> None:
    truth = _truth(sources)
    for system, tables in PARTY_TABLES.items():
        told = sorted(r["source_record_id"] for r in truth if r["source_system"] == system)
        held = sorted(
            number
            for table, key, _ in tables
            for (number,) in sources.rows(f"SELECT {key} FROM {table} WHERE {key} NOT LIKE '%X'")
        )
        assert told == held
        assert len(set(told)) == len(told)
    folder = sources.settings.demo_sources / "truth"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in folder.iterdir())
    secret = {row["party_id"] for row in truth} | {"namesake", "spouse", "registered_twice"}
    for contract in contracts:
        for column in contract.columns:
            if column.physical_type == "varchar":
                values = sources.rows(f"SELECT DISTINCT {column.name} FROM {contract.name}")
                assert not secret & {value for (value,) in values}, f"{contract.name}.{column.name}"


def test_population_is_as_described(sources: Sources) -> None:
    truth = _truth(sources)
    systems: dict[str, set[str]] = {}
    kinds = {}
    for row in truth:
        systems.setdefault(row["party_id"], set()).add(row["source_system"])
        kinds[row["party_id"]] = row["party_kind"]
    spread = Counter(len(where) for where in systems.values())
    assert set(spread) <= {1, 2, 3, 4}
    assert spread[1] + spread[2] > 0.8 * len(systems)
    assert spread[3] > 0
    assert 0.03 < sum(kind == "organisation" for kind in kinds.values()) / len(kinds) < 0.15
    labels = Counter(row["label"] for row in truth)
    expected = {"ordinary", "spouse", "namesake", "staff", "canary", "registered_twice"}
    assert set(labels) == expected


def _identities(sources: Sources) -> dict[tuple[str, str], str]:
    queries = {
        "billing": "SELECT account_no, identity_no FROM billing.accounts",
        "his": "SELECT patient_no, identity_no FROM his.patients "
        "UNION ALL SELECT group_client_no, credit_code FROM his.group_clients",
        "orders": "SELECT customer_no, identity_no FROM orders.customers",
        "service": "SELECT caller_no, identity_no FROM service.callers",
    }
    return {
        (system, number): identity.upper()
        for system, sql in queries.items()
        for number, identity in sources.rows(sql)
        if identity and not number.endswith("X")
    }


def test_identity_numbers_are_valid_and_tell_parties_apart(sources: Sources) -> None:
    party = {(r["source_system"], r["source_record_id"]): r["party_id"] for r in _truth(sources)}
    owners: dict[str, set[str]] = {}
    identities = _identities(sources)
    valid = 0
    for record, number in identities.items():
        if ric.is_valid(number) or uscc.is_valid(number):
            owners.setdefault(number, set()).add(party[record])
            valid += 1
    assert 0.93 < valid / len(identities) < 1.0
    assert all(len(of) == 1 for of in owners.values())
    missing = 1 - len(identities) / len(party)
    assert 0.3 < missing < 0.7


def test_namesakes_share_name_and_birth_but_nothing_else(sources: Sources) -> None:
    from demo.clock import Clock
    from demo.population import NAMESAKE, populate

    people = populate(5, 2000, Clock(START))
    twins = (people.label == NAMESAKE).nonzero()[0]
    by_name: dict[tuple[int, ...], list[int]] = {}
    for i in twins:
        key = (people.family[i], people.given[i], people.second[i], people.birth[i])
        by_name.setdefault(tuple(int(part) for part in key), []).append(int(i))
    assert all(len(group) % 2 == 0 for group in by_name.values())
    for first, second, *_ in by_name.values():
        assert people.phone_owner[first] != people.phone_owner[second]
        if people.identity[first]:
            assert people.identity[first] != people.identity[second]


def test_bills_are_consumption_times_tariff(sources: Sources) -> None:
    from demo.pools import read

    tariffs = read("business")["tariffs"]
    rows = sources.rows(
        "SELECT a.usage_category, r.peak_kwh, r.flat_kwh, r.valley_kwh, r.kwh, b.kwh, b.amount "
        "FROM billing.bills b JOIN billing.readings r USING (account_no, period) "
        "JOIN billing.accounts a USING (account_no) "
        "WHERE b.bill_no NOT LIKE '%X' AND r.period >= '2020'"
    )
    assert len(rows) > 500
    for category, peak, flat, valley, read_kwh, billed_kwh, amount in rows:
        price = tariffs[category]
        worth = peak * price["peak"] + flat * price["flat"] + valley * price["valley"]
        assert abs(worth - amount) < 0.00501
        assert read_kwh == billed_kwh == pytest.approx(peak + flat + valley, abs=0.001)


def test_due_dates_and_payments_follow_the_bills(sources: Sources) -> None:
    wrong = sources.value(
        "SELECT count(*) FROM billing.bills WHERE bill_no NOT LIKE '%X' "
        "AND julianday(due_date) - julianday(issued_date) <> 20"
    )
    assert wrong == 0
    overpaid = sources.value(
        "SELECT count(*) FROM (SELECT b.bill_no, b.amount, sum(p.amount) paid "
        "FROM billing.bills b JOIN billing.payments p USING (bill_no) "
        "WHERE p.payment_no NOT LIKE '%X' AND p.payment_no NOT LIKE '%4' "
        "AND p.reversed_at IS NULL GROUP BY 1, 2 HAVING paid > b.amount + 0.001)"
    )
    assert overpaid == 0
    early = sources.value(
        "SELECT count(*) FROM billing.bills b JOIN billing.payments p USING (bill_no) "
        "WHERE date(p.paid_at) < b.issued_date AND b.bill_no NOT LIKE '%X'"
    )
    assert early == 0
    in_transit_overnight = sources.value(
        "SELECT avg(date(settled_at) > date(paid_at)) FROM billing.payments"
    )
    assert 0.2 < in_transit_overnight < 0.8
    unsettled = sources.value("SELECT avg(settled_at IS NULL) FROM billing.payments")
    assert unsettled < 0.02
    assert sources.value("SELECT count(*) FROM billing.payments WHERE bill_no IS NULL") > 0
    reasons = {r for (r,) in sources.rows("SELECT reversal_reason FROM billing.payments")}
    assert {"bounced", None} <= reasons


def test_invoices_are_the_sum_of_their_lines(sources: Sources) -> None:
    rows = sources.rows(
        "SELECT i.amount, sum(CAST(round(round(l.quantity * l.unit_price * 100, 4) + 1e-6) "
        "AS INTEGER)) / 100.0 FROM orders.invoices i JOIN orders.order_lines l USING (order_no) "
        "WHERE i.invoice_no NOT LIKE '%X' AND l.line_no < 100 GROUP BY i.invoice_no, i.amount"
    )
    assert len(rows) > 50
    assert all(abs(amount - lines) < 0.001 for amount, lines in rows)
    cancelled = sources.value(
        "SELECT count(*) FROM orders.invoices JOIN orders.orders USING (order_no) "
        "WHERE order_status = 'cancelled'"
    )
    assert cancelled == 0


def test_charges_split_and_settlements_fit(sources: Sources) -> None:
    wrong = sources.value(
        "SELECT count(*) FROM his.charges WHERE charge_id > 0 "
        "AND abs(insurer_amount + self_pay_amount - amount) > 0.001"
    )
    assert wrong == 0
    overpaid = sources.value(
        "SELECT count(*) FROM (SELECT visit_no, sum(self_pay_amount) own FROM his.charges "
        "WHERE charge_id > 0 GROUP BY 1) JOIN (SELECT visit_no, sum(amount) paid "
        "FROM his.settlements WHERE reversed_at IS NULL AND settlement_no NOT LIKE '%X' "
        "AND settlement_no NOT LIKE '%4' GROUP BY 1) USING (visit_no) WHERE paid > own + 0.001"
    )
    # the payment of a visit whose charge is entered late can stand before the charge does
    assert overpaid <= sources.value("SELECT count(*) FROM his.visits") * 0.02


def test_behaviour_is_plausible(sources: Sources) -> None:
    summer, spring = (
        sources.value(
            "SELECT avg(kwh) FROM billing.readings JOIN billing.accounts USING (account_no) "
            f"WHERE usage_category = 'residential' AND period LIKE '20%-{month}' AND kwh > 0"
        )
        for month in ("08", "04")
    )
    assert summer > 1.3 * spring
    kinds = {k for (k,) in sources.rows("SELECT DISTINCT visit_kind FROM his.visits")}
    assert {"outpatient", "inpatient", "emergency", "check_up"} <= kinds
    firms = sources.rows("SELECT DISTINCT visit_kind FROM his.visits WHERE payer_kind <> 'patient'")
    assert [row for row in firms if row[0] != "home"] == [("check_up",)]
    statuses = {s for (s,) in sources.rows("SELECT DISTINCT order_status FROM orders.orders")}
    assert {"invoiced", "cancelled"} <= statuses
    items = sources.rows(
        "SELECT survey_code, caller_no, count(*) FROM service.survey_answers "
        "WHERE answer_no > 0 GROUP BY 1, 2"
    )
    assert all(count % 7 == 0 for _, _, count in items)
    named = sources.value("SELECT avg(named_system IS NOT NULL) FROM service.callers")
    assert 0.25 < named < 0.65


def test_some_leads_become_opportunities(sources: Sources) -> None:
    """Of the buyer that the lead became, or of nobody and then lost before a quote."""
    found = sources.rows(
        "SELECT o.customer_no, l.customer_no, o.outcome, o.opened_date >= date(l.created_at),"
        " q.quote_no FROM orders.opportunities o JOIN orders.leads l USING (lead_no)"
        " LEFT JOIN orders.quotes q USING (opportunity_no)"
    )
    named = sources.value("SELECT count(*) FROM orders.opportunities WHERE lead_no IS NOT NULL")
    assert len(found) == named
    in_vain = [row for row in found if row[0] is None]
    assert len(in_vain) > 10
    assert {(row[2], row[4]) for row in in_vain} <= {("lost", None), (None, None)}
    assert all(row[0] == row[1] for row in found)
    assert all(row[3] for row in found)
    assert sources.value("SELECT count(*) FROM orders.opportunities WHERE lead_no IS NULL") > 0


def test_a_buyer_was_a_lead_for_a_year() -> None:
    met = Met.nobody(3)
    met.note(np.asarray([0, -1, 2]), np.asarray([71, 72, 73]), np.asarray([100, 100, 130]))
    buyer, opened = np.asarray([0, 0, 1, 2]), np.asarray([465, 466, 100, 466])
    assert met.lead_of(buyer, opened, 365).tolist() == [71, -1, -1, 73]


def test_canaries_sing_in_all_systems(sources: Sources) -> None:
    canaries = _document(sources, "canaries.json")
    assert set(canaries) == {"name", "identity", "phone", "email", "address"}
    for system, ((table, _, name), *_) in PARTY_TABLES.items():
        names = {n for (n,) in sources.rows(f"SELECT {name} FROM {table}")}
        assert names & set(canaries["name"]), system
    assert all(len(values) >= 4 for values in canaries.values())
