"""Restated history: which past months a batch changed, by how many rows and how much money; and
keys that the source gave to somebody else.

In: a connection inside the transaction of a load, between its decisions and its commit. Out: rows
of `ops.restatements` and `ops.reused_keys`. Touches temporary tables of the connection and these.

A month is past when it lies before the month of the batch's day. A source that corrects a bill of
last year, deletes one, or delivers one late changes figures that readers have seen: this says so.
"""

from __future__ import annotations

import json
from typing import Any

from extract.contract import Contract
from warehouse.admission import Admitted
from warehouse.connection import Connection
from warehouse.ddl.raw_tables import quoted
from warehouse.raw_sql import number

_WHO = ("identity_number", "party_name", "birth_date")
"""Kinds of identifiers that stay with a person; phones and addresses change."""
_TELLING = 2
"""Cells that must differ."""


def note(con: Connection, admitted: Admitted, run_id: str) -> None:
    """Write what `temp.touched` says of past months, one row per month."""
    contract, batch = admitted.contract, admitted.batch
    money = contract.money
    sums = "".join(f", sum(sign * {quoted(name)})" for name in money)
    found = con.execute(
        "select period, count(*) filter (kind = 'added'), count(*) filter (kind = 'changed'),"
        f" count(*) filter (kind = 'deleted'){sums} from temp.touched"
        " where period < strftime(cast(? as date), '%Y-%m') group by period order by period",
        [batch.day],
    ).fetchall()
    for period, added, changed, deleted, *deltas in found:
        con.execute(
            "insert into ops.restatements values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                run_id,
                batch.system,
                batch.table,
                str(batch.address),
                period,
                added,
                changed,
                deleted,
                json.dumps({n: str(d or 0) for n, d in zip(money, deltas, strict=True)}),
            ],
        )


def touched(con: Connection, admitted: Admitted, table: str, deleted: str) -> None:
    """`temp.touched`: rows that leave a month (sign -1) and rows that enter one (sign 1).

    Call after the decisions and before anything is superseded. `deleted` is the SQL condition of an
    incoming row that its source marks as deleted.
    """
    contract = admitted.contract
    if contract.period is None:
        return
    period = f"strftime(cast({quoted(contract.period)} as timestamp), '%Y-%m') as period"
    money = "".join(f", {quoted(name)}" for name in contract.money)
    con.execute(
        f"""
        create or replace temp table touched as
        with fresh as (
            select
                incoming.*,
                decided.standing_rowid,
                stored._rowid is not null and not stored._is_deleted as stood,
                {deleted} as is_marked
            from temp.decided
            inner join temp.incoming using (_position)
            left join temp.stored on stored._rowid = decided.standing_rowid
            where decided.is_current
        )
        select
            {period}, 1 as sign, case when stood then 'moved' else 'added' end as kind{money}
        from fresh where not is_marked
        union all
        select {period}, -1, case when is_marked then 'deleted' else 'changed' end{money}
        from {table} as raw
        inner join (select standing_rowid, is_marked from fresh where stood) as fresh
            on raw.rowid = fresh.standing_rowid
        """
    )


def reused(con: Connection, admitted: Admitted, table: str) -> int:
    """How many keys came as somebody else than they stood for before.

    That is a row of which everything that identifies a party (number, name, date of birth) and is
    known in both versions differs, in two cells at least: a mistyped name alone, or a new number
    alone, is a correction. Call after the decisions and before anything is superseded.
    """
    held = {column[0] for column in con.execute(f"select * from {table} limit 0").description or ()}
    names = [name for name in _identifying(admitted.contract) if name in held]
    if len(names) < _TELLING:
        return 0
    pairs = [(f"raw.{quoted(name)}", f"incoming.{quoted(name)}") for name in names]
    known = " + ".join(f"cast({a} is not null and {b} is not null as integer)" for a, b in pairs)
    differ = " + ".join(f"cast(coalesce({a} <> {b}, false) as integer)" for a, b in pairs)
    return number(
        con,
        f"select count(*) from temp.decided inner join temp.incoming using (_position)"
        f" inner join {table} as raw on raw.rowid = decided.standing_rowid"
        f" where decided.is_current and {known} >= {_TELLING} and {known} = {differ}",
    )


def note_reused(con: Connection, admitted: Admitted, run_id: str, keys: int) -> None:
    """Write that a batch reused keys."""
    batch = admitted.batch
    con.execute(
        "insert into ops.reused_keys values (?, ?, ?, ?, ?)",
        [run_id, batch.system, batch.table, str(batch.address), keys],
    )


def told(con: Connection) -> dict[str, dict[str, Any]]:
    """Per batch what it restated (`restated`: one entry per past month) and `reused_keys`."""
    found: dict[str, dict[str, Any]] = {}
    there = {
        name
        for (name,) in con.execute(
            "select table_name from duckdb_tables() where schema_name = 'ops'"
        ).fetchall()
    }
    if "restatements" in there:
        for batch, period, added, changed, deleted, deltas in con.execute(
            "select batch, period, added, changed, deleted, deltas from ops.restatements"
            " order by batch, period"
        ).fetchall():
            entry = {"period": period, "added": added, "changed": changed, "deleted": deleted}
            entry["deltas"] = json.loads(deltas)
            found.setdefault(batch, {}).setdefault("restated", []).append(entry)
    if "reused_keys" in there:
        for batch, keys in con.execute("select batch, keys from ops.reused_keys").fetchall():
            found.setdefault(batch, {})["reused_keys"] = keys
    return found


def _identifying(contract: Contract) -> list[str]:
    """Columns that say who a row is about; normalised, so that a new spelling is no new person."""
    return [
        f"{column.name}_norm" if f"{column.name}_norm" in column.derived else column.name
        for column in contract.columns
        if column.identifier in _WHO
    ]


def gone(con: Connection, admitted: Admitted, table: str) -> None:
    """Add the rows of `temp.gone`, which the source no longer has."""
    contract = admitted.contract
    if contract.period is None:
        return
    period = f"strftime(cast({quoted(contract.period)} as timestamp), '%Y-%m')"
    money = "".join(f", {quoted(name)}" for name in contract.money)
    con.execute(
        f"insert into temp.touched select {period}, -1, 'deleted'{money} from {table}"
        " where rowid in (select _rowid from temp.gone)"
    )
