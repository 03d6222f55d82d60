"""What ran, when, and how it ended: `ops.runs` and `ops.stage_seconds` of the working file.

In: the id of a run and of its DAG. Out: a context that marks the run as running, then as done or
failed. Touches: those two tables, in short transactions of their own, so that the run itself may
open the working file in between.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from kehu.errors import KehuError, WarehouseError
from kehu.settings import Settings
from warehouse import connection, schemas

_UTC_NOW = "cast(now() at time zone 'UTC' as timestamp)"


@contextmanager
def recorded(
    settings: Settings, run_id: str, dag_id: str, as_of: date
) -> Iterator[dict[str, float]]:
    """Record the run around the block; what the block puts into the dict are seconds per stage.

    A run that was cleared and started again takes its old place.
    """
    with connection.write(settings) as con:
        schemas.create(con, [])
        con.execute(
            "insert or replace into ops.runs (run_id, dag_id, started_at, as_of_date, status)"
            f" values (?, ?, {_UTC_NOW}, ?, 'running')",
            [run_id, dag_id, as_of],
        )
    stages: dict[str, float] = {}
    try:
        yield stages
    except Exception as error:
        # Other messages may quote a cell; they stay in the task's log.
        _finish(
            settings,
            run_id,
            "failed",
            error.what if isinstance(error, KehuError) else type(error).__name__,
            stages,
        )
        raise
    _finish(settings, run_id, "success", None, stages)


def _finish(
    settings: Settings, run_id: str, status: str, message: str | None, stages: dict[str, float]
) -> None:
    with connection.write(settings) as con:
        con.execute(
            f"update ops.runs set finished_at = {_UTC_NOW}, status = ?, message = ?"
            " where run_id = ?",
            [status, message, run_id],
        )
        for stage, seconds in stages.items():
            con.execute(
                "insert or replace into ops.stage_seconds values (?, ?, ?)",
                [run_id, stage, seconds],
            )


def to_publish(settings: Settings, dag_id: str) -> str:
    """The id of the newest run of `dag_id`, whose marts lie in the working file.

    Raises `WarehouseError` when it has not succeeded: the marts may be of two states then.
    """
    with connection.read(settings) as con:
        found = con.execute(
            "select run_id, status from ops.runs where dag_id = ?"
            " order by started_at desc, run_id limit 1",
            [dag_id],
        ).fetchone()
    if found is None or found[1] != "success":
        raise WarehouseError(
            "The newest build of the marts has not succeeded, so there is nothing to publish."
            if found
            else "The marts have not been built yet, so there is nothing to publish.",
            where=f"{settings.work_file}, ops.runs" + (f", run {found[0]}" if found else ""),
            do=f"run {dag_id} until it succeeds; it starts the publication by itself",
        )
    run_id: str = found[0]
    return run_id
