"""Backup and restore of the working file.

In: the working file and a folder; or a backup. Out: `kehu-work-<UTC>.duckdb`, with SHA-256, rows
and hash of every table in a `.json` beside it; or a working file that is that backup plus whatever
landing received since. Touches the folder of backups and that of the working file.

A backup counts only once its manifest is there, which is written last, after the copy was read
again from the disk, block by block. Older ones are removed only then. A restore makes a new file
beside the present one, which is kept aside.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from extract import contract as contracts_of
from extract import landing
from extract.landing import Batch
from kehu.errors import WarehouseError
from kehu.settings import Settings
from warehouse import connection, hashes, raw
from warehouse.connection import Connection
from warehouse.progress import Say
from warehouse.replacement import load_again, not_loaded, replacing

KEPT = 7
"""How many backups stay in a folder unless told otherwise."""

_HIDDEN = ".unfinished-"
_AT_ONCE = 1 << 22


@dataclass(frozen=True)
class Manifest:
    """What a backup holds: the file's SHA-256 and size, and rows and hash per table."""

    file: str
    made_at: str
    sha256: str
    bytes: int
    tables: dict[str, hashes.Content]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables.values())


def back_up(
    settings: Settings, folder: Path | None = None, keep: int = KEPT, say: Say = lambda _: None
) -> Path:
    """Copy the working file into `folder`, verify the copy, and keep the newest `keep` backups.

    Loads wait meanwhile. Raises `DamagedError` when the working file is not what was written, and
    `WarehouseError` when the copy is not the file; then no backup is made and none removed.
    """
    if keep < 1:
        raise WarehouseError(
            "A backup that is not kept is none.", where=f"keep {keep}", do="keep at least 1"
        )
    target = folder or settings.backups
    began = time.monotonic()
    moment = datetime.now(UTC)
    final = target / f"kehu-work-{moment:%Y%m%dT%H%M%S%fZ}.duckdb"
    hidden = final.with_name(f"{_HIDDEN}{final.name}")
    try:
        landing.make_private(target)
        # The file stays open to the end: closing it would let go of DuckDB's lock.
        with connection.held(settings) as con, _opened(settings.work_file) as source:
            if con is None:
                raise connection.damaged(settings.work_file)
            _sweep(target)
            sha256 = _copy(source, hidden)
            say(f"{final.name}: copied, {hidden.stat().st_size:,} bytes; reading it again")
            manifest = Manifest(
                file=final.name,
                made_at=moment.isoformat(timespec="seconds"),
                sha256=sha256,
                bytes=hidden.stat().st_size,
                tables=_read_again(hidden, sha256),
            )
        hidden.rename(final)
        landing.write_json(final.with_suffix(".json"), asdict(manifest))
        landing.sync(target)
    except OSError as error:
        raise WarehouseError(
            f"The backup was not finished: {error.strerror or type(error).__name__}.",
            where=str(target),
            do="free space or correct the rights of the folder, then back up again; older backups "
            "are as they were",
        ) from None
    finally:
        hidden.unlink(missing_ok=True)
    gone = _prune(target, keep)
    say(
        f"{final}: {len(manifest.tables)} tables, {manifest.rows:,} rows, verified, in "
        f"{time.monotonic() - began:.1f} s" + (f"; {gone} older removed" if gone else "")
    )
    return final


def backups(folder: Path) -> list[Path]:
    """Finished backups in a folder, oldest first."""
    return [p for p in sorted(folder.glob("kehu-work-*.duckdb")) if p.with_suffix(".json").exists()]


def read_manifest(backup: Path) -> Manifest:
    """What the backup says of itself; raises `WarehouseError` when it does not."""
    path = backup.with_suffix(".json")
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        tables = {name: hashes.Content(**each) for name, each in told.pop("tables").items()}
        return Manifest(**told, tables=tables)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise WarehouseError(
            f"The backup has no manifest that can be read ({type(error).__name__}).",
            where=str(path),
            do="take another backup: without manifest nothing says that it is whole",
        ) from None


