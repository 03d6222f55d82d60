"""Passed landing to raw: every batch once, rows, ledger and watermark in one transaction.

In: addresses of validated batches. Out: raw tables, `ops.ledger`, `ops.watermarks`,
`ops.reconciliation`, and a `LoadResult` per batch. Touches the working file; reads landing.

All batches given to one `load_all` are loaded or none: they come from one snapshot of a source,
and readers of the tables must not see half of it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from extract import contract as contracts_of
from extract import landing
from extract.contract import Contract
from extract.landing import Batch
from kehu.errors import KehuError, WarehouseError
from kehu.settings import Settings
from warehouse import (
    books,
    connection,
    payload,
    reads,
    receipts,
    restated,
    schemas,
    versions,
    volume,
)
from warehouse.admission import Admitted, admit
from warehouse.books import LoadResult
from warehouse.connection import Connection

__all__ = ["LoadResult", "admit_all", "create_all", "load_all", "load_batch", "load_one"]


def create_all(contracts: Iterable[Contract], settings: Settings) -> None:
    """Make the schemas `raw` and `ops`, and the raw table of every contract.

    A column that is new in a contract is added, empty in the rows that are there. Raises
    `WarehouseError` when a column has another type than the contract now says.
    """
    with connection.write(settings) as con:
        _prepare(con, list(contracts), settings)


def load_batch(batch: Batch, contract: Contract, settings: Settings, run_id: str) -> LoadResult:
    """Load one batch; see `load_all`."""
    return load_all([batch], settings, run_id, [contract])[0]


def load_all(
    batches: Sequence[Batch],
    settings: Settings,
    run_id: str,
    contracts: Iterable[Contract] | None = None,
) -> list[LoadResult]:
    """Load the batches in one transaction; those in the ledger are skipped.

    Raises what `admission.admit` raises, before anything is loaded, and `WarehouseError` when the
    numbers do not add up or too many rows are gone; then nothing is loaded.
    """
    if not batches:
        return []
    if contracts is None:
        contracts = [
            contract
            for system in sorted({batch.system for batch in batches})
            for contract in contracts_of.read_all(settings.contract_dirs, system)
        ]
    by_name = {contract.name: contract for contract in contracts}
    known = _known(settings, batches)
    admitted = admit_all([batch for batch in batches if str(batch.address) not in known], by_name)
    if not admitted:
        return [known[str(batch.address)] for batch in batches]
    with connection.write(settings) as con:
        _prepare(con, [each.contract for each in admitted], settings)
        con.execute("begin transaction")
        try:
            # another process may have loaded some since the first look
            known = books.entered(con, batches)
            loaded = {
                address: load_one(con, each, run_id)
                for each in admitted
                if (address := str(each.batch.address)) not in known
            }
            receipts.write(con, [batch for batch in batches if str(batch.address) in loaded])
            con.execute("commit")
        except connection.Error as error:
            if connection.is_damage(error):
                raise connection.damaged(settings.work_file) from None
            raise _failed(error, admitted) from None
        # whatever else happens, closing the connection undoes the open transaction
    return [(loaded | known)[str(batch.address)] for batch in batches]


def not_loaded(batches: Sequence[Batch], settings: Settings) -> list[Batch]:
    """Those of the batches that the ledger does not know, in the order given."""
    known = _known(settings, batches)
    return [batch for batch in batches if str(batch.address) not in known]


def watermarks(system: str, settings: Settings) -> dict[str, datetime]:
    """How far the tables of `system` are loaded, in the local time of the source."""
    if not settings.work_file.is_file():
        return {}
    with connection.read(settings) as con:
        if not schemas.has_ops(con):
            return {}
        return dict(
            con.execute(
                'select "table", watermark from ops.watermarks where system = ? order by 1',
                [system],
            ).fetchall()
        )


def as_of(settings: Settings) -> date:
    """The newest day that was loaded."""
    with connection.read(settings) as con:
        found = (
            con.execute("select max(day) from ops.ledger").fetchone()
            if schemas.has_ops(con)
            else None
        )
    if not found or found[0] is None:
        raise WarehouseError(
            "Nothing is loaded yet, so there is no day to compute for.",
            where=str(settings.work_file),
            do="load a first batch: run the ingest DAGs",
        )
    day: date = found[0]
    return day


def as_of_dates(settings: Settings) -> list[str]:
    """The days metrics are computed for: the settings', or the newest day and 12 month ends."""
    if settings.as_of_dates:
        return sorted(_day(text) for text in settings.as_of_dates)
    newest = as_of(settings)
    ends = [newest]
    for _ in range(12):
        ends.append(ends[-1].replace(day=1) - timedelta(days=1))
    return [day.isoformat() for day in reversed(ends)]


