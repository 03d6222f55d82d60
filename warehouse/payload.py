"""The rows of a batch beside what the raw table holds of them: by batch and hash of the row.

With Spark the raw tables of the working file hold keys, cursor and flags only; the rows stay in the
files. In: the ledger, passed files. Out: rows as raw tables have them. Touches the raw tables in
`restore` only; reads landing.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow.parquet as pq

from extract import landing
from extract.contract import Contract
from extract.landing import CAST_ERRORS, Batch
from kehu.errors import WarehouseError
from warehouse import hashes, schemas
from warehouse.connection import Connection
from warehouse.ddl.raw_tables import LOADER_COLUMNS, literal, quoted

_POSITION = "file_row_number"


def batches(con: Connection, contract: Contract, root: Path) -> list[tuple[Batch, str]]:
    """The batches of a table that the ledger names, and the SHA-256 of their passed rows."""
    found = con.execute(
        'select batch, passed_sha256 from ops.ledger where system = ? and "table" = ? order by 1',
        [contract.system, contract.table],
    ).fetchall()
    return [(Batch.at(root, address), sha256) for address, sha256 in found]


def rows(con: Connection, contract: Contract, batch: Batch, sha256: str) -> str:
    """SQL of the passed rows of a batch, each content once, with `_batch_id` and `_row_hash`.

    A column that the contract did not have at that time is empty. Raises `LandingError` when the
    file is not the one that was loaded.
    """
    landed_as = landing.read_manifest(batch).files[batch.data.name]
    landing.verify(batch, {batch.passed.name: sha256, batch.data.name: landed_as})
    # the hash was taken over the columns that the contract had then: those that landed
    landed = con.execute(f"describe select * from {_parquet(batch.data)}").fetchall()
    hashed = [(name, kind) for name, kind, *_ in landed if name not in (CAST_ERRORS, _POSITION)]
    there = set(pq.read_schema(batch.passed).names)
    listed = ", ".join(
        f"cast({quoted(name) if name in there else 'null'} as {_type(contract, name)})"
        f" as {quoted(name)}"
        for name in contract.passed_schema.names
    )
    return (
        f"select {listed}, {literal(batch.batch_id)} as _batch_id,"
        f" {hashes.row_hash(hashed)} as _row_hash"
        f" from {_parquet(batch.passed)}"
        # as when it was loaded: of rows that are equal in every column the first one
        f" qualify row_number() over (partition by _row_hash order by {_POSITION}) = 1"
    )


def restore(con: Connection, contracts: Iterable[Contract], root: Path) -> None:
    """Give raw tables that hold keys only their rows back, from the passed files below `root`.

    Each table in one transaction. Raises `LandingError` when a file is not what was loaded, and
    `WarehouseError` when a version is in none of them; then the table stays as it was.
    """
    there = schemas.held(con)
    for contract in contracts:
        columns = there.get(contract.raw_table)
        if columns and not schemas.holds_payload(contract, columns):
            con.execute("begin transaction")
            try:
                _restore(con, contract, root)
                con.execute("commit")
            except BaseException:
                con.execute("rollback")
                raise


def _restore(con: Connection, contract: Contract, root: Path) -> None:
    table = f"raw.{quoted(contract.raw_table)}"
    con.execute(f"create or replace temp table deciding as from {table}")
    con.execute(f"drop table {table}")
    schemas.create(con, [contract])
    names = ", ".join(map(quoted, contract.passed_schema.names))
    added = ", ".join(column.name for column in LOADER_COLUMNS)
    for batch, sha256 in batches(con, contract, root):
        con.execute(
            f"insert into {table} ({names}, {added}) select {names}, {added} from"
            f" ({rows(con, contract, batch, sha256)}) join"
            f" (select {added} from temp.deciding) using (_batch_id, _row_hash)"
        )
    lost = con.execute(
        f"select (select count(*) from temp.deciding) - (select count(*) from {table})"
    ).fetchone()
    if lost != (0,):
        raise missing(lost[0] if lost else -1, contract)
    con.execute("drop table temp.deciding")


def missing(versions: int, contract: Contract) -> WarehouseError:
    """The error of versions whose rows lie in no passed file."""
    return WarehouseError(
        f"The rows of {versions} versions are in no passed file.",
        where=f"raw.{contract.raw_table}; landing of {contract.name}",
        do="restore the files of landing, or rebuild the warehouse from landing",
    )


def _type(contract: Contract, name: str) -> str:
    return {c.name: c.physical_type for c in contract.columns}.get(name, "varchar")


def _parquet(path: Path) -> str:
    # the folders of landing are named like partitions, which are no columns
    options = "file_row_number = true, hive_partitioning = false"
    return f"read_parquet({literal(str(path))}, {options})"
