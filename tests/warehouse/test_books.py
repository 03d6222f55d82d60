"""The books: every row and all money accounted for, and nothing published when they lie."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from kehu.errors import WarehouseError
from kehu.settings import Settings
from tests.warehouse.landed import ACCOUNTS, PAYMENTS, land, payment, settings_at
from warehouse import books, connection, raw, runs
from warehouse.publish import publish


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_at(tmp_path / "home")


def check(settings: Settings) -> None:
    with connection.read(settings) as con:
        books.check(con)


def test_money_is_counted_where_its_rows_are(settings: Settings) -> None:
    rows = [payment(n, f"{n}.10") for n in range(1, 5)]
    first = land(settings, PAYMENTS, [*rows, rows[0]], quarantined=[payment(9, "100.00")])
    result = raw.load_batch(first, PAYMENTS, settings, "r")
    assert result.control_sums["amount"] == {
        "source": "111.50",
        "landed": "111.50",
        "loaded": "10.40",
        "quarantined": "100.00",
        "duplicate": "1.10",
    }
    changed = [rows[0], payment(2, "7.00", minute=3)]
    again = land(settings, PAYMENTS, changed, keys=rows)
    sums = raw.load_batch(again, PAYMENTS, settings, "r").control_sums["amount"]
    assert {name: Decimal(total) for name, total in sums.items()} == {
        "source": Decimal("8.10"),
        "landed": Decimal("8.10"),
        "loaded": Decimal("7.00"),
        "quarantined": 0,
        "duplicate": Decimal("1.10"),
    }
    check(settings)


@pytest.mark.parametrize(
    ("tampering", "told"),
    [
        ("update ops.reconciliation set loaded = loaded - 1", "loaded 1"),
        ("update ops.reconciliation set source = source + 1", "source 4"),
        (
            "update ops.reconciliation set control_sums = replace(control_sums, '20.00', '19.99')",
            "batch billing/payments",
        ),
        ("update raw.billing__payments set amount = amount + 0.01", "raw.billing__payments"),
        (
            "delete from raw.billing__payments where payment_no = 'P000001'",
            "raw.billing__payments",
        ),
        (
            "update raw.billing__payments set _batch_id = '0' where payment_no = 'P000001'",
            "batch 0",
        ),
    ],
)
def test_tampered_books_or_rows_block_the_publication(
    settings: Settings, tampering: str, told: str
) -> None:
    batch = land(settings, PAYMENTS, [payment(1), payment(2)], quarantined=[payment(3)])
    raw.load_batch(batch, PAYMENTS, settings, "r")
    with runs.run(settings, "run-1", "build"), connection.write(settings) as con:
        con.execute("create schema value; create table value.rfm as select 1 as one")
    published = publish(settings, "run-1")
    with connection.write(settings) as con:
        con.execute(tampering)
    with pytest.raises(WarehouseError, match="do not add up") as caught:
        publish(settings, "run-1")
    assert told in caught.value.what
    assert settings.published_file.resolve() == published


def test_entries_from_before_each_part_had_its_sum_are_read(settings: Settings) -> None:
    raw.load_batch(land(settings, PAYMENTS, [payment(1)]), PAYMENTS, settings, "r")
    with connection.write(settings) as con:
        con.execute('update ops.reconciliation set control_sums = \'{"amount": "10.00"}\'')
    newer = land(settings, PAYMENTS, [payment(2, minute=1)], keys=[payment(1), payment(2)])
    raw.load_batch(newer, PAYMENTS, settings, "r")
    check(settings)
    with connection.write(settings) as con:
        con.execute("update raw.billing__payments set amount = 9 where payment_no = 'P000002'")
    with pytest.raises(WarehouseError, match="billing__payments"):
        check(settings)


def test_tables_without_money_are_counted(settings: Settings) -> None:
    row = {
        "account_no": "A1",
        "account_name": "n",
        "opened_date": payment(1)["paid_at"].date(),
        "updated_at": payment(1)["updated_at"],
    }
    raw.load_batch(land(settings, ACCOUNTS, [row]), ACCOUNTS, settings, "r")
    check(settings)
    with connection.write(settings) as con:
        con.execute("delete from raw.billing__accounts")
    with pytest.raises(WarehouseError, match="billing__accounts"):
        check(settings)
