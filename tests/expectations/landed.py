"""Builds landed batches for the tests of the gate: real contracts, rows that keep every rule."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from extract import landing
from extract.contract import Column, Contract
from extract.landing import CAST_ERRORS, Batch, Manifest
from kehu.settings import Settings

DAY = date(2026, 1, 10)
Row = dict[str, Any]
_ids = itertools.count(1)
_BY_TYPE: Mapping[str, Any] = {
    "integer": 1,
    "bigint": 1,
    "double": 1.0,
    "date": date(2026, 1, 10),
    "timestamp": datetime(2026, 1, 10, 9, 0),  # noqa: DTZ001 - sources keep local time
    "boolean": False,
}
# The pair of records in row n of a table of decisions.
_PAIR = "|".join(
    f"{side}_source_{of}-{{n}}" for side in ("left", "right") for of in ("system", "record_id")
)
# Where a bare 1 in every decimal is not sound.
_SOUND: Mapping[str, Row] = {"his.charges": {"insurer_amount": Decimal("0.00")}}


def sound_rows(contract: Contract, count: int) -> list[Row]:
    """`count` rows that keep every rule: keys count up, optional cells are empty."""
    return [
        {c.name: _cell(c, number) for c in contract.columns} | _SOUND.get(contract.name, {})
        for number in range(1, count + 1)
    ]


def _cell(column: Column, number: int) -> Any:
    if not (column.required or column.primary_key):
        return None
    if column.enum:
        return column.enum[0]
    if column.pattern:
        samples = (
            "CNY",
            "2026-01",
            f"{536364 + number}",
            f"{12000 + number}",
            f"{100 + number}",
            f"{number:04d}-ABCDE",
            hashlib.md5(_PAIR.format(n=number).encode()).hexdigest(),
        )
        return next(sample for sample in samples if re.search(column.pattern, sample))
    if column.physical_type.startswith("decimal"):
        return Decimal("1.00")
    if column.physical_type == "varchar":
        return f"{column.name}-{number}"
    value = _BY_TYPE[column.physical_type]
    return number if column.primary_key and isinstance(value, int) else value


def land(
    contract: Contract,
    rows: Sequence[Row],
    settings: Settings,
    *,
    cast_errors: Mapping[int, Mapping[str, str]] | None = None,
    **told: Any,
) -> Batch:
    """Write `rows` as a landed batch; `cast_errors` by position; `told` as in `land_table`."""
    table = pa.Table.from_pylist(list(rows), schema=contract.arrow_schema)
    unread = [
        json.dumps(e) if (e := (cast_errors or {}).get(i)) else None for i in range(len(rows))
    ]
    return land_table(
        contract, table.append_column(CAST_ERRORS, pa.array(unread, pa.string())), settings, **told
    )


def land_table(
    contract: Contract,
    table: pa.Table,
    settings: Settings,
    *,
    batch_id: str | None = None,
    keys: pa.Table | None = None,
    **manifest: Any,
) -> Batch:
    """A landed batch; `keys` are all keys of its source, `manifest` overrules what is told."""
    batch = Batch(
        settings.landing,
        contract.system,
        contract.table,
        DAY,
        batch_id or f"{landing.new_batch_id('test')}-{next(_ids)}",
    )
    with landing.writing(batch) as folder:
        pq.write_table(table, folder / "data.parquet")
        if keys is not None:
            pq.write_table(keys, folder / "keys.parquet")
        written = Manifest(
            system=batch.system,
            table=batch.table,
            day=DAY.isoformat(),
            batch_id=batch.batch_id,
            contract_version=contract.version,
            extracted_at=datetime.now(UTC).isoformat(),
            snapshot=contract.is_snapshot,
            cursor_from=None,
            cursor_to=None,
            source_rows=table.num_rows,
            landed_rows=table.num_rows,
            source_keys=None,
            control_sums={},
            new_columns=[],
            seconds=0.0,
        )
        landing.seal(folder, replace(written, **manifest))
    return batch


def quarantined(batch: Batch) -> list[Row]:
    rows: list[Row] = pq.read_table(batch.quarantine).to_pylist()
    return rows


def passed(batch: Batch) -> list[Row]:
    rows: list[Row] = pq.read_table(batch.passed).to_pylist()
    return rows
