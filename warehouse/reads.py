"""What batches have read, and the watermark that follows: without gaps.

In: a connection inside the transaction of a load, an admitted batch. Out: rows of `ops.reads`
and `ops.watermarks`. Touches these tables.

A watermark says: every change up to here was read. So a batch moves it only when it begins at or
before it. A backfilled day that lies apart is loaded, but moves nothing until the gap is closed.
The order in which batches arrive does not matter. Nor does any clock: both ends of what was read
are values of the source, and never beyond the end of the batch's day.
"""

from __future__ import annotations

from datetime import datetime, time

from warehouse.admission import Admitted
from warehouse.connection import Connection

_UTC_NOW = "cast(now() at time zone 'UTC' as timestamp)"


def record(con: Connection, admitted: Admitted, cursor: datetime | None) -> None:
    """Note what the batch read up to `cursor`, its highest passed one, and move the watermark."""
    batch, manifest = admitted.batch, admitted.manifest
    since = datetime.fromisoformat(manifest.cursor_from) if manifest.cursor_from else None
    # a row dated in the future is a wrong clock: it must not hide what changes until then
    until = None if cursor is None else min(cursor, datetime.combine(batch.day, time.max))
    con.execute(
        "insert into ops.reads values (?, ?, ?, ?, ?, ?, ?)",
        [
            str(batch.address),
            batch.system,
            batch.table,
            batch.batch_id,
            since,
            until,
            manifest.table_rows,
        ],
    )
    _move(con, batch.system, batch.table)


def _move(con: Connection, system: str, table: str) -> None:
    """Move the watermark as far as the batches reach without a gap; never back."""
    known = con.execute(
        'select watermark from ops.watermarks where system = ? and "table" = ?', [system, table]
    ).fetchone()
    reached: datetime | None = known[0] if known else None
    by = None
    for address, since, until in con.execute(
        'select batch, reads_from, reads_to from ops.reads where system = ? and "table" = ?'
        " and reads_to is not null and (? is null or reads_to > ?)"
        " order by reads_from nulls first, batch_id",
        [system, table, reached, reached],
    ).fetchall():
        joins = since is None or (reached is not None and since <= reached)
        if joins and (reached is None or until > reached):
            reached, by = until, address
    if by is not None:
        con.execute(
            f"insert into ops.watermarks values (?, ?, ?, ?, {_UTC_NOW})"
            " on conflict do update set watermark = excluded.watermark, batch = excluded.batch,"
            " moved_at = excluded.moved_at",
            [system, table, reached, by],
        )
