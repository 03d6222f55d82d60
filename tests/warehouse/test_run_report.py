"""The run report: its form, its equation, and what it says of a run that failed half-way."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import pytest

from extract import landing
from kehu.errors import WarehouseError
from kehu.settings import Settings
from report import run_page
from tests.warehouse.landed import PAYMENTS, land, payment, settings_at
from warehouse import connection, raw, run_report, runs
from warehouse.run_report import Told, of_ingest, of_publication

BUILD = "build_customer_marts"
CANARY = "canary-4471"
RULES = {"reasons": {"channel:in_set": 1}, "checks": 9}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_at(tmp_path / "home")


def valid(path: Path) -> dict[str, Any]:
    """The report, when it has the form that the schema says."""
    content: dict[str, Any] = json.loads(path.read_text())
    schema = json.loads(run_report.SCHEMA.read_text())
    jsonschema.Draft202012Validator(schema).validate(content)
    assert path.stat().st_mode & 0o777 == 0o600
    return content


def test_a_publication_tells_of_every_tables_last_batch(settings: Settings) -> None:
    bad = payment(3, channel=CANARY)
    rows = [payment(1), payment(2, "2.50")]
    batch = land(settings, PAYMENTS, rows, quarantined=[bad], verdict=RULES)
    raw.load_batch(batch, PAYMENTS, settings, "ingest")
    run_id = "manual__2026-01-31T00:00:00+08:00"
    with runs.run(settings, run_id, BUILD, date(2026, 1, 31)) as stages:
        stages["core"] = 2.0
    path = of_publication(settings, run_id, Path("kehu-20260131T000000Z-abcd.duckdb"))
    assert path.name == "run-manual__2026-01-31T00_00_00_08_00.json"
    content = valid(path)
    assert content["run"]["run_id"] == run_id
    assert content["run"]["version"] == "kehu-20260131T000000Z-abcd.duckdb"
    assert content["adds_up"]
    (table,) = content["tables"]
    assert (table["source"], table["loaded"], table["quarantined"]) == (3, 2, 1)
    assert table["control_sums"] == {
        "amount": {
            "source": "22.50",
            "landed": "22.50",
            "loaded": "12.50",
            "quarantined": "10.00",
            "duplicate": "0.00",
        }
    }
    assert table["checks"] == {"passed": 8, "failed": 1, "warned": 0}
    assert table["manifest_sha256"] == landing.sha256(batch.path / "manifest.json")
    assert table["bytes"] == batch.data.stat().st_size
    assert content["totals"]["landed"] == 3
    assert {"run_id": run_id, "stage": "core", "seconds": 2.0} in content["seconds"]
    page = run_page.build(path).read_text()
    assert "all 3 rows are accounted for, 1 of them wait in quarantine" in page
    assert "channel:in_set" in page
    assert "22.50" in page
    assert CANARY not in page + path.read_text()
    assert "http" not in page, "the page is complete in itself"


def test_odd_debts_and_payments_of_the_published_file_are_counted(settings: Settings) -> None:
    with runs.run(settings, "run-1", BUILD, date(2026, 1, 31)):
        pass
    version = settings.home / "kehu-20260131T000000Z-abcd.duckdb"
    with duckdb.connect(version) as con:
        con.execute("create schema credit")
        con.execute(
            "create table credit.receivable_exceptions as select 'receipt' as record_kind,"
            " 'paid_again' as reason_code, 'billing' as source_system, 'CNY' as currency_code,"
            " cast(amount as decimal(18, 2)) as amount, cast(0.1 as decimal(18, 2))"
            " as unapplied_amount from range(1, 4) as made(amount)"
        )
    path = of_publication(settings, "run-1", version)
    assert valid(path)["exceptions"] == [
        {
            "record_kind": "receipt",
            "reason": "paid_again",
            "source_system": "billing",
            "currency_code": "CNY",
            "records": 3,
            "amount": "6.00",
            "unapplied_amount": "0.30",
        }
    ]
    assert "paid_again" in run_page.build(path).read_text()


def test_a_failed_run_tells_how_far_its_batches_came(settings: Settings) -> None:
    run_id = "a" * 32
    tail = landing.new_batch_id(run_id).rpartition("-")[2]
    refused = land(
        settings,
        PAYMENTS,
        [payment(1)],
        batch_id=f"20260131T000000000000Z-{tail}",
        manifest={"run_id": run_id},
        verdict={"passed": False, "message": "5 of 5 rows were held back."},
    )
    land(settings, PAYMENTS, [payment(2)], batch_id=f"20260130T000000000000Z-{tail}")
    failure = {
        "task_id": "validate",
        "what": "Batches were refused.",
        "where": "billing.payments",
        "do": "look <there>",
    }
    told = Told(
        dag_id="ingest_billing",
        status="failed",
        started_at=datetime(2026, 1, 31, tzinfo=UTC),
        finished_at=datetime(2026, 1, 31, 1, tzinfo=UTC),
        day=date(2026, 1, 31),
        interval=["2026-01-30T16:00:00+00:00", "2026-01-31T16:00:00+00:00"],
        failure=failure,
        retries=[{"at": "2026-01-31T00:10:00+00:00", "task_id": "extract", "error": "SourceError"}],
    )
    path = of_ingest(settings, run_id, told)
    content = valid(path)
    (table,) = content["tables"]
    assert (table["batch"], table["status"]) == (str(refused.address), "refused")
    assert (table["source"], table["loaded"], table["adds_up"]) == (1, None, None)
    assert content["failure"] == failure
    page = run_page.build(path).read_text()
    assert "ingest_billing failed at validate: Batches were refused." in page
    assert "look &lt;there&gt;" in page
    assert "5 of 5 rows were held back." in page
    assert "after SourceError" in page


def test_an_ingest_that_loaded_shows_its_own_batches(settings: Settings) -> None:
    raw.load_batch(land(settings, PAYMENTS, [payment(1)]), PAYMENTS, settings, "earlier")
    batch = land(settings, PAYMENTS, [payment(2)], keys=[payment(1), payment(2)])
    raw.load_batch(batch, PAYMENTS, settings, "mine")
    content = valid(of_ingest(settings, "mine", Told("ingest_billing", "success")))
    assert [row["batch"] for row in content["tables"]] == [str(batch.address)]
    assert content["tables"][0]["adds_up"] is True


def test_a_locked_or_missing_warehouse_hides_no_failure(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.work_file.parent.mkdir(parents=True)
    settings.work_file.write_bytes(b"damaged" * 5000)
    told = Told(
        "ingest_billing", "failed", failure=dict.fromkeys(("task_id", "what", "where", "do"), "x")
    )
    assert valid(of_ingest(settings, "mine", told))["tables"] == []


def test_books_that_do_not_add_up_make_no_report(settings: Settings) -> None:
    raw.load_batch(land(settings, PAYMENTS, [payment(1)]), PAYMENTS, settings, "ingest")
    with runs.run(settings, "run-1", BUILD):
        pass
    with connection.write(settings) as con:
        con.execute("update ops.reconciliation set loaded = 0")
    with pytest.raises(WarehouseError, match="source 1, landed 1, loaded 0"):
        of_publication(settings, "run-1")


def test_an_unknown_run_makes_no_report(settings: Settings) -> None:
    raw.create_all([PAYMENTS], settings)
    with pytest.raises(WarehouseError, match="not known"):
        of_publication(settings, "run-9")
