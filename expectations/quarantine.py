"""Divides the rows of a batch: into passed.parquet, or with their reasons into quarantine.parquet.

In: a batch, its contract, and which rows break which rules. Out: the two files beside data.parquet
and their row counts. Touches: writes the two files, 0600, each whole or not at all.

Every row lands in exactly one of the two: the counts are compared with data.parquet here.
Footers keep no smallest and largest value of columns that say something about a person.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from expectations import identifiers
from extract import parquet
from extract.contract import Contract
from extract.disk import hidden_beside
from extract.landing import CAST_ERRORS, Batch
from kehu.errors import ValidationError

REASONS, ROW_NUMBER = "_reasons", "_row_number"
_ROWS_AT_ONCE = 1 << 18
_ROW_GROUP = 122_880
_OPEN_CLASSES = ("public", "internal")


@dataclass(frozen=True)
class Broken:
    """The rows that break critical rules: ascending row numbers and, for each, its rules."""

    rows: pa.Array[Any]
    reasons: pa.Array[Any]


@dataclass(frozen=True)
class Division:
    """How many rows went where."""

    landed: int
    passed: int
    quarantined: int


def reasons_by_row(findings: Sequence[tuple[str, pa.Array[Any]]]) -> Broken:
    """One entry per row, its rules joined by '; ' in the order of their names."""
    rows = pa.chunked_array([rows for _, rows in findings], pa.int64())
    rules = pa.chunked_array(
        [pa.repeat(pa.scalar(rule), len(found)) for rule, found in findings], pa.string()
    )
    pairs = pa.Table.from_arrays([rows, rules], names=[ROW_NUMBER, REASONS])
    by_row = pairs.sort_by([(ROW_NUMBER, "ascending"), (REASONS, "ascending")])
    grouped = (
        by_row.group_by(ROW_NUMBER, use_threads=False)
        .aggregate([(REASONS, "list")])
        # groups come in the order of the first row only while they are few
        .sort_by(ROW_NUMBER)
    )
    lists: Any = grouped.column(f"{REASONS}_list").combine_chunks()
    joined: Any = pc.binary_join(lists, "; ")
    return Broken(
        rows=grouped.column(ROW_NUMBER).combine_chunks(),
        reasons=joined,
    )


def quarantine_schema(contract: Contract) -> pa.Schema:
    """The contract's columns as they landed, the cells that could not be read, and why."""
    return pa.schema(
        [
            *contract.arrow_schema,
            pa.field(CAST_ERRORS, pa.string()),
            pa.field(REASONS, pa.string()),
            pa.field(ROW_NUMBER, pa.int64()),
        ]
    )


def divide(batch: Batch, contract: Contract, broken: Broken, key: bytes) -> Division:
    """Write passed.parquet and quarantine.parquet; `key` is the key of the pseudonyms.

    Raises `ValidationError` when a row would be lost or doubled.
    """
    bad = broken.rows.to_numpy()
    landed = passed = quarantined = 0
    columns = contract.arrow_schema.names
    with (
        pq.ParquetFile(batch.data, page_checksum_verification=True) as source,
        _writer(
            batch.passed, contract.passed_schema, contract, parquet.repeating_in(source)
        ) as good_rows,
        _writer(batch.quarantine, quarantine_schema(contract), contract) as bad_rows,
    ):
        for part in source.iter_batches(batch_size=_ROWS_AT_ONCE):
            first, last = np.searchsorted(bad, [landed + 1, landed + part.num_rows + 1])
            positions = bad[first:last] - landed - 1
            sound = np.ones(part.num_rows, dtype=bool)
            sound[positions] = False
            good = part.select(columns).filter(pa.array(sound))
            if good.num_rows:
                good_rows.write_batch(_with_identifiers(good, contract, key), _ROW_GROUP)
            if len(positions):
                held = _held_back(part.take(pa.array(positions)), contract, broken, first, last)
                bad_rows.write_batch(held)
            landed += part.num_rows
            passed += good.num_rows
            quarantined += len(positions)
    if landed != passed + quarantined or quarantined != len(bad):
        raise ValidationError(
            f"{landed} rows landed, but {passed} passed and {quarantined} of {len(bad)} bad rows"
            " were held back: rows were lost or doubled.",
            where=str(batch.address),
            do="validate the batch again; if it stays, this is a fault of the gate: report it",
        )
    return Division(landed, passed, quarantined)


def _with_identifiers(part: pa.RecordBatch, contract: Contract, key: bytes) -> pa.RecordBatch:
    arrays = list(part.columns)
    for column in contract.columns:
        if column.identifier and column.derived:
            derived = identifiers.derive(part.column(column.name), column.identifier, key)
            arrays.extend(derived[name[len(column.name) :]] for name in column.derived)
    return pa.RecordBatch.from_arrays(arrays, schema=contract.passed_schema)


def _held_back(
    rows: pa.RecordBatch, contract: Contract, broken: Broken, first: int, last: int
) -> pa.RecordBatch:
    arrays = [rows.column(name) for name in contract.arrow_schema.names]
    unread = (
        rows.column(CAST_ERRORS)
        if CAST_ERRORS in rows.schema.names
        else pa.nulls(rows.num_rows, pa.string())
    )
    here = slice(first, last)
    return pa.RecordBatch.from_arrays(
        [*arrays, unread, broken.reasons[here], broken.rows[here]],
        schema=quarantine_schema(contract),
    )


@contextmanager
def _writer(
    path: Path, schema: pa.Schema, contract: Contract, repeating: Sequence[str] = ()
) -> Iterator[pq.ParquetWriter]:
    """A Parquet writer whose file appears under its name only when all of it is written.

    `repeating`: columns that are worth a dictionary.
    """
    hidden = hidden_beside(path)
    try:
        handle = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with (
            os.fdopen(handle, "wb") as file,
            pq.ParquetWriter(
                file,
                schema,
                compression="zstd",
                use_dictionary=list(repeating),  # type: ignore[arg-type]  # the stubs know bool only
                store_decimal_as_integer=True,
                write_statistics=columns_with_statistics(schema, contract),
                write_page_checksum=True,
            ) as writer,
        ):
            yield writer
        hidden.replace(path)
    except OSError as error:
        raise ValidationError(
            f"The file cannot be written: {error.strerror or error}",
            where=str(path),
            do="free space or correct the rights of the folder, then run the task again",
        ) from error
    finally:
        hidden.unlink(missing_ok=True)


def columns_with_statistics(schema: pa.Schema, contract: Contract) -> list[str]:
    """Columns whose smallest and largest value may stand in a footer: they are nobody's."""
    open_columns = {
        column.name
        for column in contract.columns
        if column.classification in _OPEN_CLASSES and column.identifier is None
    }
    return [name for name in schema.names if name in open_columns or name == ROW_NUMBER]
