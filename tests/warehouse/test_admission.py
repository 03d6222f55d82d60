"""Batches that must not be loaded are refused, and nothing of them stays."""

from __future__ import annotations

import traceback
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from extract import landing
from extract.contract import Column, Contract
from extract.landing import Batch
from kehu.errors import KehuError, LandingError, ValidationError, WarehouseError
from kehu.settings import Settings
from tests.warehouse.landed import ACCOUNTS, PAYMENTS, judge, land, payment, settings_at
from warehouse import connection, raw

ROWS = [payment(n) for n in range(3)]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_at(tmp_path / "home")


def refused(settings: Settings, batch: Batch, kind: type[KehuError], message: str) -> KehuError:
    with pytest.raises(kind, match=message) as caught:
        raw.load_batch(batch, PAYMENTS, settings, "run-1")
    assert batch.batch_id in caught.value.where
    assert raw.watermarks("billing", settings) == {}
    if settings.work_file.is_file():
        with connection.read(settings) as con:
            assert con.execute("select count(*) from raw.billing__payments").fetchone() == (0,)
            assert con.execute("select count(*) from ops.ledger").fetchone() == (0,)
            assert con.execute("select count(*) from ops.reconciliation").fetchone() == (0,)
    return caught.value


@pytest.mark.parametrize("name", ["data", "keys", "passed", "quarantine"])
def test_a_changed_file_is_refused(settings: Settings, name: str) -> None:
    batch = land(settings, PAYMENTS, ROWS)
    path = batch.path / f"{name}.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    error = refused(settings, batch, LandingError, "SHA-256 differs")
    assert path.name in error.where


def test_a_missing_file_is_refused(settings: Settings) -> None:
    batch = land(settings, PAYMENTS, ROWS)
    batch.keys.unlink()
    refused(settings, batch, LandingError, "missing")


def test_a_batch_without_verdict_is_refused(settings: Settings) -> None:
    refused(settings, land(settings, PAYMENTS, ROWS, judged=False), ValidationError, "no verdict")


def test_a_batch_the_gate_refused_is_refused(settings: Settings) -> None:
    told = {"passed": False, "message": "half of the rows break rules"}
    batch = land(settings, PAYMENTS, ROWS, verdict=told)
    refused(settings, batch, ValidationError, "half of the rows")


@pytest.mark.parametrize(
    ("manifest", "verdict", "message"),
    [
        ({"source_rows": 4}, {}, r"rows of the source and landed rows differ \(4 and 3\)"),
        ({"source_rows": 4, "landed_rows": 4}, {}, "landed rows in manifest and file"),
        ({}, {"landed_rows": 4}, "landed rows in manifest and verdict"),
        ({}, {"passed_rows": 2}, "passed rows in verdict and file"),
        ({}, {"quarantined_rows": 1}, "quarantined rows in verdict and file"),
        ({"control_sums": {"amount": "30.01"}}, {}, "control sums of amount"),
        ({"control_sums": {}}, {}, "control sums of amount"),
        ({"system": "his"}, {}, "manifest belongs to another batch"),
        ({}, {"batch_id": "other"}, "verdict belongs to another batch"),
    ],
)
def test_numbers_that_do_not_add_up_are_refused(
    settings: Settings, manifest: dict[str, object], verdict: dict[str, object], message: str
) -> None:
    batch = land(settings, PAYMENTS, ROWS, manifest=manifest, verdict=verdict)
    refused(settings, batch, KehuError, message)


def test_rows_lost_between_landing_and_gate_are_refused(settings: Settings) -> None:
    batch = land(settings, PAYMENTS, ROWS)
    judge(batch, PAYMENTS, ROWS[:2], [], landed_rows=3)
    refused(settings, batch, WarehouseError, "landed, and passed \\+ quarantined")


def test_a_wrong_count_of_keys_is_refused(settings: Settings) -> None:
    raw.load_batch(land(settings, PAYMENTS, ROWS), PAYMENTS, settings, "run-0")
    batch = land(settings, PAYMENTS, ROWS, manifest={"source_keys": 4})
    with pytest.raises(WarehouseError, match="keys of the source"):
        raw.load_batch(batch, PAYMENTS, settings, "run-1")