def restore(
    settings: Settings,
    backup: Path | None = None,
    say: Say = lambda _: None,
    *,
    as_it_was: bool = False,
) -> int:
    """Put a backup in the place of the working file; gives the batches loaded on top of it.

    `backup`: the newest unless named. What landing received since is loaded as it was then, unless
    `as_it_was`. Raises `WarehouseError` or `LandingError` when backup or landing is damaged; then
    the working file is as it was.
    """
    chosen = backup or _newest(settings)
    began = time.monotonic()
    manifest = read_manifest(chosen)
    if not chosen.is_file() or landing.sha256(chosen) != manifest.sha256:
        raise WarehouseError(
            "The backup is missing or is not what was written (SHA-256 differs).",
            where=str(chosen),
            do=f"take another one of {chosen.parent}, or rebuild from landing",
        )
    with replacing(settings, keep_old=True) as (beside, _):
        with chosen.open("rb") as source:
            _copy(source, beside.work_file)
        if _read_again(beside.work_file, manifest.sha256) != manifest.tables:
            raise WarehouseError(
                "The tables of the backup do not hold what its manifest says.",
                where=str(chosen),
                do="take another backup; this one, or its manifest, was changed",
            )
        say(f"{chosen}: {manifest.rows:,} rows of {manifest.made_at}, as they were written")
        number = 0 if as_it_was else _catch_up(beside, say)
    say(
        f"{settings.work_file}: restored, {number:,} batches of landing loaded on top, in "
        f"{time.monotonic() - began:.1f} s; build the marts and publish next"
    )
    for path in sorted(settings.work_file.parent.glob("kehu-work.replaced-*.duckdb")):
        say(f"{path}: what was there before; remove it when the new one is what you want")
    return number


def _catch_up(settings: Settings, say: Say) -> int:
    """Load the batches that landing has a receipt of and the ledger does not."""
    with connection.write(settings) as con:
        missing = dict(not_loaded(con, settings))
        lost = _lost(con, settings)
    if lost:
        say(f"{settings.landing}: {lost:,} batches of the backup are no longer in landing")
    contracts = contracts_of.read_all(settings.contract_dirs)
    by_name = {contract.name: contract for contract in contracts}
    batches = [Batch.at(settings.landing, address) for address in missing]
    admitted = raw.admit_all(batches, by_name, again=True)
    raw.create_all(contracts, settings)
    return load_again(settings, admitted, missing, say)


def _lost(con: Connection, settings: Settings) -> int:
    landed = {str(batch.address) for batch in landing.batches(settings.landing)}
    listed = con.execute("select batch from ops.ledger").fetchall()
    return sum(batch not in landed for (batch,) in listed)


def _newest(settings: Settings) -> Path:
    found = backups(settings.backups)
    if not found:
        raise WarehouseError(
            "There is no backup.",
            where=str(settings.backups),
            do="name one: `python -m warehouse restore <file>`; or rebuild from landing",
        )
    return found[-1]


def _opened(path: Path) -> BinaryIO:
    if not path.is_file():
        raise WarehouseError(
            "The warehouse file does not exist yet.", where=str(path), do="load a first batch"
        )
    return path.open("rb")


def _copy(source: BinaryIO, target: Path) -> str:
    """Copy to a new file, 0600, on the disk when this returns; gives the SHA-256 of the source."""
    digest = hashlib.sha256()
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        while part := source.read(_AT_ONCE):
            digest.update(part)
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _read_again(copy: Path, sha256: str) -> dict[str, hashes.Content]:
    """Read the copy from the disk, as bytes and as tables; its bytes must be those copied."""
    if landing.sha256(copy) != sha256:
        raise WarehouseError(
            "The copy is not what was copied.",
            where=str(copy),
            do="look at the disk, then try again; nothing was replaced",
        )
    return hashes.contents(copy)


def _prune(folder: Path, keep: int) -> int:
    """Remove all but the newest; manifests first, so that half a removal leaves no false backup."""
    old = backups(folder)[:-keep]
    for path in old:
        path.with_suffix(".json").unlink()
        path.unlink()
    return len(old)


def _sweep(folder: Path) -> None:
    """Remove what a killed backup left: copies without a manifest."""
    finished = set(backups(folder))
    unfinished: Iterable[Path] = (
        *folder.glob(f"{_HIDDEN}kehu-work-*"),
        *(path for path in folder.glob("kehu-work-*.duckdb") if path not in finished),
    )
    for path in unfinished:
        path.unlink()
