"""The run report: what a run read, loaded and refused, checked by code, for people and machines.

In: a run. Out: `<report>/run-<run_id>.json` in the form of `run_report.schema.json`. Touches that
file; reads the working file and landing. It holds counts, sums and names, never a cell of a row.

A run of an ingest DAG tells of the batches it landed, however far they came: what it did not load
yet stands there as null. A publication tells of the last loaded batch of every table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from extract import landing
from extract.landing import Batch
from kehu.errors import KehuError, WarehouseError
from kehu.settings import Settings
from warehouse import books, connection, restated, runs, schemas
from warehouse.code_version import code_version, config_version

COUNTS = ("source", "landed", "loaded", "quarantined", "duplicate", "updated", "deleted")
SCHEMA = Path(__file__).parent / "run_report.schema.json"

_SECONDS_FOR_A_LOOK = 5.0
"""How long the report of a failed run waits for the working file."""


@dataclass(frozen=True)
class Told:
    """What only the scheduler knows of a run: when, how often tried, and why it failed."""

    dag_id: str
    status: str
    started_at: datetime | None = None
    finished_at: datetime | None = None
    day: date | None = None
    interval: Sequence[str] = ()
    failure: Mapping[str, str] | None = None
    retries: Sequence[Mapping[str, str]] = field(default_factory=tuple)


def of_publication(
    settings: Settings, run_id: str, version: Path | None = None, told: Told | None = None
) -> Path:
    """Report the build `run_id` and every source table's last batch.

    `version`: the published file; its odd debts and payments are counted, too. Raises
    `WarehouseError` when the run is not known, or when the books do not add up.
    """
    with connection.read(settings) as con:
        books.check(con)
        noted = runs.last(con, run_id)
        entries = runs.reconciliation(con)
        history = restated.told(con)
        seconds = con.execute(
            "select run_id, stage, seconds from ops.stage_seconds order by all"
        ).fetchall()
    if noted is None:
        raise WarehouseError(
            "The run is not known.",
            where=f"{settings.work_file}, ops.runs, run {run_id}",
            do="start the run with warehouse.runs.start",
        )
    run = vars(noted) | {"version": version.name if version else noted.version}
    tables = [
        _table(Batch.at(settings.landing, row["batch"]), row, history.get(row["batch"], {}))
        for row in entries
    ]
    stages = [{"run_id": run, "stage": name, "seconds": took} for run, name, took in seconds]
    exceptions = _exceptions(version) if version and version.is_file() else []
    return _write(settings, run, tables, stages, told, exceptions)


def of_ingest(settings: Settings, run_id: str, told: Told) -> Path:
    """Report an ingest run that has ended, well or not: its batches, as far as they came."""
    entries: dict[str, dict[str, Any]] = {}
    history: dict[str, dict[str, Any]] = {}
    try:
        if settings.work_file.is_file():
            with connection.read(settings, _SECONDS_FOR_A_LOOK) as con:
                if schemas.has_ops(con):
                    found = runs.reconciliation(con, run_id)
                    entries = {row["batch"]: row for row in found}
                    history = restated.told(con)
    except KehuError:
        pass  # of a failed run the working file may be the reason
    batches = {str(batch.address): batch for batch in _landed(settings, run_id, told)}
    batches |= {name: Batch.at(settings.landing, name) for name in entries}
    tables = [
        _table(batch, entries.get(name), history.get(name, {}))
        for name, batch in sorted(batches.items())
    ]
    run = {
        "run_id": run_id,
        "dag_id": told.dag_id,
        "started_at": told.started_at,
        "finished_at": told.finished_at,
        "as_of_date": told.day,
        "status": told.status,
        "version": None,
        "message": told.failure["what"] if told.failure else None,
    }
    return _write(settings, run, tables, [], told)


def _landed(settings: Settings, run_id: str, told: Told) -> Iterable[Batch]:
    tail = landing.new_batch_id(run_id).rpartition("-")[2]
    system = told.dag_id.removeprefix("ingest_")
    for batch in landing.batches(settings.landing, system):
        # Batches carry four digits of their run's id: only those few are looked into.
        if batch.batch_id.endswith(tail) and landing.read_manifest(batch).run_id == run_id:
            yield batch


def _table(
    batch: Batch, entry: Mapping[str, Any] | None, history: Mapping[str, Any]
) -> dict[str, Any]:
    """What became of one batch, from its papers and, when it was loaded, from the books.

    `history`: what it changed of past months, and keys that it gave to others.
    """
    row: dict[str, Any] = {
        "system": batch.system,
        "table": batch.table,
        "batch": str(batch.address),
        "day": batch.day.isoformat(),
        "status": "loaded" if entry else "landed",
        **dict.fromkeys(COUNTS),
        "control_sums": {},
        "new_columns": [],
        "schema_changes": [],
        "restated": [],
        "reused_keys": 0,
        "reasons": {},
        "warnings": {},
        "checks": None,
        "message": None,
        "extract_seconds": None,
        "validate_seconds": None,
        "load_seconds": None,
        **_papers(batch),
    }
    if entry:
        row |= {name: _plain(value) for name, value in entry.items()}
        row["status"] = "loaded"
        row["adds_up"] = books.is_balanced(entry)
    else:
        row["adds_up"] = None
    row |= history
    return row


def _papers(batch: Batch) -> dict[str, Any]:
    """What manifest and verdict say; little when landing has lost them."""
    told: dict[str, Any] = dict.fromkeys(
        ("cursor_after", "cursor_to", "source_position", "bytes", "manifest_sha256")
    )
    try:
        manifest = landing.read_manifest(batch)
        told |= {
            "source": manifest.source_rows,
            "landed": manifest.landed_rows,
            "control_sums": {
                name: {"source": total, "landed": total}
                for name, total in manifest.control_sums.items()
            },
            "new_columns": manifest.new_columns,
            "schema_changes": manifest.schema_changes,
            "extract_seconds": manifest.seconds,
            "cursor_after": manifest.cursor_from,
            "cursor_to": manifest.cursor_to,
            "source_position": manifest.source_position,
            "manifest_sha256": landing.sha256(batch.path / landing.MANIFEST),
        }
        if batch.data.is_file():
            told["bytes"] = batch.data.stat().st_size
        if (verdict := landing.find_verdict(batch)) is not None:
            failed = len(verdict.reasons) + (0 if verdict.passed or verdict.reasons else 1)
            told |= {
                "status": "passed" if verdict.passed else "refused",
                "quarantined": verdict.quarantined_rows,
                "reasons": verdict.reasons,
                "warnings": verdict.warnings,
                "message": verdict.message,
                "validate_seconds": verdict.seconds,
                "checks": {
                    "passed": max(verdict.checks - failed - len(verdict.warnings), 0),
                    "failed": failed,
                    "warned": len(verdict.warnings),
                },
            }
    except (KehuError, OSError):
        told["message"] = "landing no longer holds the batch, or cannot be read"
    return told


def _exceptions(published: Path) -> list[dict[str, Any]]:
    """How many debts and payments counted by a rule for odd ones; sums as text, exact."""
    names = ("record_kind", "reason", "source_system", "currency_code")
    with connection.read_published(published) as con:
        rows = con.execute(
            "select record_kind, reason_code, source_system, currency_code, count(*),"
            " cast(sum(amount) as varchar), cast(sum(unapplied_amount) as varchar)"
            " from credit.receivable_exceptions group by all order by all"
        ).fetchall()
    return [
        dict(zip((*names, "records", "amount", "unapplied_amount"), row, strict=True))
        for row in rows
    ]


def _write(
    settings: Settings,
    run: Mapping[str, Any],
    tables: Sequence[Mapping[str, Any]],
    seconds: Sequence[Mapping[str, Any]],
    told: Told | None,
    exceptions: Sequence[Mapping[str, Any]] = (),
) -> Path:
    totals = {name: sum(row[name] or 0 for row in tables) for name in COUNTS}
    content = {
        "format": 1,
        "run": {name: _plain(value) for name, value in run.items()}
        | {"interval": list(told.interval) if told else []},
        "code_version": code_version(),
        "config_version": config_version(settings),
        "adds_up": all(row["adds_up"] is not False for row in tables),
        "totals": totals,
        "tables": list(tables),
        "exceptions": list(exceptions),
        "seconds": list(seconds),
        "retries": [dict(each) for each in told.retries] if told else [],
        "failure": dict(told.failure) if told and told.failure else None,
    }
    landing.make_private(settings.run_reports)
    path = settings.run_reports / f"run-{_file_name(str(run['run_id']))}.json"
    landing.write_json(path, content)
    return path


def _plain(value: Any) -> Any:
    """Days and moments as text."""
    return value.isoformat() if isinstance(value, date) else value


def _file_name(run_id: str) -> str:
    """Run ids of a scheduler hold colons and plus signs."""
    return re.sub(r"[^0-9A-Za-z_.-]", "_", run_id)
