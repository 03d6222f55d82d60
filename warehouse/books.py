"""The books: what became of every row and of all money in it, entered with the load.

In: a connection inside the transaction of a load, or to a loaded warehouse. Out: rows of
`ops.ledger` and `ops.reconciliation`; errors naming every table whose books do not add up.
Touches these two.

The equation: source = landed = loaded + quarantined + duplicate, in rows and, per decimal column,
in money. Each side is counted where it lies: by the source, in the landed file, in the raw table,
in the quarantine, among the rows that brought nothing new.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow.parquet as pq

from extract import decimals
from extract.landing import Batch
from kehu.errors import WarehouseError
from warehouse import schemas, versions
from warehouse.admission import Admitted, unequal
from warehouse.connection import Connection
from warehouse.ddl.raw_tables import literal, quoted
from warehouse.raw_sql import parquet, table_of

_UTC_NOW = "cast(now() at time zone 'UTC' as timestamp)"

Money = dict[str, dict[str, str]]
"""Per decimal column the exact sums: source, landed, loaded, quarantined, duplicate."""


@dataclass(frozen=True)
class LoadResult:
    """What became of a batch: source = landed = loaded + quarantined + duplicate.

    `updated` of the loaded rows are new versions of keys that were known; `deleted` keys were
    found gone. `skipped`: the batch had been loaded before, the numbers are of that load.
    """

    system: str
    table: str
    batch: str
    day: date
    source: int
    landed: int
    loaded: int
    quarantined: int
    duplicate: int
    updated: int
    deleted: int
    seconds: float
    control_sums: Money = field(default_factory=dict)
    new_columns: list[str] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)
    skipped: bool = False


def balance(
    con: Connection, admitted: Admitted, counts: versions.Counts, started: float
) -> LoadResult:
    """Hold the counts and the sums against each other, whoever counted them."""
    batch, manifest, verdict = admitted.batch, admitted.manifest, admitted.verdict
    accounted = counts.loaded + verdict.quarantined_rows + counts.duplicate
    if manifest.landed_rows != accounted:
        what = "landed, and loaded + quarantined + duplicate"
        raise unequal(what, manifest.landed_rows, accounted, batch)
    sums = _money(con, admitted)
    return LoadResult(
        system=batch.system,
        table=batch.table,
        batch=str(batch.address),
        day=batch.day,
        source=manifest.source_rows,
        landed=manifest.landed_rows,
        loaded=counts.loaded,
        quarantined=verdict.quarantined_rows,
        duplicate=counts.duplicate,
        updated=counts.updated,
        deleted=counts.deleted,
        seconds=round(time.monotonic() - started, 3),
        control_sums=sums,
        new_columns=manifest.new_columns,
        reasons=verdict.reasons,
    )


def enter(con: Connection, admitted: Admitted, result: LoadResult, run_id: str) -> None:
    """Ledger and reconciliation, in the transaction of the rows."""
    batch, manifest, verdict = admitted.batch, admitted.manifest, admitted.verdict
    con.execute(
        f"insert into ops.ledger values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {_UTC_NOW})",
        [
            result.batch,
            batch.system,
            batch.table,
            batch.day,
            batch.batch_id,
            run_id,
            manifest.contract_version,
            manifest.files["data.parquet"],
            verdict.files["passed.parquet"],
            admitted.lists_keys,
        ],
    )
    con.execute(
        "insert into ops.reconciliation values"
        f" (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {_UTC_NOW})",
        [
            run_id,
            batch.system,
            batch.table,
            result.batch,
            batch.day,
            result.source,
            result.landed,
            result.loaded,
            result.quarantined,
            result.duplicate,
            result.updated,
            result.deleted,
            json.dumps(result.control_sums),
            json.dumps(result.new_columns),
            json.dumps(result.reasons),
            json.dumps(verdict.warnings),
            manifest.seconds,
            verdict.seconds,
            result.seconds,
        ],
    )


def entered(con: Connection, batches: Sequence[Batch]) -> dict[str, LoadResult]:
    """Results of those batches that were loaded before, by address."""
    rows = con.execute(
        'select system, "table", batch, day, source, landed, loaded, quarantined, duplicate,'
        " updated, deleted, load_seconds, control_sums, new_columns, reasons"
        " from ops.reconciliation where list_contains(?, batch)",
        [[str(batch.address) for batch in batches]],
    ).fetchall()
    names = [each.name for each in fields(LoadResult)]
    results = {}
    for *plain, sums, new_columns, reasons in rows:
        values = (*plain, money_of(sums), json.loads(new_columns), json.loads(reasons), True)
        results[str(plain[2])] = LoadResult(**dict(zip(names, values, strict=True)))
    return results


def _money(con: Connection, admitted: Admitted) -> Money:
    """Sums of each decimal column, each counted where the rows are; they must add up."""
    told = admitted.manifest.control_sums
    there = set(pq.read_schema(admitted.batch.passed).names)
    # a column that the contract got after the batch was landed has no sums
    columns = [name for name in admitted.contract.money if name in there]
    if not columns:
        return {}
    is_new = "select _position from temp.decided where is_new"
    passed = parquet(admitted.batch.passed, numbered=True)
    loaded = f"temp.incoming where _position in ({is_new})"
    held = schemas.held(con).get(admitted.contract.raw_table, {})
    if schemas.holds_payload(admitted.contract, held):
        batch_id = literal(admitted.batch.batch_id)
        loaded = f"{table_of(admitted.contract)} where _batch_id = {batch_id}"
    found = {
        "loaded": _sums(con, columns, loaded),
        "quarantined": _sums(con, columns, parquet(admitted.batch.quarantine)),
        "duplicate": _sums(con, columns, f"{passed} where file_row_number not in ({is_new})"),
    }
    money: Money = {}
    for name in columns:
        source = told.get(name)
        parts = {part: sums[name] for part, sums in found.items()}
        if source is None or Decimal(source) != sum(parts.values()):
            what = f"control sums of {name} in source and files"
            raise unequal(what, source, sum(parts.values()), admitted.batch)
        money[name] = {"source": source, "landed": source}
        money[name] |= {part: str(total) for part, total in parts.items()}
    return money


def _sums(con: Connection, columns: Sequence[str], rows: str) -> dict[str, Decimal]:
    items = ", ".join(f"coalesce(sum({quoted(name)}), 0)" for name in columns)
    found = con.execute(f"select {items} from {rows}").fetchone() or ()
    return dict(zip(columns, found, strict=True))


def check(con: Connection) -> None:
    """Hold the books against themselves and against the raw tables.

    Raises `WarehouseError` naming every table whose rows or money do not add up: what readers get
    is computed from these tables.
    """
    if not schemas.has_ops(con):
        return
    wrong = [*_unbalanced(con), *_not_as_entered(con)]
    if wrong:
        raise WarehouseError(
            "The books do not add up: " + "; ".join(wrong[:10]) + ".",
            where="ops.reconciliation and the raw tables",
            do="rebuild the warehouse from landing (`python -m warehouse rebuild`): something "
            "changed it after the load; readers keep the last publication",
        )


def is_balanced(row: Mapping[str, Any]) -> bool:
    """Whether an entry of the books (columns of `ops.reconciliation`, JSON read) adds up."""
    parts = ("loaded", "quarantined", "duplicate")
    if not row["source"] == row["landed"] == sum(row[part] for part in parts):
        return False
    return all(
        Decimal(sums["source"])
        == Decimal(sums["landed"])
        == decimals.add(*(Decimal(sums[part]) for part in parts))
        for sums in row["control_sums"].values()
        if "loaded" in sums
    )


def money_of(text: str) -> Money:
    """The sums of an entry; one from before each part had its own says what landed only."""
    told = json.loads(text)
    return {
        name: {"source": sums, "landed": sums} if isinstance(sums, str) else sums
        for name, sums in told.items()
    }


def _unbalanced(con: Connection) -> Iterator[str]:
    names = ("source", "landed", "loaded", "quarantined", "duplicate")
    for batch, money, *counts in con.execute(
        f"select batch, control_sums, {', '.join(names)} from ops.reconciliation order by batch"
    ).fetchall():
        row = dict(zip(names, counts, strict=True)) | {"control_sums": money_of(money)}
        if not is_balanced(row):
            told = ", ".join(f"{name} {row[name]}" for name in names)
            yield f"batch {batch}: {told}"


def _not_as_entered(con: Connection) -> Iterator[str]:
    """Raw tables whose rows or money are not those the books say were loaded."""
    there = schemas.held(con)
    entered: dict[str, dict[str, tuple[int, dict[str, Decimal]]]] = {}
    for system, table, batch, loaded, money in con.execute(
        'select system, "table", batch_id, loaded, control_sums from ops.reconciliation'
        ' inner join ops.ledger using (batch, system, "table") where loaded > 0'
    ).fetchall():
        sums = {
            name: Decimal(each["loaded"])
            for name, each in money_of(money).items()
            if "loaded" in each
        }
        entered.setdefault(f"{system}__{table}", {})[batch] = (loaded, sums)
    for table, columns in there.items():
        told = entered.get(table, {})
        names = sorted({name for _, sums in told.values() for name in sums} & columns.keys())
        items = "".join(f", sum({quoted(name)})" for name in names)
        found = con.execute(
            f"select _batch_id, count(*){items} from raw.{quoted(table)} group by _batch_id"
        ).fetchall()
        held = {
            batch: (rows, dict(zip(names, (total or Decimal(0) for total in sums), strict=True)))
            for batch, rows, *sums in found
        }
        differing = [
            batch
            for batch in held.keys() | told.keys()
            if not _same(held.get(batch), told.get(batch))
        ]
        if differing:
            yield f"raw.{table}: not the rows that were loaded, batch {min(differing)}"


def _same(
    held: tuple[int, dict[str, Decimal]] | None, told: tuple[int, dict[str, Decimal]] | None
) -> bool:
    if held is None or told is None:
        return held is told
    return held[0] == told[0] and all(held[1].get(n, s) == s for n, s in told[1].items())
