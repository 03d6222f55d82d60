"""One extraction: every table of a system, out of one snapshot, into landing.

In: a system, a day, the watermarks. Out: one sealed `Batch` per table. Touches: reads the source,
writes landing below `Settings.landing`.

All batches of a run become visible together at its end: when one table fails, none stays.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from extract import casting, drift, landing, parquet
from extract.connectors import Snapshot, open_snapshot
from extract.contract import Column, Contract, read_all
from extract.landing import CAST_ERRORS, Batch, Manifest
from kehu.errors import LandingError, SourceError
from kehu.settings import Settings

log = logging.getLogger(__name__)


def contracts_of(system: str, settings: Settings) -> tuple[Contract, ...]:
    """The contracts that apply to a system: with a file for a folder of files, else without."""
    url = settings.source_url(system)
    is_folder = url.startswith("file:")
    contracts = tuple(
        contract
        for contract in read_all(settings.contract_dirs, system)
        if (contract.file is not None) == is_folder
    )
    if not contracts:
        raise SourceError(
            f"No contract describes the system {system!r}"
            + (" as a folder of files." if is_folder else " as a database."),
            where=", ".join(map(str, settings.contract_dirs)),
            do=f"check the name and KEHU_{system.upper()}_URL, or add contracts under "
            f"<folder>/{system}/",
        )
    return contracts


def extract_system(
    system: str,
    *,
    day: date,
    run_id: str,
    watermarks: Mapping[str, datetime | None],
    settings: Settings,
    full: bool = False,
) -> list[Batch]:
    """Land what changed in every table of `system` since its watermark.

    `watermarks` holds a moment per table name, in the source's local time like its cursor; a
    table without one, a contract without cursor and `full` are read whole. Raises `SourceError`
    when the source cannot be read, `DriftError` when it differs from the contracts, and
    `LandingError` when landing cannot be written or does not hold what the source counted.
    """
    contracts = contracts_of(system, settings)
    landing.sweep(settings.landing / system)
    moment = datetime.now(UTC)
    batch_id = landing.new_batch_id(run_id, moment)
    batches: list[Batch] = []
    with open_snapshot(system, settings.source_url(system), contracts) as snapshot:
        new_columns = drift.check(snapshot, contracts)
        with ExitStack() as visible_together:
            for contract in contracts:
                batch = Batch(settings.landing, system, contract.table, day, batch_id)
                folder = visible_together.enter_context(landing.writing(batch))
                watermark = None if full else watermarks.get(contract.table)
                manifest = _land(
                    snapshot, contract, batch, folder, watermark, new_columns[contract.table]
                )
                landing.seal(folder, manifest)
                log.info("%s: %s rows", contract.name, manifest.landed_rows)
                batches.append(batch)
    return batches


def _land(
    snapshot: Snapshot,
    contract: Contract,
    batch: Batch,
    folder: Path,
    watermark: datetime | None,
    new_columns: Sequence[str],
) -> Manifest:
    """Write the files of one table into `folder`; returns its manifest, not yet sealed."""
    started = time.monotonic()
    extracted_at = datetime.now(UTC)
    since = None
    is_whole = contract.is_snapshot or contract.deletes == "snapshot" or contract.file is not None
    if watermark is not None and not is_whole:
        since = watermark - contract.lookback
    source = snapshot.measure(contract, since)
    data = folder / batch.data.name
    # Closed here, not when it is collected: a failed write must end the read before the snapshot.
    with closing(snapshot.rows(contract, since, contract.columns)) as batches:
        parquet.write(data, casting.schema(contract.columns), batches, contract.columns)
    landed = parquet.measure(data, contract, batch.day)
    source_keys = None
    if contract.deletes == "key_compare":
        key = [contract.column(name) for name in contract.key]
        schema = pa.schema([pa.field(column.name, column.arrow_type) for column in key])
        rows = snapshot.rows(contract, None, key) if since is not None else _keys_in(data, key)
        with closing(rows) as batches:
            source_keys = parquet.write(
                folder / batch.keys.name, schema, _fitting(batches, schema), key
            )
    _compare(contract, batch, source.rows, landed.rows, source.sums, landed.sums)
    cursor_to = max(filter(None, (landed.cursor, watermark)), default=None)
    return Manifest(
        system=contract.system,
        table=contract.table,
        day=batch.day.isoformat(),
        batch_id=batch.batch_id,
        contract_version=contract.version,
        extracted_at=extracted_at.isoformat(),
        snapshot=contract.is_snapshot,
        cursor_from=since.isoformat() if since else None,
        cursor_to=cursor_to.isoformat() if cursor_to else None,
        source_rows=source.rows,
        landed_rows=landed.rows,
        source_keys=source_keys,
        control_sums={
            name: _money(value, contract.column(name)) for name, value in landed.sums.items()
        },
        new_columns=list(new_columns),
        seconds=round(time.monotonic() - started, 3),
    )


def _keys_in(data: Path, key: Sequence[Column]) -> Generator[pa.RecordBatch, None, None]:
    """The keys of a table that was just read whole."""
    yield from parquet.read(data, [*(column.name for column in key), CAST_ERRORS])


def _fitting(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Key columns only, without the rows of which a key cell did not fit its type."""
    for batch in batches:
        whole = batch.select(schema.names)
        sound: Any = True
        for name in schema.names:
            sound = pc.and_(sound, pc.is_valid(batch.column(name)))
        yield pa.RecordBatch.from_arrays(
            [column.filter(sound) for column in whole.columns], schema=schema
        )


def _money(value: Decimal, column: Column) -> str:
    return format(value.quantize(Decimal(1).scaleb(-column.scale)), "f")


def _compare(
    contract: Contract,
    batch: Batch,
    source_rows: int,
    landed_rows: int,
    source_sums: Mapping[str, Decimal],
    landed_sums: Mapping[str, Decimal],
) -> None:
    """What the source counted must lie in the file; raises `LandingError` naming what differs."""
    wrong = [name for name in contract.money if source_sums[name] != landed_sums[name]]
    if source_rows == landed_rows and not wrong:
        return
    reasons = []
    if source_rows != landed_rows:
        reasons.append(f"{source_rows} rows in the source, {landed_rows} landed")
    if wrong:
        reasons.append(f"other control sums of {', '.join(wrong)}")
    raise LandingError(
        f"{contract.name} did not land as the source holds it: {'; '.join(reasons)}.",
        where=str(batch.address),
        do="run the task again; when it repeats, compare the source's types with the contract",
    )
