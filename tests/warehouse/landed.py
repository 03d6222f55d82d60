"""Batches as extraction and gate leave them, made by hand from rows.

In: a contract and rows as dictionaries. Out: a sealed, judged batch in landing. Real contracts,
real landing, real Parquet; only the judging is told, not computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from extract import contract as contracts_of
from extract import landing
from extract.contract import Contract
from extract.landing import Batch, Manifest, Verdict
from kehu import settings as environment
from kehu.settings import CLONE, Settings

_FOLDER = CLONE / "extract" / "contracts"
PAYMENTS = contracts_of.read(_FOLDER / "billing" / "payments.yaml")
ACCOUNTS = contracts_of.read(_FOLDER / "billing" / "accounts.yaml")
FIRST_DAY = date(2026, 1, 31)

START = datetime.fromisoformat("2026-01-31T00:00")
"""Local time of the source, so without a zone, as in the tables."""

_moments = count()


def settings_at(home: Path) -> Settings:
    return environment.load({"KEHU_HOME": str(home), "KEHU_CONTRACTS": "extract/contracts"})


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def payment(number: int, amount: str = "10.00", minute: int = 0, **other: Any) -> dict[str, Any]:
    """A payment; `minute` is the moment of its last change."""
    return {
        "payment_no": f"P{number:06d}",
        "account_no": f"A{number % 97:04d}",
        "bill_no": None,
        "amount": Decimal(amount),
        "currency_code": "CNY",
        "channel": "app",
        "paid_at": START,
        "updated_at": at(minute),
        **other,
    }


def land(
    settings: Settings,
    contract: Contract,
    passed: Iterable[Mapping[str, Any]],
    *,
    quarantined: Iterable[Mapping[str, Any]] = (),
    keys: Iterable[Mapping[str, Any]] | None = None,
    day: date = FIRST_DAY,
    batch_id: str | None = None,
    judged: bool = True,
    manifest: Mapping[str, Any] | None = None,
    verdict: Mapping[str, Any] | None = None,
) -> Batch:
    """Land a batch. `keys` are all keys of the source, of these rows unless given.

    `manifest` and `verdict` overrule what is told about the batch, to tell lies.
    """
    good, bad = list(passed), list(quarantined)
    moment = datetime(2026, 1, 31, tzinfo=UTC) + timedelta(seconds=next(_moments))
    batch = Batch(
        settings.landing,
        contract.system,
        contract.table,
        day,
        batch_id or landing.new_batch_id("test", moment),
    )
    rows = [{name: row.get(name) for name in contract.arrow_schema.names} for row in good + bad]
    with landing.writing(batch) as folder:
        data = pa.Table.from_pylist(rows, contract.arrow_schema)
        data = data.append_column(landing.CAST_ERRORS, pa.nulls(len(rows), pa.string()))
        pq.write_table(data, folder / "data.parquet")
        if contract.deletes == "key_compare":
            there = rows if keys is None else keys
            listed = [{name: row[name] for name in contract.key} for row in there]
            schema = pa.schema([contract.arrow_schema.field(name) for name in contract.key])
            pq.write_table(pa.Table.from_pylist(listed, schema), folder / "keys.parquet")
        told = Manifest(
            system=contract.system,
            table=contract.table,
            day=day.isoformat(),
            batch_id=batch.batch_id,
            contract_version=contract.version,
            extracted_at=moment.isoformat(),
            snapshot=contract.is_snapshot,
            cursor_from=None,
            cursor_to=None,
            source_rows=len(rows),
            landed_rows=len(rows),
            source_keys=len(listed) if contract.deletes == "key_compare" else None,
            control_sums={
                name: str(sum((row[name] or Decimal(0) for row in rows), Decimal(0)))
                for name in contract.money
            },
            new_columns=[],
            seconds=0.1,
        )
        landing.seal(folder, Manifest(**{**asdict(told), **(manifest or {})}))
    if judged:
        judge(batch, contract, good, bad, **(verdict or {}))
    return batch


def judge(
    batch: Batch,
    contract: Contract,
    good: list[Mapping[str, Any]],
    bad: list[Mapping[str, Any]],
    **told: Any,
) -> None:
    """Write what the gate writes."""
    derived = {name: column.name for column in contract.columns for name in column.derived}
    rows = [
        {name: row.get(name) for name in contract.arrow_schema.names}
        | {name: row.get(of) and f"{name}:{row[of]}" for name, of in derived.items()}
        for row in good
    ]
    pq.write_table(pa.Table.from_pylist(rows, contract.passed_schema), batch.passed)
    reasons = pa.schema(
        [
            *contract.arrow_schema,
            pa.field("_reasons", pa.string()),
            pa.field("_row_number", pa.int64()),
        ]
    )
    kept = [{**row, "_reasons": "test:rule", "_row_number": n} for n, row in enumerate(bad)]
    pq.write_table(pa.Table.from_pylist(kept, reasons), batch.quarantine)
    verdict = Verdict(
        system=contract.system,
        table=contract.table,
        batch_id=batch.batch_id,
        passed=True,
        landed_rows=len(good) + len(bad),
        passed_rows=len(good),
        quarantined_rows=len(bad),
        reasons={"test:rule": len(bad)} if bad else {},
        message="",
        hash_key_id="k1",
        seconds=0.1,
        files={path.name: landing.sha256(path) for path in (batch.passed, batch.quarantine)},
    )
    landing.write_json(batch.path / "verdict.json", {**asdict(verdict), **told})
