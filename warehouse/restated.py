"""Restated history: which past months a batch changed, by how many rows and how much money.

In: a connection inside the transaction of a load, between its decisions and its commit. Out: rows
of `ops.restatements`. Touches temporary tables of the connection and that table.

A month is past when it lies before the month of the batch's day. A source that corrects a bill of
last year, deletes one, or delivers one late changes figures that readers have seen: this says so.
"""

from __future__ import annotations

import json

from warehouse.admission import Admitted
from warehouse.connection import Connection
from warehouse.ddl.raw_tables import quoted


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
