"""PostgreSQL: values that other drivers change in silence, rights, and a server that goes away."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from decimal import Decimal

import psycopg2
import pytest

from extract.connectors import base, postgres
from kehu.errors import DriftError, SourceError
from tests.extract.conftest import Source, Workplace, column, key

pytestmark = pytest.mark.postgres


@pytest.fixture
def bills(postgres_source: Source, place: Workplace) -> Source:
    place.url = postgres_source.url
    return postgres_source


@pytest.mark.fault(33, "NaN, infinity, BC, 38 digits, year 12026 in PostgreSQL")
def test_extremes_are_exact_or_reported(bills: Source, place: Workplace) -> None:
    bills.run(
        "CREATE TABLE bills (bill_no text, amount numeric, issued date, paid_at timestamp)",
        """INSERT INTO bills VALUES
        ('01', 9999999999999999.99, '9999-12-31', '2026-01-31 23:59:59.999999'),
        ('02', 'NaN', 'infinity', '-infinity'),
        ('03', 0.1234567890123456789, '0044-03-15 BC', 'infinity'),
        ('04', 12345678901234567890123.5, '0001-01-01', '0001-01-01'),
        ('05', 'Infinity', NULL, NULL),
        ('06', 1.50, '12026-01-01', '12026-01-01')""",
    )
    columns = [
        key("bill_no"),
        column("amount", "decimal(18,2)"),
        column("issued", "date"),
        column("paid_at", "timestamp"),
    ]
    place.contract("bills", columns)

    landed = place.extract()["bills"]

    assert landed.rows[0]["amount"] == Decimal("9999999999999999.99")
    assert landed.rows[5]["amount"] == Decimal("1.50")
    assert landed.errors("bill_no") == {
        "02": {"amount": "NaN", "issued": "infinity", "paid_at": "-infinity"},
        "03": {"amount": "0.1234567890123456789", "issued": "0044-03-15 BC", "paid_at": "infinity"},
        "04": {"amount": "12345678901234567890123.5"},
        "05": {"amount": "Infinity"},
        "06": {"issued": "12026-01-01", "paid_at": "12026-01-01 00:00:00"},
    }
    assert landed.manifest.control_sums == {"amount": "10000000000000001.49"}


def test_types_with_a_text_of_their_own(bills: Source, place: Workplace) -> None:
    bills.run(
        "CREATE TYPE mood AS ENUM ('good', 'bad')",
        "CREATE DOMAIN number_of_bill AS varchar(8)",
        """CREATE TABLE bills (bill_no number_of_bill, mood mood, id uuid, code char(3),
           whole numeric(10,0), price numeric(12,3))""",
        """INSERT INTO bills VALUES
           ('B1', 'bad', '00000000-0000-0000-0000-000000000001', 'a', 7, 1.500)""",
    )
    columns = [
        key("bill_no"),
        *(column(name, "varchar") for name in ("mood", "id", "code")),
        column("whole", "bigint"),
        column("price", "decimal(18,2)"),
    ]
    place.contract("bills", columns)

    (row,) = place.extract()["bills"].rows

    assert (row["mood"], row["id"][-1], row["code"], row["whole"]) == ("bad", "1", "a  ", 7)
    assert row["price"] == Decimal("1.50")


@pytest.mark.parametrize(
    ("declared", "wanted"),
    [
        ("timestamptz", "timestamp"),
        ("numeric(18,1)", "decimal(18,2)"),
        ("double precision", "decimal(18,2)"),
        ("numeric(18,2)", "bigint"),
        ("timestamp", "date"),
        ("integer", "decimal(18,2)"),
    ],
)
def test_types_that_lose_something_stop(
    bills: Source, place: Workplace, declared: str, wanted: str
) -> None:
    bills.run(f"CREATE TABLE bills (bill_no text, cell {declared})")
    place.contract("bills", [key("bill_no"), column("cell", wanted)])

    with pytest.raises(DriftError, match=r"column cell of billing\.bills"):
        place.extract()


def test_views_are_read_and_row_order_is_by_bytes(bills: Source, place: Workplace) -> None:
    bills.run(
        "CREATE TABLE hidden (bill_no text)",
        "INSERT INTO hidden VALUES ('b'), ('B'), ('a'), ('刘'), ('Z')",
        "CREATE VIEW bills AS SELECT bill_no FROM hidden",
    )
    place.contract("bills", [key("bill_no")])

    rows = place.extract()["bills"].rows

    assert [row["bill_no"] for row in rows] == ["B", "Z", "a", "b", "刘"]


def test_the_schema_of_the_url_or_of_the_system_is_read(bills: Source, place: Workplace) -> None:
    for schema in ("public", "billing", "other"):
        bills.run(
            f"CREATE SCHEMA IF NOT EXISTS {schema}",
            f"CREATE TABLE {schema}.bills AS SELECT '{schema}' AS bill_no",
        )
    place.contract("bills", [key("bill_no")])

    by_system = place.extract()["bills"].rows
    place.url = f"{bills.url}?schema=other&application_name=kehu"
    by_url = place.extract()["bills"].rows

    assert (by_system[0]["bill_no"], by_url[0]["bill_no"]) == ("billing", "other")


def test_a_failing_statement_shows_no_cell(bills: Source, place: Workplace) -> None:
    bills.run(
        "CREATE TABLE hidden (bill_no text, amount text)",
        "INSERT INTO hidden VALUES ('B1', 'canary')",
        "CREATE VIEW bills AS SELECT bill_no, amount::numeric(18,2) AS amount FROM hidden",
    )
    place.contract("bills", [key("bill_no"), column("amount", "decimal(18,2)")])

    with pytest.raises(SourceError, match="22P02") as stopped:
        place.extract()

    assert "canary" not in str(stopped.value)
    assert stopped.value.__suppress_context__
    assert "table bills" in str(stopped.value)


def test_a_table_that_may_not_be_read_is_named(bills: Source, place: Workplace) -> None:
    role = f"{bills.url.rpartition('/')[2]}_reader"
    bills.run("CREATE TABLE bills (bill_no text)", f"CREATE ROLE {role} LOGIN PASSWORD 's3cret'")
    try:
        place.url = bills.url.replace("//postgres@", f"//{role}:s3cret@")
        place.contract("bills", [key("bill_no")])
        with pytest.raises(SourceError, match="42501") as refused:
            place.extract()
        assert "table bills" in str(refused.value)
        assert "s3cret" not in str(refused.value)
    finally:
        bills.run(f"DROP ROLE {role}")


def test_a_session_that_is_ended_midway_leaves_no_batch(
    bills: Source, place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    bills.run(
        "CREATE TABLE bills AS SELECT i::text AS bill_no, repeat('x', 500) AS note"
        " FROM generate_series(1, 60000) AS i"
    )
    place.contract("bills", [key("bill_no"), column("note", "varchar")])
    monkeypatch.setattr(postgres, "_CHUNK", 1 << 14)
    parse, ended = base.parse_lines, []

    def parse_and_end(lines, columns):  # type: ignore[no-untyped-def]
        if not ended:
            bills.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'kehu extract'"
            )
            ended.append(True)
        return parse(lines, columns)

    monkeypatch.setattr(base, "parse_lines", parse_and_end)

    with pytest.raises(SourceError, match=r"Reading billing\.bills failed"):
        place.extract()

    assert [path for path in place.root.glob("home/**/*") if path.is_file()] == []
    ended.append(True)
    assert place.extract()["bills"].manifest.landed_rows == 60_000


def test_a_source_that_falls_silent_is_given_up(
    bills: Source, place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock on the table holds the statement back: the run must end with a clear message."""
    bills.run("CREATE TABLE bills (bill_no text)")
    place.contract("bills", [key("bill_no")])
    monkeypatch.setattr(base, "STATEMENT_SECONDS", 1)
    locked, stop = threading.Event(), threading.Event()

    def lock() -> None:
        with closing(bills.connect()) as connection:
            connection.cursor().execute("LOCK TABLE bills IN ACCESS EXCLUSIVE MODE")
            locked.set()
            stop.wait(30)

    holder = threading.Thread(target=lock)
    holder.start()
    try:
        locked.wait(10)
        started = time.monotonic()
        with pytest.raises(SourceError, match="57014"):
            place.extract()
        assert time.monotonic() - started < 10
    finally:
        stop.set()
        holder.join()


def test_the_session_cannot_write(bills: Source, place: Workplace) -> None:
    bills.run("CREATE TABLE bills (bill_no text)")
    from extract.connectors import open_snapshot

    with open_snapshot("billing", bills.url, []) as snapshot:
        connection = snapshot._connection  # type: ignore[attr-defined]
        with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
            connection.cursor().execute("INSERT INTO bills VALUES ('x')")


def test_a_nan_among_numbers_of_the_contract_s_own_type_is_reported(
    bills: Source, place: Workplace
) -> None:
    """Such columns are summed without a filter, and one NaN would be the sum."""
    bills.run(
        "CREATE TABLE bills (bill_no text, amount numeric(18,2), cost numeric(18,2))",
        "INSERT INTO bills VALUES ('01', 1.50, 2), ('02', 'NaN', 3.25), ('03', -0.25, NULL)",
    )
    columns = [key("bill_no"), column("amount", "decimal(18,2)"), column("cost", "decimal(18,2)")]
    place.contract("bills", columns)

    landed = place.extract()["bills"]

    assert landed.errors("bill_no") == {"02": {"amount": "NaN"}}
    assert landed.manifest.control_sums == {"amount": "1.25", "cost": "5.25"}
