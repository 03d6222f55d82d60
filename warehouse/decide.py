"""People's decisions about who is who, as landing batches of the system `steward`.

In: two source records, a decision, who and why. Out: a landed batch of one row. Touches landing;
reads the published file to see whether the records are known.

A decision is landed and not written into a table, so it passes the same gate as any row, and a
warehouse rebuilt from landing has it again. The next build judges and loads what has landed
(`dags.blocks.steward`). The id of a decision is that of its pair: deciding anew, or withdrawing,
is a later version of the same row, and the raw table keeps every version.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pyarrow as pa

from extract import contract as contracts_of
from extract import landing, parquet
from extract.batch import Batch, new_batch_id
from extract.contract import Contract
from extract.landing import CAST_ERRORS, Manifest
from kehu.errors import WarehouseError
from kehu.settings import Settings
from warehouse import connection, raw

SYSTEM, TABLE = "steward", "identity_decisions"
WITHDRAWN = "withdrawn"
_RECORD = re.compile(r"^([a-z][a-z0-9_]*):(\S.*)$")


@dataclass(frozen=True, order=True)
class Record:
    """A source record as identity calls it: its system and its number there."""

    system: str
    record_id: str

    def __str__(self) -> str:
        return f"{self.system}:{self.record_id}"

    @classmethod
    def of(cls, text: str) -> Record:
        """The record named `<system>:<record id>`; raises `WarehouseError` for anything else."""
        if (match := _RECORD.match(text)) is None:
            raise WarehouseError(
                "This names no source record.",
                where=repr(text),
                do="give <system>:<record id>, as in customer.bridge_customer_records",
            )
        return cls(match[1], match[2].strip())


def decision_id(first: Record, second: Record) -> str:
    """The id of a pair, in whichever order it is given."""
    left, right = sorted((first, second))
    parts = (left.system, left.record_id, right.system, right.record_id)
    return hashlib.md5("|".join(parts).encode(), usedforsecurity=False).hexdigest()


def unknown(settings: Settings, records: tuple[Record, Record]) -> list[Record] | None:
    """Those of the records that no publication knows; None when nothing is published yet."""
    if not settings.published_file.is_file():
        return None
    with connection.read_published(settings.published_file) as con:
        found = con.execute(
            "select distinct source_system, source_record_id from customer.bridge_customer_records"
            " where (source_system, source_record_id) in (select unnest(?), unnest(?))",
            [[each.system for each in records], [each.record_id for each in records]],
        ).fetchall()
    return [each for each in records if (each.system, each.record_id) not in found]


def decide(
    settings: Settings,
    decision: str,
    pair: tuple[Record, Record],
    *,
    reason: str,
    by: str,
    at: datetime | None = None,
) -> Batch:
    """Land a decision: `must_link`, `must_not_link` or `withdrawn`.

    The batch bears the newest loaded day, because it is about what is loaded, and so that a
    decision moves no as-of date; `at` (default: now, UTC) says when it was made. Raises
    `WarehouseError` when the pair or the reason says nothing, or nothing is loaded.
    """
    contract = _contract(settings)
    allowed = contract.column("decision").enum
    left, right = sorted(pair)
    wrong = None
    if decision not in allowed:
        wrong = f"{decision!r} is none of {', '.join(allowed)}"
    elif left == right:
        wrong = "both records are the same"
    elif not reason.strip() or not by.strip():
        wrong = "it says neither why nor who" if not by.strip() else "it does not say why"
    if wrong:
        raise WarehouseError(
            f"This is no decision: {wrong}.",
            where=f"{left} and {right}",
            do='name two records and a reason: must_link billing:A1 his:P1 --reason "..."',
        )
    moment = (at or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None)
    row = {
        "decision_id": decision_id(left, right),
        "decision": decision,
        "left_source_system": left.system,
        "left_source_record_id": left.record_id,
        "right_source_system": right.system,
        "right_source_record_id": right.record_id,
        "reason": reason.strip(),
        "decided_by": by.strip(),
        "decided_at": moment,
    }
    return _land(settings, contract, row, raw.as_of(settings))


def _contract(settings: Settings) -> Contract:
    for contract in contracts_of.read_all(settings.contract_dirs, SYSTEM):
        if contract.table == TABLE:
            return contract
    raise WarehouseError(
        f"No contract describes {SYSTEM}.{TABLE}.",
        where=", ".join(map(str, settings.contract_dirs)),
        do="correct KEHU_CONTRACTS: extract/contracts has it",
    )


def _land(settings: Settings, contract: Contract, row: dict[str, object], day: date) -> Batch:
    began, moment = time.monotonic(), datetime.now(UTC)
    batch_id = new_batch_id(str(row["decision_id"]), moment)
    batch = Batch(settings.landing, SYSTEM, TABLE, day, batch_id)
    schema = pa.schema([*contract.arrow_schema, pa.field(CAST_ERRORS, pa.string())])
    rows = pa.RecordBatch.from_pylist([row], schema)
    with landing.writing(batch) as folder:
        parquet.write(folder / batch.data.name, schema, [rows], contract.columns)
        manifest = Manifest(
            system=SYSTEM,
            table=TABLE,
            day=day.isoformat(),
            batch_id=batch_id,
            contract_version=contract.version,
            extracted_at=moment.isoformat(),
            snapshot=False,
            cursor_from=None,
            cursor_to=None,
            source_rows=1,
            landed_rows=1,
            source_keys=None,
            control_sums={},
            new_columns=[],
            seconds=round(time.monotonic() - began, 3),
        )
        landing.seal(folder, manifest)
    return batch
