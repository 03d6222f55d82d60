"""Holds: tables whose size in the source changed too much to be published unseen.

In: `ops.reads`, the bounds of the contracts, confirmations. Out: `Hold`s, and a `WarehouseError`
that stops a build. Touches `ops.confirmations` and the confirmed batch's folder in landing.

Nothing is stored about a hold: it follows from the sizes. A batch is accepted when its table's size
lies within the bounds of the size before and of the mean of the last loads, or when a person has
confirmed it. A table is held while its newest batch is not accepted; so a source that comes back to
its size releases the hold by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

from extract import contract as contracts_of
from extract import landing
from extract.confirmation import Confirmation, confirm
from extract.contract import Contract
from extract.landing import Batch
from kehu.errors import LandingError, WarehouseError
from kehu.settings import Settings
from warehouse import connection, schemas
from warehouse.connection import Connection


@dataclass(frozen=True)
class Hold:
    """A table that is held: its size now, before, the mean of its last loads, and the bounds."""

    table: str
    batch: Batch
    before: int
    mean: float
    now: int
    least: float
    most: float

    def __str__(self) -> str:
        return (
            f"{self.table} has {self.now:,} rows in its source; before {self.before:,}, "
            f"mean of the last loads {self.mean:,.0f}, "
            f"allowed {self.least:,.0f} to {self.most:,.0f}"
        )


def holds(con: Connection, contracts: Iterable[Contract]) -> list[Hold]:
    """Every table that is held now, by name."""
    known = {contract.name: contract for contract in contracts}
    rows = con.execute(
        "select reads.system || '.' || reads.\"table\", reads.batch, reads.table_rows,"
        " confirmations.batch is not null"
        " from ops.reads left join ops.confirmations using (batch)"
        " where table_rows is not null order by 1, reads.batch_id"
    ).fetchall()
    found = []
    for name, batches in groupby(rows, key=lambda row: row[0]):
        if name in known and (hold := _judge(known[name], list(batches))) is not None:
            found.append(hold)
    return found


def all_holds(settings: Settings) -> list[Hold]:
    """Every table of the working file that is held now."""
    contracts = contracts_of.read_all(settings.contract_dirs)
    with connection.read(settings) as con:
        return holds(con, contracts) if schemas.has_ops(con) else []


def require_accepted(settings: Settings) -> None:
    """Raise `WarehouseError` naming every table that is held."""
    if held := all_holds(settings):
        raise WarehouseError(
            "The marts are not built: a source table has changed its size too much. "
            + "; ".join(map(str, held))
            + ". Readers keep the last publication.",
            where=", ".join(str(hold.batch.address) for hold in held),
            do="look at the source; when it is right, run "
            + "; ".join(
                f'`python -m warehouse confirm {hold.table} {hold.batch.batch_id} --reason "..."`'
                for hold in held
            )
            + " and clear the build; when it is wrong, correct the source and run its ingest again",
        )


def confirm_batch(
    settings: Settings, table: str, batch_id: str, by: str, reason: str
) -> Confirmation:
    """Record that a person takes a batch for right, in landing and in `ops.confirmations`.

    Raises `LandingError` when no such batch has landed, or the reason is empty.
    """
    system, _, name = table.partition(".")
    found = [b for b in landing.batches(settings.landing, system, name) if b.batch_id == batch_id]
    if not name or not found:
        raise LandingError(
            "No such batch has landed.",
            where=f"{settings.landing}: {table}, batch {batch_id}",
            do="give <system>.<table> and the id of a batch, as the message of the hold does",
        )
    word = confirm(found[0], by, reason)
    with connection.write(settings) as con:
        schemas.create(con, ())
        note_confirmation(con, found[0], word)
    return word


def note_confirmation(con: Connection, batch: Batch, word: Confirmation) -> None:
    """Copy a confirmation from landing into `ops.confirmations`."""
    con.execute(
        "insert or ignore into ops.confirmations values (?, ?, ?, ?, ?, ?, ?)",
        [
            str(batch.address),
            batch.system,
            batch.table,
            batch.batch_id,
            word.by,
            datetime.fromisoformat(word.at).replace(tzinfo=None),
            word.reason,
        ],
    )


def _judge(contract: Contract, batches: Sequence[tuple[str, str, int, bool]]) -> Hold | None:
    """Walk through the batches of a table, oldest first; the hold of the last one, if any."""
    accepted: list[int] = []
    hold = None
    for name, batch, now, is_confirmed in batches:
        if is_confirmed:
            # a new normal: what was before says nothing any more
            accepted = []
        hold = _compare(contract, name, batch, now, accepted) if accepted else None
        if hold is None:
            accepted = [*accepted, now][-contract.volume.loads :]
    return hold


def _compare(
    contract: Contract, name: str, batch: str, now: int, accepted: Sequence[int]
) -> Hold | None:
    bounds = contract.volume
    before, mean = accepted[-1], sum(accepted) / len(accepted)
    least = max(before, mean) * bounds.least_share
    most = max(min(before, mean), contract.smallest_sample) * bounds.most_times
    is_emptied = now == 0 and max(accepted) > 0
    if least <= now < most and not is_emptied:
        return None
    return Hold(name, Batch.at(Path(), batch), before, mean, now, least, most)
