"""The rules of raw tables: one row per key and version, which version is current, what is deleted.

In: a connection inside a transaction, an admitted batch. Out: counts. Touches the batch's raw
table, set by set, and temporary tables of the connection.

A version is a key with one content. Of a key's versions the current one has the highest cursor;
with equal cursors the one of the later batch; within one batch the greater row hash. So the order
in which batches arrive does not matter. Tables without cursor are ordered by batch alone, and a
batch older than the newest one adds history only: the newest held every row the source had.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from extract import span
from extract.contract import Contract
from kehu.errors import WarehouseError
from warehouse import deletes, hashes, restated
from warehouse.admission import Admitted
from warehouse.connection import Connection
from warehouse.ddl.raw_tables import literal, quoted
from warehouse.raw_sql import listed, number, parquet, row, table_of

_NO_CURSOR = "timestamp '0001-01-01'"


@dataclass(frozen=True)
class Counts:
    """What became of the passed rows of a batch, and their highest cursor.

    `held`: versions that were in the table before; `reused`: keys that now stand for another.
    """

    passed: int
    held: int
    loaded: int
    duplicate: int
    updated: int
    deleted: int
    cursor: datetime | None
    reused: int = 0


def apply(con: Connection, admitted: Admitted, newest: Path | None) -> Counts:
    """Put the batch into its raw table.

    `newest` is the key file of the newest batch that lists keys, when that is not this one: then
    it tells which of this batch's keys are gone, and this batch tells nothing about others.
    """
    passed, repeated, cursor = _stage(con, admitted)
    held, standing = row(
        con,
        "select count(*), count(*) filter (where _is_current and not _is_deleted)"
        f" from {table_of(admitted.contract)}",
    )
    _decide(con, admitted, late=newest is not None and admitted.lists_keys)
    marked = deletes.marked(con, admitted, standing)
    restated.touched(
        con, admitted, table_of(admitted.contract), deletes.is_marked(admitted.contract)
    )
    reused = restated.reused(con, admitted, table_of(admitted.contract)) if held else 0
    loaded = _insert(con, admitted, held)
    known, updated = row(
        con,
        "select count(*) filter (where not is_new), count(*) filter (where is_new and is_known)"
        " from temp.decided",
    )
    _supersede(con, admitted.contract)
    told = newest is not None or (held > 0 and admitted.lists_keys)
    deleted = marked + (deletes.close(con, admitted, standing, newest) if told else 0)
    return Counts(passed, held, loaded, repeated + known, updated, deleted, cursor, reused)


def _stage(con: Connection, admitted: Admitted) -> tuple[int, int, datetime | None]:
    """`incoming`: the passed rows with their hash and position, without repeats.

    Gives how many passed, how many of them were repeats of others, and the highest cursor.
    """
    contract = admitted.contract
    typed = [(column.name, column.physical_type) for column in contract.columns]
    con.execute(
        "create or replace temp table incoming as"
        f" select *, {hashes.row_hash(typed)} as _row_hash, file_row_number as _position"
        f" from {_passed(admitted)}"
    )
    keyless = " or ".join(f"{quoted(name)} is null" for name in contract.key)
    cursor = f"cast({quoted(contract.cursor)} as timestamp)" if contract.cursor else "null"
    rows, distinct, empty, highest = con.execute(
        f"select count(*), count(distinct _row_hash), count(*) filter (where {keyless}),"
        f" max({cursor}) from temp.incoming"
    ).fetchone() or (0, 0, 0, None)
    if empty:
        raise WarehouseError(
            f"{empty} rows have no key ({', '.join(contract.key)}). Nothing was loaded.",
            where=str(admitted.batch.passed),
            do="the gate must quarantine such rows: make the key columns required in the contract",
        )
    repeats = 0
    if distinct < rows:
        # the first of rows that are equal in every column of the contract is kept
        repeats = number(
            con,
            "delete from temp.incoming where _position not in"
            " (select min(_position) from temp.incoming group by _row_hash)",
        )
    return rows, repeats, highest


def _decide(con: Connection, admitted: Admitted, *, late: bool) -> None:
    """`decided`: for each incoming row whether it is a new version, and whether the current one.

    A stored version is new again only if it takes the place of another: a source may return to
    an earlier content.
    """
    contract = admitted.contract
    keys = listed(contract.key)
    cursor = _cursor(contract, admitted.batch.day.year + 1)
    con.execute(
        "create or replace temp table stored as"
        f" select rowid as _rowid, {keys}, {cursor} as _cursor, _batch_id,"
        f" _row_hash, _is_current, _is_deleted from {table_of(contract)} as raw"
        f" semi join temp.incoming using ({keys})"
    )
    outranks = (
        f"row(incoming_rows._cursor, {literal(admitted.batch.batch_id)}, incoming_rows._row_hash)"
        " > row(standing._cursor, standing._batch_id, standing._row_hash)"
    )
    if late and contract.cursor is None:
        outranks = "false"
    con.execute(
        f"""
        create or replace temp table decided as
        with incoming_rows as (
            select {keys}, {cursor} as _cursor, _row_hash, _position from temp.incoming
        ),
        standing as (select * from temp.stored where _is_current),
        known as (select distinct _row_hash from temp.stored),
        compared as (
            select
                incoming_rows.*,
                standing._rowid as standing_rowid,
                standing._rowid is not null as is_known,
                standing._rowid is null or {outranks} as outranks,
                known._row_hash is not null
                and not (
                    outranks and standing._row_hash is distinct from incoming_rows._row_hash
                ) as is_repeat,
            from incoming_rows
            left join standing using ({keys})
            left join known on known._row_hash = incoming_rows._row_hash
        )
        select
            _position,
            standing_rowid,
            is_known,
            not is_repeat as is_new,
            not is_repeat
            and outranks
            and row_number() over (
                partition by {keys} order by _cursor desc, _row_hash desc
            ) = 1 as is_current
        from compared
        """
    )


def _insert(con: Connection, admitted: Admitted, before: int) -> int:
    """Insert the new versions; the count is taken from the table itself."""
    contract, batch = admitted.contract, admitted.batch
    table = table_of(contract)
    # not the payload, where another engine reads it from the passed files
    held = {column[0] for column in con.execute(f"select * from {table} limit 0").description or ()}
    names = listed([name for name in contract.passed_schema.names if name in held])
    con.execute(
        f"insert into {table} ({names}, _batch_id, _day, _loaded_at, _row_hash, _is_current,"
        " _is_deleted)"
        f" select {names}, ?, ?, cast(now() at time zone 'UTC' as timestamp), _row_hash,"
        f" is_current, is_current and {deletes.is_marked(contract)}"
        " from temp.incoming join temp.decided using (_position) where is_new",
        [batch.batch_id, batch.day],
    )
    return number(con, f"select count(*) from {table}") - before


def _supersede(con: Connection, contract: Contract) -> None:
    """What was current before a new current version is history now."""
    con.execute(
        f"update {table_of(contract)} set _is_current = false, _is_deleted = false"
        " where rowid in (select standing_rowid from temp.decided where is_current"
        " and standing_rowid is not null)"
    )


def _cursor(contract: Contract, year: int) -> str:
    """A row's rank in time. In an hour that clocks show twice, times say nothing: batches do."""
    if contract.cursor is None:
        return _NO_CURSOR
    cursor = f"cast({quoted(contract.cursor)} as timestamp)"
    twice = "".join(
        f" when {cursor} >= timestamp '{start}' and {cursor} < timestamp '{end}'"
        f" then timestamp '{start}'"
        for start, end in span.overlaps(contract.timezone, year)
    )
    ranked = f"case{twice} else {cursor} end" if twice else cursor
    return f"coalesce({ranked}, {_NO_CURSOR})"


def _passed(admitted: Admitted) -> str:
    """The passed rows in the contract's types; columns it got since they landed are empty."""
    types = {column.name: column.physical_type for column in admitted.contract.columns}
    cells = ", ".join(
        f"cast(null as {types.get(name, 'varchar')}) as {quoted(name)}"
        for name in admitted.contract.passed_schema.names
    )
    return (
        f"(select {cells} where false"
        f" union all by name select * from {parquet(admitted.batch.passed, numbered=True)})"
    )
