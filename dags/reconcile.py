"""Compare the warehouse with the sources, cell by cell, and name the rows that differ.

In: settings and tables. Out: a `Comparison` per table. Touches: reads sources and the working file;
writes the keys of what differs, as they are, into `<home>/reconcile`, which is restricted.

Fair to the moment of the last load: rows that the source changed since are left out and counted,
and rows that wait in quarantine are no difference. A row that the source deleted since is one.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from extract import landing
from extract.checksums import source_side
from extract.connectors import Snapshot, open_snapshot
from extract.contract import Contract
from extract.run import contracts_of
from extract.segments import Found, Key, differences
from kehu.errors import SettingsError
from kehu.settings import SYSTEMS, Settings
from warehouse import connection
from warehouse.checksums import WarehouseSide, loaded_until
from warehouse.connection import Connection

_OPEN = ("public", "internal")


@dataclass(frozen=True)
class Comparison:
    """What was found of one table. `newer`: rows changed since the last load, left out; `waiting`:
    rows that differ because their last version is in quarantine."""

    contract: Contract
    found: Found
    newer: int
    waiting: int
    seconds: float

    @property
    def is_equal(self) -> bool:
        return not self.found.number and self.found.complete


def reconcile(settings: Settings, name: str | None = None) -> Iterator[Comparison]:
    """Compare `<system>.<table>`, all tables of `<system>`, or every table there is.

    Loads wait while a system is compared: its tables are read in one snapshot on either side.
    """
    wanted, _, table = (name or "").partition(".")
    systems = [system for system in SYSTEMS if wanted in ("", system)]
    known = False
    for system in systems:
        contracts = [c for c in contracts_of(system, settings) if table in ("", c.table)]
        known = known or bool(contracts)
        if contracts:
            yield from _compare_system(system, contracts, settings)
    if not known:
        raise SettingsError(
            "There is no such table.",
            where=str(name),
            do="give <system>.<table>, <system>, or nothing for all",
        )


def _compare_system(
    system: str, contracts: Sequence[Contract], settings: Settings
) -> Iterator[Comparison]:
    with (
        connection.read(settings) as con,
        open_snapshot(system, settings.source_url(system), contracts) as snapshot,
    ):
        for contract in contracts:
            yield _compare(contract, snapshot, con, settings)


def _compare(
    contract: Contract, snapshot: Snapshot, con: Connection, settings: Settings
) -> Comparison:
    began = time.monotonic()
    source, newer, parts = source_side(snapshot, contract, loaded_until(con, contract))
    warehouse = WarehouseSide(con, contract, newer)
    columns = [column.name for column in contract.columns]
    found = differences(source, warehouse, columns, parts)
    waiting = warehouse.waiting(settings, [*found.missing, *found.changed])
    found.missing = [key for key in found.missing if key not in waiting]
    found.changed = {key: names for key, names in found.changed.items() if key not in waiting}
    comparison = Comparison(contract, found, len(newer), len(waiting), time.monotonic() - began)
    _write(comparison, settings)
    return comparison


def shown(key: Key, contract: Contract, secret: bytes) -> str:
    """A key for a screen or a log; of a table that tells of persons it is a pseudonym."""
    personal = any(c.identifier or c.classification not in _OPEN for c in contract.columns)
    cells = []
    for name, cell in zip(contract.key, key, strict=True):
        if personal:
            text = f"{contract.name}.{name}={cell}".encode()
            cell = f"pseudonym {hmac.new(secret, text, hashlib.sha256).hexdigest()[:16]}"
        cells.append(f"{name} {cell}")
    return ", ".join(cells)


def _write(comparison: Comparison, settings: Settings) -> None:
    """The keys as they are, for who may enter the restricted zone; nothing when all is equal."""
    path = settings.home / "reconcile" / f"{comparison.contract.name}.json"
    if comparison.is_equal:
        path.unlink(missing_ok=True)
        return
    landing.make_private(path.parent)
    found = comparison.found
    landing.write_json(
        path,
        {
            "key": list(comparison.contract.key),
            "missing": found.missing,
            "surplus": found.surplus,
            "changed": [[key, names] for key, names in found.changed.items()],
            "complete": found.complete,
        },
    )
