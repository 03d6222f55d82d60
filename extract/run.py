"""One extraction: every table of a system, out of one snapshot, into landing.

In: a system, a day, the watermarks. Out: one sealed `Batch` per table. Touches: reads the source,
writes landing below `Settings.landing`.

Several readers (`Settings.readers`) may share the tables of the snapshot. All batches of a run
become visible together at its end: when one table fails, none stays.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from extract import added_columns, casting, decimals, drift, landing, leftovers, parquet, readers
from extract.connectors import Snapshot, open_snapshot, source_kind
from extract.contract import Column, Contract, read_all
from extract.landing import CAST_ERRORS, Batch, Manifest
from extract.span import Interval, Span, span_of
from kehu.errors import LandingError, SourceError
from kehu.settings import Settings

log = logging.getLogger(__name__)
_KINDS = {"file": "a folder of files", "api": "an HTTP API", "database": "a database"}


def contracts_of(system: str, settings: Settings) -> tuple[Contract, ...]:
    """The contracts that apply to a system: those of files, of an API, or of a database."""
    kind = source_kind(settings.source_url(system))
    contracts = tuple(
        contract
        for contract in read_all(settings.contract_dirs, system)
        if contract.source_kind == kind
    )
    if not contracts:
        raise SourceError(
            f"No contract describes the system {system!r} as {_KINDS[kind]}.",
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
    table: str | None = None,
    interval: Interval | None = None,
) -> list[Batch]:
    """Land what changed in every table of `system`, or in one `table`, since its watermark.

    `watermarks` holds a moment per table name, in the source's local time like its cursor; a
    table without one, a contract without cursor and `full` are read whole. `interval` is the time
    the run stands for: `extract.span` says when just its changes are read. Raises `SourceError`
    when the source cannot be read, `DriftError` when it differs from the contracts, and
    `LandingError` when landing cannot be written or does not hold what the source counted.
    """
    contracts = _chosen(contracts_of(system, settings), table)
    leftovers.sweep(settings.landing / system)
    moment = landing.next_moment(settings.landing, system, datetime.now(UTC))
    batch_id = landing.new_batch_id(run_id, moment)
    with (
        open_snapshot(system, settings.source_url(system), contracts) as snapshot,
        readers.opened(snapshot, min(settings.readers, len(contracts))) as opened,
    ):
        found = drift.check(snapshot, contracts)
        with ExitStack() as visible_together:
            tables = []
            for contract in contracts:
                differences = [item for item in found if item.contract is contract]
                new = [str(d.column) for d in differences if d.kind == "new column"]
                if new and contract.drift.new_column == "add":
                    types = snapshot.columns(contract) or {}
                    contract = added_columns.take_over(
                        settings, snapshot, contract, {name: types[name] for name in new}
                    )
                batch = Batch(settings.landing, system, contract.table, day, batch_id)
                folder = visible_together.enter_context(landing.writing(batch))
                watermark = watermarks.get(contract.table)
                span = None if full else span_of(contract, watermark, interval)
                changes = [item.detail for item in differences]
                tables.append(_Table(contract, batch, folder, span, new, changes))
            readers.read_all(opened, tables, partial(_land, run_id))
    return [table.batch for table in tables]


@dataclass(frozen=True)
class _Table:
    """What is to be read of one table, and the hidden folder of its batch.

    `changes`: sentences about how the source differs from the contract.
    """

    contract: Contract
    batch: Batch
    folder: Path
    span: Span | None
    new_columns: Sequence[str]
    changes: list[str]


def _chosen(contracts: Sequence[Contract], table: str | None) -> Sequence[Contract]:
    """All contracts, or the one of `table`."""
    chosen = [contract for contract in contracts if table in (None, contract.table)]
    if not chosen:
        raise SourceError(
            f"No contract describes the table {table!r}.",
            where=", ".join(contract.name for contract in contracts),
            do="name one of these tables, without the system",
        )
    return chosen


def _land(run_id: str, snapshot: Snapshot, table: _Table) -> None:
    """Read one table into its folder, and seal it."""
    with landing.refusals(table.batch):
        manifest = replace(
            _write(snapshot, table),
            run_id=run_id,
            source_position=getattr(snapshot, "position", None),
            schema_changes=table.changes,
        )
        landing.seal(table.folder, manifest)
    log.info("%s: %s rows", table.contract.name, manifest.landed_rows)


def _write(snapshot: Snapshot, table: _Table) -> Manifest:
    """Write the files of one table into its folder; returns its manifest, not yet sealed."""
    contract, batch, folder, span = table.contract, table.batch, table.folder, table.span
    started = time.monotonic()
    extracted_at = datetime.now(UTC)
    if contract.is_snapshot or contract.deletes == "snapshot" or contract.source_kind != "database":
        span = None
    source = snapshot.measure(contract, span)
    data = folder / batch.data.name
    # Closed here, not when it is collected: a failed write must end the read before the snapshot.
    with closing(snapshot.rows(contract, span, contract.columns)) as batches:
        parquet.write(data, casting.schema(contract.columns), batches, contract.columns)
    landed = parquet.measure(data, contract, batch.day)
    source_keys = None
    if contract.deletes == "key_compare":
        key = [contract.column(name) for name in contract.key]
        schema = pa.schema([pa.field(column.name, column.arrow_type) for column in key])
        rows = snapshot.rows(contract, None, key) if span is not None else _keys_in(data, key)
        with closing(rows) as batches:
            source_keys = parquet.write(
                folder / batch.keys.name, schema, _fitting(batches, schema), key
            )
    _compare(contract, batch, source.rows, landed.rows, source.sums, landed.sums)
    return Manifest(
        system=contract.system,
        table=contract.table,
        day=batch.day.isoformat(),
        batch_id=batch.batch_id,
        contract_version=contract.version,
        extracted_at=extracted_at.isoformat(),
        snapshot=contract.is_snapshot,
        cursor_from=span.after.isoformat() if span else None,
        cursor_to=landed.cursor.isoformat() if landed.cursor else None,
        source_rows=source.rows,
        landed_rows=landed.rows,
        source_keys=source_keys,
        control_sums={
            name: _money(value, contract.column(name)) for name, value in landed.sums.items()
        },
        new_columns=list(table.new_columns),
        seconds=round(time.monotonic() - started, 3),
        table_rows=source.rows if span is None else _size(snapshot, contract),
    )


def _size(snapshot: Snapshot, contract: Contract) -> int:
    """Rows of the whole table: counted, without sums, as a contract of the key alone says it."""
    key = tuple(contract.column(name) for name in contract.key)
    return snapshot.measure(replace(contract, columns=key, cursor=None), None).rows


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
    return format(decimals.scaled(value, column.scale), "f")


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
