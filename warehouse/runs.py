"""Runs: when they began and ended, and what they took.

In: a run id. Out: rows of `ops.runs` and `ops.stage_seconds`. Touches the working file.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from kehu.errors import KehuError, WarehouseError
from kehu.settings import Settings
from warehouse import books, connection, schemas
from warehouse.connection import Connection


@dataclass(frozen=True)
class Run:
    """A row of `ops.runs`."""

    run_id: str
    dag_id: str
    started_at: datetime
    finished_at: datetime | None
    as_of_date: date | None
    status: str
    version: str | None
    message: str | None


def start(settings: Settings, run_id: str, dag_id: str, as_of_date: date | None = None) -> None:
    """Note that a run began. A run that is started again is noted anew."""
    with connection.write(settings) as con:
        schemas.create(con, ())
        con.execute(
            "insert or replace into ops.runs values (?, ?, ?, null, ?, 'running', null, null)",
            [run_id, dag_id, _now(), as_of_date],
        )


def finish(
    settings: Settings,
    run_id: str,
    status: str,
    *,
    version: str | None = None,
    message: str | None = None,
    seconds: dict[str, float] | None = None,
) -> None:
    """Note how a run ended: `success` or `failed`, what it published, and seconds per stage."""
    with connection.write(settings) as con:
        con.execute("begin transaction")
        con.execute(
            "update ops.runs set finished_at = ?, status = ?, version = coalesce(?, version),"
            " message = ? where run_id = ?",
            [_now(), status, version, message, run_id],
        )
        for stage, took in (seconds or {}).items():
            con.execute(
                "insert or replace into ops.stage_seconds values (?, ?, ?)",
                [run_id, stage, round(took, 3)],
            )
        con.execute("commit")


@contextmanager
def run(
    settings: Settings, run_id: str, dag_id: str, as_of_date: date | None = None
) -> Iterator[dict[str, float]]:
    """Note a run around a block; the block puts seconds per stage into the dictionary it gets."""
    start(settings, run_id, dag_id, as_of_date)
    stages: dict[str, float] = {}
    began = time.monotonic()
    try:
        yield stages
    except Exception as error:
        message = error.what if isinstance(error, KehuError) else type(error).__name__
        finish(settings, run_id, "failed", message=message, seconds=stages)
        raise
    finish(settings, run_id, "success", seconds=stages or {dag_id: time.monotonic() - began})


def stage(settings: Settings, run_id: str, name: str, seconds: float) -> None:
    """Note the seconds of one stage."""
    with connection.write(settings) as con:
        schemas.create(con, ())
        con.execute(
            "insert or replace into ops.stage_seconds values (?, ?, ?)",
            [run_id, name, round(seconds, 3)],
        )


def built_run(settings: Settings, dag_id: str = "build_customer_marts") -> str:
    """Run id of the last build that succeeded; refuses when the last build failed."""
    with connection.read(settings) as con:
        found = (
            con.execute(
                "select run_id, status from ops.runs where dag_id = ?"
                " order by started_at desc limit 1",
                [dag_id],
            ).fetchone()
            if schemas.has_ops(con)
            else None
        )
    if found is None or found[1] != "success":
        state = "There is no build yet" if found is None else f"The last build is {found[1]}"
        raise WarehouseError(
            f"{state}, so there is nothing whole to publish.",
            where=f"{settings.work_file}, ops.runs, dag {dag_id}",
            do="run the build to its end, then publish",
        )
    return str(found[0])


def last(con: Connection, run_id: str | None = None) -> Run | None:
    """One run, or the one that started last."""
    found = con.execute(
        "select run_id, dag_id, started_at, finished_at, as_of_date, status, version, message"
        " from ops.runs where ? is null or run_id = ? order by started_at desc limit 1",
        [run_id, run_id],
    ).fetchone()
    return Run(*found) if found else None


def reconciliation(con: Connection, run_id: str | None = None) -> list[dict[str, Any]]:
    """What became of every row: per source table, its batch of a run, or else its last batch."""
    cursor = con.execute(
        "select * exclude (position) from (select *, row_number() over"
        ' (partition by system, "table" order by loaded_at desc, batch desc) as position'
        " from ops.reconciliation where ? is null or run_id = ?) where position = 1"
        ' order by system, "table"',
        [run_id, run_id],
    )
    names = [column[0] for column in cursor.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    for row in rows:
        row["control_sums"] = books.money_of(row["control_sums"])
        for name in ("new_columns", "reasons", "warnings"):
            row[name] = json.loads(row[name])
    return rows


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
