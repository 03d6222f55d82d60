"""MariaDB and MySQL: their own odd values, and tables without snapshots."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pymysql
import pytest

from kehu.errors import DriftError, SourceError
from tests.extract.conftest import Source, Workplace, column, key

pytestmark = pytest.mark.mariadb


@pytest.fixture
def bills(mariadb_source: Source, place: Workplace) -> Source:
    place.url = mariadb_source.url
    return mariadb_source


@pytest.mark.fault(33, "zero dates, unsigned, long times in MariaDB")
def test_odd_values_are_exact_or_reported(bills: Source, place: Workplace) -> None:
    bills.run(
        """CREATE TABLE bills (bill_no varchar(20) COLLATE utf8mb4_bin, amount decimal(20,3),
           issued date, paid_at datetime, kwh bigint unsigned, is_final tinyint(1),
           channel enum('app', 'counter'), note text CHARACTER SET latin1, updated_at datetime)""",
        """SET sql_mode = ''""",
    )
    connection = bills.connect()
    cursor = connection.cursor()
    cursor.execute("SET sql_mode = ''")
    cursor.execute(
        """INSERT INTO bills VALUES
        ('01', 1.500, '2026-01-31', '2026-01-31 10:00:00', 5, 1, 'app', 'café', '2026-01-30'),
        ('02', 1.505, '0000-00-00', '0000-00-00 00:00:00', 18446744073709551615, 2, 'counter',
         '', '0000-00-00 00:00:00'),
        ('03', NULL, NULL, NULL, NULL, 0, NULL, NULL, '2020-01-01')"""
    )
    connection.commit()
    connection.close()
    columns = [
        key("bill_no"),
        column("amount", "decimal(18,2)"),
        column("issued", "date"),
        column("paid_at", "timestamp"),
        column("kwh", "bigint"),
        column("is_final", "boolean"),
        column("channel", "varchar"),
        column("note", "varchar"),
        column("updated_at", "timestamp"),
    ]
    place.contract("bills", columns, cursor="updated_at")

    landed = place.extract()["bills"]
    changed = place.extract({"bills": datetime.fromisoformat("2026-01-29")})["bills"]

    first, second, third = landed.rows
    assert (first["amount"], first["is_final"], first["channel"], first["note"]) == (
        Decimal("1.50"), True, "app", "café",
    )  # fmt: skip
    assert (second["note"], third["note"]) == ("", None)
    assert landed.errors("bill_no") == {
        "02": {
            "amount": "1.505",
            "issued": "0000-00-00",
            "paid_at": "0000-00-00 00:00:00",
            "kwh": "18446744073709551615",
            "is_final": "2",
            "updated_at": "0000-00-00 00:00:00",
        }
    }
    assert landed.manifest.control_sums == {"amount": "1.50"}
    assert [row["bill_no"] for row in changed.rows] == ["01", "02"]


@pytest.mark.parametrize(
    ("declared", "wanted"),
    [
        ("timestamp", "timestamp"),
        ("decimal(18,1)", "decimal(18,2)"),
        ("double", "decimal(18,2)"),
        ("int", "decimal(18,2)"),
    ],
)
def test_types_that_lose_something_stop(
    bills: Source, place: Workplace, declared: str, wanted: str
) -> None:
    bills.run(f"CREATE TABLE bills (bill_no varchar(5), cell {declared})")
    place.contract("bills", [key("bill_no"), column("cell", wanted)])

    with pytest.raises(DriftError, match=r"column cell of billing\.bills"):
        place.extract()


def test_tables_without_snapshots_stop(bills: Source, place: Workplace) -> None:
    bills.run("CREATE TABLE bills (bill_no varchar(5)) ENGINE = MyISAM")
    place.contract("bills", [key("bill_no")])

    with pytest.raises(SourceError, match="engine is not InnoDB"):
        place.extract()


def test_the_session_cannot_write(bills: Source, place: Workplace) -> None:
    bills.run("CREATE TABLE bills (bill_no varchar(5))")
    from extract.connectors import open_snapshot

    with open_snapshot("billing", bills.url, []) as snapshot:
        connection = snapshot._connection  # type: ignore[attr-defined]
        with pytest.raises(pymysql.Error, match="READ ONLY"):
            connection.cursor().execute("INSERT INTO bills VALUES ('x')")
