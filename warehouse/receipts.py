"""Receipts: what landing itself knows of every load, so that it suffices for a rebuild.

In: batches that were just loaded. Out: `loaded.json` in the folder of each: which run loaded it,
and as which load of all. Touches: writes that file; reads those of every batch.

A receipt is written after the batch's numbers were found right and just before the commit. A
process that dies between the two leaves a receipt of a load that did not happen; the task runs
again, and loads it. The other way round a load could be lost to a rebuild.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from extract import landing
from extract.landing import Batch
from kehu.errors import LandingError
from warehouse.connection import Connection

NAME = "loaded.json"


@dataclass(frozen=True, order=True)
class Receipt:
    """The `load`th batch of the warehouse, counted from 1, loaded by the run `run_id`."""

    load: int
    batch: str
    run_id: str


def write(con: Connection, batches: Iterable[Batch]) -> None:
    """Write the receipts of batches that the open transaction has put into the ledger."""
    rows = con.execute(
        "select row_number() over (order by loaded_at, rowid), batch, run_id from ops.ledger"
    ).fetchall()
    known = {batch: Receipt(load, batch, run_id) for load, batch, run_id in rows}
    for batch in batches:
        landing.write_paper(batch, NAME, asdict(known[str(batch.address)]))


def write_missing(con: Connection, root: Path) -> None:
    """Write the receipts of batches in the ledger that have none; landing must hold the batch."""
    listed = {batch for (batch,) in con.execute("select batch from ops.ledger").fetchall()}
    landed = [batch for batch in landing.batches(root) if str(batch.address) in listed]
    write(con, [batch for batch in landed if read(batch) is None])


def read_all(root: Path) -> Iterator[tuple[Batch, Receipt]]:
    """Every batch of landing that was loaded, in the order of the loads.

    Raises `LandingError` for a receipt that cannot be read.
    """
    found = [(receipt, batch) for batch in landing.batches(root) if (receipt := read(batch))]
    for receipt, batch in sorted(found, key=lambda pair: pair[0]):
        yield batch, receipt


def read(batch: Batch) -> Receipt | None:
    """The receipt of a batch; None when it was not loaded."""
    do = "restore the file; or remove it, rebuild without this batch, and load it by hand"
    told = landing.find_paper(batch, NAME, do)
    try:
        return Receipt(**told) if told is not None else None
    except TypeError:
        raise LandingError(
            "The receipt of a load does not say what a receipt says.",
            where=batch.location(NAME),
            do=do,
        ) from None