def test_a_row_without_key_is_refused(settings: Settings) -> None:
    batch = land(settings, PAYMENTS, [*ROWS, payment(9, payment_no=None)], keys=ROWS)
    refused(settings, batch, WarehouseError, "1 rows have no key")


def test_columns_of_another_contract_are_refused(settings: Settings) -> None:
    batch = land(settings, PAYMENTS, ROWS)
    table = pq.read_table(batch.passed)
    pq.write_table(table.set_column(3, "amount", pa.array([1.0, 2.0, 3.0])), batch.passed)
    verdict = landing.read_verdict(batch)
    files = verdict.files | {"passed.parquet": landing.sha256(batch.passed)}
    landing.write_json(batch.path / "verdict.json", vars(verdict) | {"files": files})
    error = refused(settings, batch, WarehouseError, "amount")
    assert str(PAYMENTS.path) in error.where


def test_every_refused_batch_is_named(settings: Settings) -> None:
    batches = [land(settings, PAYMENTS, ROWS, judged=False) for _ in range(2)]
    with pytest.raises(WarehouseError, match="2 batches were refused") as caught:
        raw.load_all(batches, settings, "run-1")
    assert all(str(batch.path) in caught.value.where for batch in batches)


def test_a_table_without_contract_is_refused(settings: Settings) -> None:
    batch = land(settings, replace(PAYMENTS, table="unknown"), ROWS)
    with pytest.raises(WarehouseError, match="no contract"):
        raw.load_all([batch], settings, "run-1")


def test_a_contract_of_another_table_is_refused(settings: Settings) -> None:
    batch = land(settings, PAYMENTS, ROWS)
    with pytest.raises(WarehouseError, match="no contract"):
        raw.load_batch(batch, ACCOUNTS, settings, "run-1")


def test_a_new_column_is_added_empty(settings: Settings) -> None:
    raw.load_batch(land(settings, PAYMENTS, ROWS), PAYMENTS, settings, "run-1")
    wider = _with_column("branch", "varchar")
    batch = land(settings, wider, [payment(0), payment(1, branch="north", minute=1)], keys=ROWS)
    result = raw.load_batch(batch, wider, settings, "run-2")
    # the row hash leaves empty cells out, so a row that was there stays the same row
    assert (result.loaded, result.duplicate, result.updated) == (1, 1, 1)
    with connection.read(settings) as con:
        assert con.execute(
            "select payment_no, branch from raw.billing__payments where _is_current order by 1"
        ).fetchall() == [("P000000", None), ("P000001", "north"), ("P000002", None)]


def test_a_changed_type_is_refused(settings: Settings) -> None:
    raw.create_all([PAYMENTS], settings)
    columns = tuple(
        replace(column, physical_type="decimal(18,4)") if column.name == "amount" else column
        for column in PAYMENTS.columns
    )
    with pytest.raises(WarehouseError, match=r"amount is decimal\(18,2\).*decimal\(18,4\)"):
        raw.create_all([replace(PAYMENTS, columns=columns)], settings)


def test_messages_hold_no_cell(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those that DuckDB would write: here a cell that the raw table refuses."""
    raw.create_all([PAYMENTS], settings)
    with connection.write(settings) as con:
        con.execute("alter table raw.billing__payments alter account_no set data type int")
    batch = land(settings, PAYMENTS, [payment(1, account_no="CANARY-77")])
    monkeypatch.setattr("warehouse.schemas.create", _nothing)
    with pytest.raises(WarehouseError, match="ConversionException") as caught:
        raw.load_batch(batch, PAYMENTS, settings, "run-1")
    assert "CANARY" not in "".join(traceback.format_exception(caught.value))


def _nothing(*_: object, **__: object) -> None:
    """Leave the changed type alone, to reach the insert."""


def _with_column(name: str, physical_type: str) -> Contract:
    column = Column(name, name, physical_type, "Added later.", False, False, "internal")
    return replace(PAYMENTS, columns=(*PAYMENTS.columns, column))
