"""Rebuild: the warehouse from landing alone, in a new file that then takes the old one's place.

In: landing with its receipts. Out: raw tables with their whole history, ledger, watermarks and
reconciliation as they were, load times aside. Touches the folder of the working file.

The batches are loaded in the order in which they were loaded first. Nothing is asked of a source.
Marts come with the next build; the history of runs begins anew.
"""

from __future__ import annotations

import time

from extract import contract as contracts_of
from extract.landing import Batch
from kehu.errors import WarehouseError
from kehu.settings import Settings
from warehouse import raw, receipts
from warehouse.connection import Connection
from warehouse.progress import Say, counted
from warehouse.replacement import load_again, replacing
from warehouse.schemas import has_ops


def rebuild(settings: Settings, say: Say = lambda _: None) -> int:
    """Rebuild the working file; gives the number of batches.

    Raises `WarehouseError` or `LandingError`, before anything is written, when a batch is damaged
    (all of them are named) or landing no longer holds what the warehouse does.
    """
    began = time.monotonic()
    contracts = contracts_of.read_all(settings.contract_dirs)
    with replacing(settings) as (beside, old):
        if old is not None and has_ops(old):
            receipts.write_missing(old, settings.landing)
        found = list(receipts.read_all(settings.landing))
        _complete(settings, [batch for batch, _ in found], old)
        say(f"{settings.landing}: {len(found):,} batches were loaded; checking their files")
        by_name = {contract.name: contract for contract in contracts}
        batches = counted([batch for batch, _ in found], "batches checked", say)
        admitted = raw.admit_all(batches, by_name, again=True)
        say(f"{beside.work_file}: loading them in their order")
        raw.create_all(contracts, beside)
        runs = {str(batch.address): receipt.run_id for batch, receipt in found}
        number = load_again(beside, admitted, runs, say)
    say(
        f"{settings.work_file}: rebuilt from {number:,} batches in "
        f"{time.monotonic() - began:.1f} s; build the marts and publish next"
    )
    return number


def _complete(settings: Settings, batches: list[Batch], old: Connection | None) -> None:
    """Landing must hold every batch that the present file has: a rebuild may not lose one."""
    landed = {str(batch.address) for batch in batches}
    held: set[str] = set()
    if old is not None and has_ops(old):
        held = {batch for (batch,) in old.execute("select batch from ops.ledger").fetchall()}
    gone = sorted(held - landed)
    if gone:
        raise WarehouseError(
            f"Landing lacks {len(gone)} of {len(held)} batches that the warehouse holds; "
            f"a rebuild would lose them. The first: {gone[0]}.",
            where=str(settings.landing),
            do="restore landing; or keep the warehouse as it is: it has what landing lost",
        )
    if not landed:
        raise WarehouseError(
            "Landing holds no batch that was loaded, so there is nothing to rebuild from.",
            where=str(settings.landing),
            do="restore landing or a backup of the warehouse; or run the ingest DAGs, which read "
            "the sources anew",
        )
