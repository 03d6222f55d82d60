"""What lies around a batch in landing, for the rules that look beyond its rows.

In: a batch, its contract and manifest. Out: `Surroundings`, whose relations are views in the
engine. Touches landing: reads manifests and key files of other tables.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from expectations.engine import Engine, quoted
from expectations.suites import across
from expectations.suites.beside import Surroundings
from extract import landing
from extract.contract import Contract
from extract.landing import Batch, Manifest
from kehu.errors import LandingError


def around(engine: Engine, batch: Batch, contract: Contract, manifest: Manifest) -> Surroundings:
    """What is known around the batch.

    Other tables are those of the same extraction, so of the same snapshot. Of a replay they are the
    newest that list every key: what its rows lacked may have come since.
    """
    keys, rows = {}, {}
    for name in sorted(_named(contract)):
        other = _beside(batch, name, manifest)
        if other is None:
            continue
        told = landing.read_manifest(other)
        if file := _keys_of(told):
            keys[name] = _view(engine, other, file, told)
        if manifest.replay_of is None:
            rows[name] = _view(engine, other, "data.parquet", told)
    zone = ZoneInfo(contract.timezone)
    day_end = datetime.combine(batch.day + timedelta(days=1), time())
    read_at = datetime.fromisoformat(manifest.extracted_at).astimezone(zone).replace(tzinfo=None)
    since = manifest.cursor_from
    return Surroundings(
        keys=keys,
        rows=rows,
        size_before=_size_before(batch) if _is_whole(manifest) else None,
        latest=max(day_end, read_at) + contract.clock_ahead,
        newest_known=datetime.fromisoformat(since) + contract.lookback if since else None,
        day_end=day_end if manifest.replay_of is None else None,
    )


def _named(contract: Contract) -> set[str]:
    """Tables that the contract's references and the rules by hand name."""
    named = {str(c.references).rpartition(".")[0] for c in contract.columns if c.references}
    return named | {each.other for each in across.RULES.get(contract.name, ())}


def _beside(batch: Batch, name: str, manifest: Manifest) -> Batch | None:
    """The batch of another table to hold this one against, if there is one."""
    system, _, table = name.partition(".")
    if manifest.replay_of is not None:
        for other in reversed(landing.batches(batch.root, system, table)):
            if _keys_of(landing.read_manifest(other)):
                return other
        return None
    other = Batch(batch.root, system, table, batch.day, batch.batch_id)
    try:
        landing.read_manifest(other)
    except LandingError:
        return None
    return other


def _is_whole(manifest: Manifest) -> bool:
    return manifest.cursor_from is None and manifest.replay_of is None


def _keys_of(manifest: Manifest) -> str | None:
    """The file that has every key the source had; None when the batch holds changes only."""
    if "keys.parquet" in manifest.files:
        return "keys.parquet"
    return "data.parquet" if _is_whole(manifest) else None


def _view(engine: Engine, other: Batch, file: str, manifest: Manifest) -> str:
    path = other.path / file
    if not path.is_file():  # a bucket's batch that this machine has no copy of
        landing.verify(other, {file: manifest.files[file]})
    view = f"{other.system}__{other.table}__{file.partition('.')[0]}"
    engine.execute(f"create or replace view {view} as select * from read_parquet('{quoted(path)}')")
    return view


def _size_before(batch: Batch) -> int | None:
    """Rows of the whole table when it was last read before this batch."""
    for other in reversed(landing.batches(batch.root, batch.system, batch.table)):
        if other.batch_id < batch.batch_id:
            manifest = landing.read_manifest(other)
            if manifest.replay_of is None:
                return manifest.table_rows
    return None
