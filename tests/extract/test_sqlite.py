"""SQLite: each cell has a type of its own, and none of them may change or stop the batch."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from decimal import Decimal

import pytest

from kehu.errors import SourceError
from tests.extract.conftest import Source, Workplace, column, key


@pytest.fixture
def bills(sqlite_source: Source, place: Workplace) -> Source:
    place.url = sqlite_source.url
    return sqlite_source


@pytest.mark.fault(33, "cells of every storage class in SQLite")
def test_cells_of_every_storage_class(bills: Source, place: Workplace) -> None:
    bills.run("CREATE TABLE bills (bill_no TEXT PRIMARY KEY, amount DECIMAL(18,2), kwh INTEGER)")
    bills.run(
        "INSERT INTO bills VALUES (?, ?, ?)",
        rows=[
            ["01 integer", 12, 5],
            ["02 real", 12.3, 5.0],
            ["03 text", "12.30", "5"],
            ["04 large", 12345678901234.56, 2**62],
            ["05 null", None, None],
            ["06 three decimals", 12.345, 1.5],
            ["07 word", "secret", "secret"],
            ["08 bytes", b"\xff\xfe", b"\xff"],
            ["09 infinite", float("inf"), float("-inf")],
            ["10 too large", 10**16, 2**63 - 1],
            ["11 tiny", 0.1 + 0.2, 0],
        ],
    )
    place.contract(
        "bills", [key("bill_no"), column("amount", "decimal(18,2)"), column("kwh", "bigint")]
    )

    landed = place.extract()["bills"]

    assert [row["amount"] for row in landed.rows] == [
        Decimal("12.00"), Decimal("12.30"), Decimal("12.30"), Decimal("12345678901234.56"),
        None, None, None, None, None, None, None,
    ]  # fmt: skip
    assert [row["kwh"] for row in landed.rows] == [
        5, 5, 5, 2**62, None, None, None, None, None, 2**63 - 1, 0,
    ]  # fmt: skip
    assert landed.errors("bill_no") == {
        "06 three decimals": {"amount": "12.345", "kwh": "1.5"},
        "07 word": {"amount": "secret", "kwh": "secret"},
        "08 bytes": {"amount": "\\xff\\xfe", "kwh": "\\xff"},
        "09 infinite": {"amount": "inf", "kwh": "-inf"},
        "10 too large": {"amount": str(10**16)},
        "11 tiny": {"amount": "0.30000000000000004"},
    }
    assert landed.manifest.control_sums == {"amount": "12345678901271.16"}
    assert landed.manifest.landed_rows == 11


def test_sums_beyond_64_bits_stay_exact(bills: Source, place: Workplace) -> None:
    bills.run("CREATE TABLE bills (bill_no INTEGER PRIMARY KEY, amount DECIMAL(18,4))")
    rows = [[number, 99_999_999_999] for number in range(10_000)]
    bills.run("INSERT INTO bills VALUES (?, ?)", rows=rows)
    place.contract("bills", [key("bill_no", "integer"), column("amount", "decimal(18,4)")])

    landed = place.extract()["bills"]

    assert landed.manifest.control_sums == {"amount": "999999999990000.0000"}


def test_null_values_count_for_control_sums(bills: Source, place: Workplace) -> None:
    bills.run("CREATE TABLE bills (bill_no INTEGER PRIMARY KEY, amount DECIMAL(18,2))")
    bills.run("INSERT INTO bills VALUES (?, ?)", rows=[[1, -999], [2, 5]])
    missing = [{"property": "nullValues", "value": ["-999"]}]
    amount = column("amount", "decimal(18,2)", customProperties=missing)
    place.contract("bills", [key("bill_no", "integer"), amount])

    landed = place.extract()["bills"]

    assert [row["amount"] for row in landed.rows] == [None, 5]
    assert landed.manifest.control_sums == {"amount": "5.00"}


def test_odd_cursors_are_never_forgotten(bills: Source, place: Workplace) -> None:
    bills.run("CREATE TABLE bills (bill_no TEXT PRIMARY KEY, updated_at TIMESTAMP)")
    rows = [["seconds", 1_700_000_000], ["empty", ""], ["word", "yesterday"], ["null", None],
            ["old", "2020-01-01 00:00:00"], ["T", "2026-01-30T12:00:00"]]  # fmt: skip
    bills.run("INSERT INTO bills VALUES (?, ?)", rows=rows)
    columns = [key("bill_no"), column("updated_at", "timestamp")]
    place.contract("bills", columns, cursor="updated_at")

    landed = place.extract({"bills": datetime.fromisoformat("2026-01-30")})["bills"]

    assert {row["bill_no"] for row in landed.rows} == {"seconds", "empty", "word", "null", "T"}
    assert landed.manifest.cursor_to == "2026-01-30T12:00:00"


def test_keys_that_do_not_fit_are_no_keys(bills: Source, place: Workplace) -> None:
    bills.run("CREATE TABLE bills (bill_no, amount TEXT)")
    bills.run("INSERT INTO bills VALUES (?, ?)", rows=[["x", "1"], [2, "2"], [None, "3"]])
    columns = [key("bill_no", "integer"), column("amount", "varchar")]
    place.contract("bills", columns, deletes="key_compare")

    landed = place.extract()["bills"]

    assert landed.manifest.landed_rows == 3
    assert landed.keys == [{"bill_no": 2}]
    assert landed.manifest.source_keys == 1


def test_the_source_is_opened_read_only(bills: Source, place: Workplace) -> None:
    bills.run("CREATE TABLE bills (bill_no TEXT PRIMARY KEY)")
    place.contract("bills", [key("bill_no")])
    path = bills.url.removeprefix("sqlite:///")
    before = sorted(place.root.glob("source.db*"))

    place.extract()

    assert sorted(place.root.glob("source.db*")) == before
    from extract.connectors import open_snapshot

    with (
        open_snapshot("billing", bills.url, []) as snapshot,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        snapshot._connection.execute("INSERT INTO bills VALUES ('x')")  # type: ignore[attr-defined]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM bills").fetchone() == (0,)


@pytest.mark.parametrize("content", [None, b"this is no database, but a text of some length"])
def test_a_file_that_is_no_database_is_named(place: Workplace, content: bytes | None) -> None:
    path = place.root / "broken.db"
    if content is not None:
        path.write_bytes(content)
    place.url = f"sqlite:///{path}"
    place.contract("bills", [key("bill_no")])

    with pytest.raises(SourceError) as refused:
        place.extract()
    assert str(path) in str(refused.value)
