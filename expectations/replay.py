"""Replay: gives quarantined rows a second chance after a contract or a suite was corrected.

In: a table, or one of its batches. Out: new batches of the same day whose data.parquet holds just
the rows that were quarantined, validated; `python -m warehouse load` loads what passes now.
Touches landing: writes new batches, changes none.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from expectations import gate, quarantine
from extract import landing
from extract.contract import Contract
from extract.landing import CAST_ERRORS, Batch, Manifest, Verdict
from kehu.errors import ValidationError
from kehu.settings import Settings


def replay(
    system: str, table: str, settings: Settings, batch_id: str | None = None
) -> list[tuple[Batch, Verdict]]:
    """Validate the quarantined rows of a table again, each batch's as a new batch.

    Without `batch_id`: of every batch whose quarantined rows were not replayed yet. Raises
    `ValidationError` when nothing can be replayed, and says what to do instead.
    """
    replayed = []
    for origin in _origins(system, table, settings, batch_id):
        contract = gate.contract_of(origin, settings)
        again = _land_again(origin, contract)
        replayed.append((again, gate.validate(again, contract, settings)))
    return replayed


def _origins(system: str, table: str, settings: Settings, batch_id: str | None) -> Sequence[Batch]:
    known = landing.batches(settings.landing, system, table)
    replayed = {landing.read_manifest(batch).replay_of for batch in known}
    chosen = [batch for batch in known if batch_id in (None, batch.batch_id)]
    where = f"{system}.{table}" + (f", batch {batch_id}" if batch_id else "")
    if not chosen:
        raise ValidationError(
            "There is no such batch in landing.", where=where, do="name a landed table and batch"
        )
    if batch_id is None:
        chosen = [
            batch
            for batch in chosen
            if str(batch.address) not in replayed
            and (v := landing.find_verdict(batch))
            and v.passed
        ]
        # A table without cursor is read whole: only its newest batch has the present rows.
        if chosen and gate.contract_of(chosen[0], settings).is_snapshot:
            chosen = chosen[-1:]
        chosen = [batch for batch in chosen if landing.read_verdict(batch).quarantined_rows]
    for batch in chosen:
        _require_replayable(batch, known, gate.contract_of(batch, settings))
    if not chosen:
        raise ValidationError(
            "No quarantined row waits for a replay.", where=where, do="nothing needs to be done"
        )
    return chosen


def _require_replayable(batch: Batch, known: Sequence[Batch], contract: Contract) -> None:
    verdict = landing.read_verdict(batch)
    where = str(batch.address)
    if not verdict.passed:
        raise ValidationError(
            "The batch was refused as a whole, so its good rows are not loaded either.",
            where=where,
            do="validate the batch again: `python -m expectations validate` with this address",
        )
    newer = [other for other in known if other.batch_id > batch.batch_id]
    if contract.is_snapshot and newer:
        raise ValidationError(
            "The table is read whole each time, and a newer batch has its present rows.",
            where=where,
            do=f"replay the newest batch, {known[-1].batch_id}",
        )
    if not verdict.quarantined_rows:
        raise ValidationError(
            "The batch has no quarantined row.", where=where, do="nothing needs to be done"
        )


def _land_again(origin: Batch, contract: Contract) -> Batch:
    started = time.perf_counter()
    landing.verify(origin, landing.read_verdict(origin).files)
    rows = _rows(origin, contract)
    moment = datetime.now(UTC)
    again = Batch(
        origin.root,
        origin.system,
        origin.table,
        origin.day,
        landing.new_batch_id(str(origin.address), moment),
    )
    with landing.writing(again) as folder:
        pq.write_table(
            rows,
            folder / "data.parquet",
            compression="zstd",
            write_page_checksum=True,
            write_statistics=quarantine.columns_with_statistics(rows.schema, contract),
        )
        manifest = Manifest(
            system=again.system,
            table=again.table,
            day=again.day.isoformat(),
            batch_id=again.batch_id,
            contract_version=contract.version,
            extracted_at=moment.isoformat(),
            snapshot=False,
            cursor_from=None,
            cursor_to=None,
            source_rows=rows.num_rows,
            landed_rows=rows.num_rows,
            source_keys=None,
            control_sums={name: str(_sum(rows.column(name))) for name in contract.money},
            new_columns=[],
            seconds=round(time.perf_counter() - started, 3),
            replay_of=str(origin.address),
        )
        landing.seal(folder, manifest)
    return again


def _rows(origin: Batch, contract: Contract) -> pa.Table:
    schema = pa.schema([*contract.arrow_schema, pa.field(CAST_ERRORS, pa.string())])
    held = pq.read_table(origin.quarantine, page_checksum_verification=True)
    try:
        return held.select(schema.names).cast(schema)
    except (KeyError, pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise ValidationError(
            "The contract's columns changed since these rows were quarantined.",
            where=str(origin.quarantine),
            do="extract the table again with the present contract",
        ) from None


def _sum(column: pa.ChunkedArray[Any]) -> Decimal:
    total: Decimal | None = pc.sum(column).as_py()
    return total if total is not None else Decimal(0)
