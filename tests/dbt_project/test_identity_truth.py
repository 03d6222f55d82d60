"""Exact identity on the embedded sources, compared with who is who in truth."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pytest

from demo.lifecycle import create
from expectations.gate import validate_all
from extract.contract import read_all
from extract.run import extract_system
from kehu.settings import SYSTEMS, Settings, load
from tests.dbt_project.building import dbt
from warehouse import raw

DAY = date(2026, 1, 31)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The warehouse of 300 customers up to the customer marts."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("KEHU_HOME", str(tmp_path_factory.mktemp("truth")))
        settings = load()
        create(settings, customers=300, seed=7, day=DAY)
        raw.create_all(read_all(settings.contract_dirs), settings)
        for system in SYSTEMS:
            batches = extract_system(
                system, day=DAY, run_id="truth", watermarks={}, settings=settings, full=True
            )
            validate_all(batches, settings)
            raw.load_all(batches, settings, "truth")
        outcome = dbt(
            *("build", "--exclude-resource-type", "unit_test", "--indirect-selection"),
            *("buildable", "--select", "+path:models/core", "+path:models/customer"),
            settings=settings,
        )
        assert outcome.success, [
            f"{result.node.name}: {result.message}"
            for result in outcome.result.results
            if str(result.status) in ("error", "fail")
        ]
        yield settings


@pytest.fixture(scope="module")
def warehouse(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The built warehouse, with a view `records`: record, customer it is, party it is in truth."""
    truth = settings.demo_sources / "truth" / "truth.parquet"
    with duckdb.connect(str(settings.work_file), read_only=True) as connection:
        connection.execute(
            f"""
            create temp view records as
            select linked.record_key, linked.customer_id, linked.party_kind, truth.party_id
            from identity.int_customer_records as linked
            inner join '{truth}' as truth using (source_system, source_record_id)
            """
        )
        yield connection


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = connection.sql(query).fetchone()
    assert row is not None
    return row[0] if len(row) == 1 else row


def test_linked_pairs_are_right(warehouse: duckdb.DuckDBPyConnection, record_property: Any) -> None:
    """Pairwise: exact rules are to be sure; what they miss is left to later, weaker rules."""
    right, wrong, missed = _one(
        warehouse,
        """
        select
            count(*) filter (where a.party_id = b.party_id and a.customer_id = b.customer_id),
            count(*) filter (where a.party_id <> b.party_id),
            count(*) filter (where a.customer_id <> b.customer_id)
        from records as a
        inner join records as b
            on a.record_key < b.record_key
            and (a.party_id = b.party_id or a.customer_id = b.customer_id)
        """,
    )
    precision, recall = right / (right + wrong), right / (right + missed)
    record_property("precision", precision)
    record_property("recall", recall)
    assert right > 100
    assert precision >= 0.99
    assert recall >= 0.70


def test_every_record_of_the_sources_is_one_customer(
    settings: Settings, warehouse: duckdb.DuckDBPyConnection
) -> None:
    truth = settings.demo_sources / "truth" / "truth.parquet"
    lost = _one(
        warehouse,
        f"""
        select count(*) from '{truth}' as truth
        left join customer.bridge_customer_records as bridge
            using (source_system, source_record_id)
        where bridge.customer_id is null
        and (source_system, source_record_id) in (
            select source_system, source_record_id from identity.int_source_records
        )
        """,
    )
    assert lost == 0
    assert _one(warehouse, "select count(*) from records") > 400


def test_persons_and_organisations_are_apart(warehouse: duckdb.DuckDBPyConnection) -> None:
    mixed = "select customer_id from records group by 1 having count(distinct party_kind) > 1"
    assert _one(warehouse, f"select count(*) from ({mixed})") == 0


def test_customer_id_is_the_md5_of_the_oldest_record(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    wrong = """
        select customer_id, arg_min(record_key, int_source_records.age_key) as oldest
        from identity.int_customer_records
        inner join identity.int_source_records using (record_key)
        group by customer_id
        having customer_id <> md5(oldest)
    """
    assert _one(warehouse, f"select count(*) from ({wrong})") == 0


def test_names_and_numbers_of_persons_are_masked(warehouse: duckdb.DuckDBPyConnection) -> None:
    """No whole name, telephone number or e-mail address of a person is in the published table."""
    persons = """
        from customer.dim_customers as published
        inner join core.int_customers as known using (customer_id)
        where published.customer_type = 'person'
    """
    assert _one(warehouse, f"select count(*) {persons} and display_name is not null") > 100
    assert _one(warehouse, f"select count(*) {persons} and display_name = full_name") == 0
    assert _one(warehouse, f"select count(*) {persons} and phone_masked = phone") == 0
    assert _one(warehouse, f"select count(*) {persons} and email_masked = email") == 0