def _prepare(con: Connection, contracts: Sequence[Contract], settings: Settings) -> None:
    """The raw tables as the engine needs them: whole rows in DuckDB, or what decides only."""
    whole = settings.engine == "duckdb"
    if whole:
        payload.restore(con, contracts, settings.landing)
    schemas.create(con, contracts, payload=whole)


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise WarehouseError(
            "An as-of date is no date.",
            where=f"KEHU_AS_OF_DATES: {text!r}",
            do="give dates as yyyy-mm-dd, separated by blanks",
        ) from None


def admit_all(
    batches: Iterable[Batch], contracts: Mapping[str, Contract], *, again: bool = False
) -> list[Admitted]:
    """Check every batch before the first is loaded; one error tells all that is wrong.

    `again`: they were loaded before, so their contract may have changed since (see `admit`).
    """
    admitted, refused = [], []
    for batch in batches:
        contract = contracts.get(f"{batch.system}.{batch.table}")
        try:
            if contract is None:
                raise WarehouseError(
                    "There is no contract for the table of this batch.",
                    where=str(batch.address),
                    do="add the contract, or correct KEHU_CONTRACTS",
                )
            admitted.append(admit(batch, contract, again=again))
        except KehuError as error:
            refused.append(error)
    if len(refused) == 1:
        raise refused[0]
    if refused:
        raise WarehouseError(
            f"{len(refused)} batches were refused: " + " ".join(error.what for error in refused),
            where="; ".join(error.where for error in refused),
            do="; ".join(sorted({error.do for error in refused})),
        )
    return admitted


def load_one(con: Connection, admitted: Admitted, run_id: str) -> LoadResult:
    """Load one admitted batch inside the transaction at hand."""
    started = time.monotonic()
    counts = versions.apply(con, admitted, _newest_keys(con, admitted))
    result = books.balance(con, admitted, counts, started)
    books.enter(con, admitted, result, run_id)
    if admitted.manifest.replay_of is None:
        # a replay brings old rows only: what lies between may not have been read yet
        reads.record(con, admitted, counts.cursor)
    if admitted.confirmation is not None:
        volume.note_confirmation(con, admitted.batch, admitted.confirmation)
    if counts.reused:
        restated.note_reused(con, admitted, run_id, counts.reused)
    if counts.held and admitted.contract.period:
        restated.note(con, admitted, run_id)
    return result


def _newest_keys(con: Connection, admitted: Admitted) -> Path | None:
    """The key file that tells which keys are gone, when it is another batch's.

    A batch that came late, or that lists no keys (a replay), is held against the newest list.
    """
    batch = admitted.batch
    listed = con.execute(
        'select batch, batch_id from ops.ledger where system = ? and "table" = ? and lists_keys'
        " order by batch_id desc limit 1",
        [batch.system, batch.table],
    ).fetchone()
    if listed is None or (admitted.lists_keys and listed[1] < batch.batch_id):
        return None
    other = Batch.at(batch.root, listed[0])
    manifest = landing.read_manifest(other)
    landing.verify(other, manifest.files)
    return Admitted(other, admitted.contract, manifest, admitted.verdict).keys


def _known(settings: Settings, batches: Sequence[Batch]) -> dict[str, LoadResult]:
    if not settings.work_file.is_file():
        return {}
    with connection.read(settings) as con:
        return books.entered(con, batches) if schemas.has_ops(con) else {}


def _failed(error: Exception, admitted: Sequence[Admitted]) -> WarehouseError:
    """DuckDB's messages may quote cells, so only their kind is told."""
    kind = type(error).__name__
    return WarehouseError(
        f"DuckDB could not load the batches ({kind}). Nothing was loaded.",
        where="; ".join(str(each.batch.address) for each in admitted),
        do="free space on the disk if it is full, then run the task again; "
        "the batches stay in landing",
    )
