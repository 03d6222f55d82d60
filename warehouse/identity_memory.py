"""Identity's memory: what a build decided about customer ids, kept as landing batches.

In: the tables `identity.int_new_*` of a build, the bounds of `warehouse.identity_guard`. Out:
batches of the system `identity`, and a `WarehouseError` that holds the build while they are out of
bounds and no person has confirmed them. Touches landing; reads the engine.

Lasting ids need to know what was before. So a build's decisions land like the rows of a source, go
through the gate and are loaded: the next build reads them, every engine sees them, and a warehouse
rebuilt from landing replays them in their order. Only what changed is written.

A held build leaves its batch in landing without a verdict, so that nothing loads it; building again
finds it there, and goes on when a person has confirmed it and the decisions are still the same.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.parquet as pq

from extract import casting, landing, parquet
from extract import contract as contracts_of
from extract.confirmation import confirmation_of
from extract.contract import Contract
from extract.landing import CAST_ERRORS, Batch, Manifest
from kehu.errors import WarehouseError
from kehu.settings import Settings
from warehouse import identity_guard
from warehouse.engines import Engine

SYSTEM = "identity"
CONFIRMED = "assignments"
"""The table whose batch a person confirms; the others share its id."""


def settle(settings: Settings, engine: Engine, run_id: str, day: date) -> list[Batch]:
    """Land what the finished build decided; gives the batches, to be judged by the gate and loaded.

    None when nothing changed. Raises `WarehouseError` when the identity is out of its bounds and no
    person has confirmed it; then the batches have landed and wait.
    """
    began = time.monotonic()
    contracts = {c.table: c for c in contracts_of.read_all(settings.contract_dirs, SYSTEM)}
    decided = {name: _decided(engine, contract) for name, contract in contracts.items()}
    breaches = identity_guard.breaches(settings, engine)
    if not breaches and not any(rows.num_rows for rows in decided.values()):
        return []
    batches = _waiting(settings, day, decided) or _land(
        settings, contracts, decided, run_id, day, began
    )
    held = next(batch for batch in batches if batch.table == CONFIRMED)
    if breaches and confirmation_of(held) is None:
        raise WarehouseError(
            "The marts are not published: the identity of customers changed too much. "
            + "; ".join(breaches)
            + ". Readers keep the last publication.",
            where=str(held.address),
            do="look at customer.identity_health, identity_review_queue and fct_identity_changes of"
            " the working file; when it is right, run"
            f' `python -m warehouse confirm {SYSTEM}.{CONFIRMED} {held.batch_id} --reason "..."`'
            " and clear the build; when it is wrong, correct the source, the rule or the decision"
            " and build again",
        )
    return batches


def _decided(engine: Engine, contract: Contract) -> pa.Table:
    with engine.read(f"identity.int_new_{contract.table}") as reader:
        rows = reader.read_all()
    rows = rows.select(contract.arrow_schema.names).cast(contract.arrow_schema)
    return rows.sort_by([(name, "ascending") for name in contract.key])


def _waiting(settings: Settings, day: date, decided: Mapping[str, pa.Table]) -> list[Batch]:
    """The newest batches of this day that were held, when they say the same."""
    found = [
        batch
        for batch in landing.batches(settings.landing, SYSTEM)
        if batch.day == day and landing.find_verdict(batch) is None
    ]
    newest = [batch for batch in found if batch.batch_id == found[-1].batch_id]
    if {batch.table for batch in newest} != decided.keys():
        return []
    for batch in newest:
        landing.verify(batch, landing.read_manifest(batch).files)
        rows = pq.read_table(batch.data, columns=decided[batch.table].column_names)
        if not rows.equals(decided[batch.table]):
            return []
    return newest


def _land(
    settings: Settings,
    contracts: Mapping[str, Contract],
    decided: Mapping[str, pa.Table],
    run_id: str,
    day: date,
    began: float,
) -> list[Batch]:
    moment = datetime.now(UTC)
    batch_id = landing.new_batch_id(run_id, moment)
    batches = []
    for name, rows in decided.items():
        contract = contracts[name]
        batch = Batch(settings.landing, SYSTEM, name, day, batch_id)
        manifest = Manifest(
            system=SYSTEM,
            table=name,
            day=day.isoformat(),
            batch_id=batch_id,
            contract_version=contract.version,
            extracted_at=moment.isoformat(),
            snapshot=False,
            cursor_from=None,
            cursor_to=None,
            source_rows=rows.num_rows,
            landed_rows=rows.num_rows,
            source_keys=None,
            control_sums={},
            new_columns=[],
            seconds=round(time.monotonic() - began, 3),
            run_id=run_id,
        )
        whole = rows.append_column(CAST_ERRORS, pa.nulls(rows.num_rows, pa.string()))
        with landing.writing(batch) as folder:
            parquet.write(
                folder / batch.data.name,
                casting.schema(contract.columns),
                whole.to_batches(),
                contract.columns,
            )
            landed = parquet.measure(folder / batch.data.name, contract, day)
            cursor = landed.cursor.isoformat() if landed.cursor else None
            landing.seal(folder, replace(manifest, landed_rows=landed.rows, cursor_to=cursor))
        batches.append(batch)
    return batches
