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
from decimal import Decimal
from pathlib import Path

from extract.contract import Contract
from kehu.errors import WarehouseError
from warehouse import hashes
from warehouse.admission import Admitted, unequal
from warehouse.connection import Connection
from warehouse.ddl.raw_tables import literal, quoted

_NO_CURSOR = "timestamp '0001-01-01'"


@dataclass(frozen=True)
class Counts:
    """What became of the passed rows of a batch, and their highest cursor."""

    passed: int
    loaded: int
    duplicate: int
    updated: int
    deleted: int
    cursor: datetime | None


def apply(con: Connection, admitted: Admitted, newest: Path | None) -> Counts:
    """Put the batch into its raw table.

    `newest` is the key file of the newest batch that lists keys, when that is not this one: then
    it tells which of this batch's keys are gone, and this batch tells nothing about others.
    """
    passed, repeated, cursor = _stage(con, admitted)
    held, standing = _row(
        con,
        "select count(*), count(*) filter (where _is_current and not _is_deleted)"
        f" from {_table(admitted.contract)}",
    )
    _decide(con, admitted, late=newest is not None and admitted.lists_keys)
    loaded = _insert(con, admitted, held)
    known, updated = _row(
        con,
        "select count(*) filter (where not is_new), count(*) filter (where is_new and is_known)"
        " from temp.decided",
    )
    _supersede(con, admitted.contract)
    told = newest is not None or (held > 0 and admitted.lists_keys)
    deleted = _close(con, admitted, standing, newest) if told else 0
    con.execute("drop table temp.incoming; drop table temp.stored; drop table temp.decided")
    return Counts(passed, loaded, repeated + known, updated, deleted, cursor)


def control_sums(con: Connection, admitted: Admitted) -> dict[str, Decimal]:
    """Exact sums of the decimal columns over the rows that passed and the rows that did not."""
    money = admitted.contract.money
    if not money:
        return {}
    listed = _list(money)
    found = con.execute(
        f"select {', '.join(f'coalesce(sum({quoted(name)}), 0)' for name in money)} from"
        f" (select {listed} from {_parquet(admitted.batch.passed)}"
        f" union all select {listed} from {_parquet(admitted.batch.quarantine)})"
    ).fetchone()
    return dict(zip(money, found or (), strict=True))


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
        repeats = _one(
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
    keys = _list(contract.key)
    con.execute(
        "create or replace temp table stored as"
        f" select rowid as _rowid, {keys}, {_cursor(contract)} as _cursor, _batch_id,"
        f" _row_hash, _is_current from {_table(contract)} as raw"
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
            select {keys}, {_cursor(contract)} as _cursor, _row_hash, _position from temp.incoming
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
    table = _table(contract)
    # not the payload, where another engine reads it from the passed files
    held = {column[0] for column in con.execute(f"select * from {table} limit 0").description or ()}
    names = _list([name for name in contract.passed_schema.names if name in held])
    con.execute(
        f"insert into {table} ({names}, _batch_id, _day, _loaded_at, _row_hash, _is_current,"
        " _is_deleted)"
        f" select {names}, ?, ?, cast(now() at time zone 'UTC' as timestamp), _row_hash,"
        " is_current, false"
        " from temp.incoming join temp.decided using (_position) where is_new",
        [batch.batch_id, batch.day],
    )
    return _one(con, f"select count(*) from {table}") - before


def _supersede(con: Connection, contract: Contract) -> None:
    """What was current before a new current version is history now."""
    con.execute(
        f"update {_table(contract)} set _is_current = false, _is_deleted = false"
        " where rowid in (select standing_rowid from temp.decided where is_current"
        " and standing_rowid is not null)"
    )


def _close(con: Connection, admitted: Admitted, standing: int, newest: Path | None) -> int:
    """Mark keys that the source no longer has, and unmark those that came back."""
    contract = admitted.contract
    keys = _list(contract.key)
    con.execute(
        "create or replace temp table present as"
        f" select distinct {keys} from {_parquet(newest or admitted.keys)}"
    )
    table = f"{_table(contract)} as held"
    scope = "held._is_current"
    if newest is None:
        _same_keys(con, admitted)
    else:
        scope += f" and exists (select 1 from temp.incoming as given where {_same(contract)})"
    there = f"exists (select 1 from temp.present as given where {_same(contract)})"
    gone = f"{scope} and not held._is_deleted and not {there}"
    deleted = _one(con, f"select count(*) from {table} where {gone}")
    if newest is None and deleted > standing * contract.max_delete_share:
        raise WarehouseError(
            f"{deleted} of {standing} rows are gone from the source, more than the contract's "
            f"{contract.max_delete_share:.0%}. Nothing was loaded.",
            where=f"{contract.name}, batch {admitted.batch.address}",
            do="check the source; if they are rightly gone, raise maxDeleteShare in "
            f"{contract.path.name} for this one load",
        )
    if deleted:
        con.execute(f"update {table} set _is_deleted = true where {gone}")
    con.execute(
        f"update {table} set _is_deleted = false where {scope} and held._is_deleted and {there}"
    )
    con.execute("drop table temp.present")
    return deleted


def _same_keys(con: Connection, admitted: Admitted) -> None:
    """The key file holds as many keys as the source counted."""
    told = admitted.manifest.source_keys
    if admitted.contract.deletes == "key_compare" and told is not None:
        found = _one(con, f"select count(*) from {_parquet(admitted.keys)}")
        if told != found:
            raise unequal("keys of the source and keys.parquet", told, found, admitted.batch)


def _cursor(contract: Contract) -> str:
    if contract.cursor is None:
        return _NO_CURSOR
    return f"coalesce(cast({quoted(contract.cursor)} as timestamp), {_NO_CURSOR})"


def _same(contract: Contract) -> str:
    return " and ".join(f"given.{quoted(name)} = held.{quoted(name)}" for name in contract.key)


def _table(contract: Contract) -> str:
    return f"raw.{quoted(contract.raw_table)}"


def _list(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(quoted(name) for name in names)


def _passed(admitted: Admitted) -> str:
    """The passed rows in the contract's types; columns it got since they landed are empty."""
    types = {column.name: column.physical_type for column in admitted.contract.columns}
    cells = ", ".join(
        f"cast(null as {types.get(name, 'varchar')}) as {quoted(name)}"
        for name in admitted.contract.passed_schema.names
    )
    return (
        f"(select {cells} where false"
        f" union all by name select * from {_parquet(admitted.batch.passed, numbered=True)})"
    )


def _parquet(path: Path, *, numbered: bool = False) -> str:
    return f"read_parquet({literal(str(path))}, file_row_number = {str(numbered).lower()})"


def _row(con: Connection, sql: str) -> tuple[int, ...]:
    return con.execute(sql).fetchone() or ()


def _one(con: Connection, sql: str) -> int:
    return int(_row(con, sql)[0])
