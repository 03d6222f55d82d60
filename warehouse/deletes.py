"""Deletes: keys that the source no longer has, or that it marks, are closed; no masses unseen.

In: a connection inside the transaction of a load, an admitted batch. Out: how many keys were
closed. Touches the batch's raw table and temporary tables of the connection.
"""

from __future__ import annotations

from pathlib import Path

from extract.contract import Contract
from kehu.errors import WarehouseError
from warehouse import restated
from warehouse.admission import Admitted, unequal
from warehouse.connection import Connection
from warehouse.ddl.raw_tables import literal, quoted
from warehouse.raw_sql import listed, number, parquet, table_of


def close(con: Connection, admitted: Admitted, standing: int, newest: Path | None) -> int:
    """Mark keys that the source no longer has, and unmark those that came back."""
    contract = admitted.contract
    keys = listed(contract.key)
    con.execute(
        "create or replace temp table present as"
        f" select distinct {keys} from {parquet(newest or admitted.keys)}"
    )
    table = f"{table_of(contract)} as held"
    scope = "held._is_current"
    if newest is None:
        _same_keys(con, admitted)
    else:
        scope += f" and exists (select 1 from temp.incoming as given where {_same(contract)})"
    there = f"exists (select 1 from temp.present as given where {_same(contract)})"
    gone = f"{scope} and not held._is_deleted and not {there}"
    con.execute(
        f"create or replace temp table gone as select rowid as _rowid from {table} where {gone}"
    )
    deleted = number(con, "select count(*) from temp.gone")
    if newest is None:
        _guard(admitted, deleted, standing)
    if deleted:
        restated.gone(con, admitted, table_of(contract))
        con.execute(
            f"update {table_of(contract)} set _is_deleted = true"
            " where rowid in (select _rowid from temp.gone)"
        )
    con.execute(
        f"update {table} set _is_deleted = false where {scope} and held._is_deleted and {there}"
    )
    return deleted


def marked(con: Connection, admitted: Admitted, standing: int) -> int:
    """How many standing keys the source marks as deleted in this batch."""
    if admitted.contract.deleted_when is None:
        return 0
    deleted = number(
        con,
        "select count(*) from temp.decided inner join temp.incoming using (_position)"
        " inner join temp.stored on stored._rowid = decided.standing_rowid"
        f" where is_current and not stored._is_deleted and {is_marked(admitted.contract)}",
    )
    _guard(admitted, deleted, standing)
    return deleted


def is_marked(contract: Contract) -> str:
    """Condition of an incoming row that its source marks as deleted."""
    if contract.deleted_when is None:
        return "false"
    values = ", ".join(map(literal, contract.deleted_when.values))
    cell = f"cast(incoming.{quoted(contract.deleted_when.column)} as varchar)"
    return f"coalesce({cell} in ({values}), false)"


def _guard(admitted: Admitted, deleted: int, standing: int) -> None:
    """A mass delete stops the load, unless a person has confirmed the batch."""
    contract, batch = admitted.contract, admitted.batch
    if deleted > standing * contract.max_delete_share and admitted.confirmation is None:
        raise WarehouseError(
            f"{deleted} of {standing} rows are gone from the source, more than the contract's "
            f"{contract.max_delete_share:.0%}. Nothing was loaded.",
            where=f"{contract.name}, batch {batch.address}",
            do="check the source; if they are rightly gone, run `python -m warehouse confirm "
            f'{contract.name} {batch.batch_id} --reason "..."` and clear the load task',
        )


def _same_keys(con: Connection, admitted: Admitted) -> None:
    """The key file holds as many keys as the source counted."""
    told = admitted.manifest.source_keys
    if admitted.contract.deletes == "key_compare" and told is not None:
        found = number(con, f"select count(*) from {parquet(admitted.keys)}")
        if told != found:
            raise unequal("keys of the source and keys.parquet", told, found, admitted.batch)


def _same(contract: Contract) -> str:
    return " and ".join(f"given.{quoted(name)} = held.{quoted(name)}" for name in contract.key)
