"""A new working file is made beside the old one and takes its place by one rename.

In: settings. Out: a context that gives the settings of the new file and switches at its end.
Touches the folder of the working file.

The old file is held all the time, so that nothing is loaded into it meanwhile, and it stays where
and what it is until the new one is whole: when the block raises, or the process dies, nothing
has changed. What a killed process left is swept by the next.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from extract import landing
from kehu.settings import Settings
from warehouse import connection, raw, receipts, schemas
from warehouse.admission import Admitted
from warehouse.connection import Connection
from warehouse.progress import Say, counted

_HIDDEN = ".new"


@contextmanager
def replacing(
    settings: Settings, *, keep_old: bool = False
) -> Iterator[tuple[Settings, Connection | None]]:
    """Settings whose working file is the new one, and a connection to the old one, if it opens.

    `keep_old`: the old file stays as `kehu-work.replaced-<UTC>.duckdb`.
    """
    beside = replace(settings, work_folder=f"{settings.work_folder}/{_HIDDEN}")
    folder = beside.work_file.parent
    with connection.held(settings) as old:
        shutil.rmtree(folder, ignore_errors=True)
        landing.make_private(folder)
        try:
            yield beside, old
            if keep_old and settings.work_file.is_file():
                name = f"{settings.work_file.stem}.replaced-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
                os.link(settings.work_file, settings.work_file.with_name(f"{name}.duckdb"))
            _switch(beside.work_file, settings.work_file)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _switch(new: Path, old: Path) -> None:
    landing.sync(new)
    # Of a file that could not be opened: DuckDB would take it for the new one's.
    old.with_name(f"{old.name}.wal").unlink(missing_ok=True)
    new.replace(old)
    landing.sync(old.parent)


def load_again(
    settings: Settings, admitted: Iterable[Admitted], runs: dict[str, str], say: Say
) -> int:
    """Load batches as they were loaded before; `runs` names the run of each. Gives their number.

    The raw tables must be there.
    What stops a first load, such as a mass delete, was decided then: these batches were loaded.
    """
    listed = [
        replace(each, contract=replace(each.contract, max_delete_share=1.0)) for each in admitted
    ]
    with connection.write(settings) as con:
        for each in counted(listed, "batches loaded", say):
            address = str(each.batch.address)
            con.execute("begin transaction")
            raw.load_one(con, each, runs[address])
            con.execute("commit")
        con.execute("checkpoint")
    return len(listed)


def not_loaded(con: Connection | None, settings: Settings) -> list[tuple[str, str]]:
    """Batches of landing with a receipt that the ledger does not have, and the run of each."""
    known: set[str] = set()
    if con is not None and schemas.has_ops(con):
        known = {batch for (batch,) in con.execute("select batch from ops.ledger").fetchall()}
    return [
        (str(batch.address), receipt.run_id)
        for batch, receipt in receipts.read_all(settings.landing)
        if str(batch.address) not in known
    ]
