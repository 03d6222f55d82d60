"""Landing: immutable Parquet with a manifest; the one contract that all stages share.

A batch is what one extraction read of one table. It lies in
`<landing>/<system>/<table>/dt=<day>/batch=<id>/` and holds

    data.parquet        the rows: the contract's columns, in order, then `_cast_errors`
    keys.parquet        all keys the source had at that moment (contracts with deletes: key_compare)
    manifest.json       counts, control sums, SHA-256 of the files above; written last
    passed.parquet      rows that passed the gate, plus normalised and hashed identifiers
    quarantine.parquet  rows that did not, with `_reasons`
    verdict.json        the gate's counts and the SHA-256 of its two files; written last
    confirmation.json   a person's word that its size is right (`extract.confirmation`), if given

The first three are written by `extract` and never change; the next three by `expectations`.
A cell that does not fit its contract type (text in a number, 31 February, a third decimal in
money, bytes that are not text in the declared encoding) neither stops the batch nor is changed:
the row lands with NULL in that cell, and `_cast_errors` (varchar, NULL for a sound row) holds a
JSON object {column: the cell as text}. The gate turns each name in it into the rule `<name>:type`
and quarantines the row; a line of a file that has too few or too many fields lands under the name
`_line`. Control sums leave such cells out on both sides.

A batch without manifest does not exist: a folder becomes visible by one rename, and in a bucket
the manifest is put last. Landing is a folder or a bucket (`KEHU_LANDING`). Of a bucket's batches a
machine holds copies, made when they are needed and never trusted: whoever reads a batch calls
`verify` first. Files are 0600 in folders of 0700: landing is part of the restricted zone.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from extract import bucket
from extract.batch import BATCH_TIME
from extract.batch import Batch as Batch
from extract.batch import new_batch_id as new_batch_id
from extract.disk import hidden_beside
from extract.disk import make_private as make_private
from extract.disk import sha256 as sha256
from extract.disk import sync as sync
from extract.disk import write_json as write_json
from kehu.errors import LandingError, StorageError

CAST_ERRORS = "_cast_errors"
"""The column of `data.parquet` after the contract's: JSON {column: cell as text}, or NULL."""
MANIFEST, VERDICT = "manifest.json", "verdict.json"


@dataclass(frozen=True)
class Manifest:
    """What an extraction says of a batch. Control sums are exact decimals, as text.

    `source_rows` was counted by the source inside the same snapshot; `landed_rows` in the file.
    `snapshot`: the contract has no cursor, so the batch is the whole table. `cursor_from` is the
    bound above which rows were read (None: all); `cursor_to` is the highest cursor in the file,
    never beyond the end of `day` (None: there is none).
    `table_rows` counts the whole source table in that snapshot, however few rows were read.
    `run_id` read it; `source_position` names the snapshot where the source has a name for it.
    `schema_changes`: sentences about how the source differs from the contract.
    `replay_of`: address of the batch whose quarantined rows were landed again, if that is what
    this batch is. It holds these rows only, so it says nothing about keys or other rows.
    """

    system: str
    table: str
    day: str
    batch_id: str
    contract_version: str
    extracted_at: str
    snapshot: bool
    cursor_from: str | None
    cursor_to: str | None
    source_rows: int
    landed_rows: int
    source_keys: int | None
    control_sums: dict[str, str]
    new_columns: list[str]
    seconds: float
    files: dict[str, str] = field(default_factory=dict)
    replay_of: str | None = None
    table_rows: int | None = None
    run_id: str | None = None
    source_position: str | None = None
    schema_changes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Verdict:
    """What the gate says of a batch. `reasons` counts rows per rule; a row may break several.

    `warnings` counts rows per rule that is reported only (1 for a rule about the batch as a whole):
    no row is held back for it. `checks` is the number of rules that were checked; `why` says in a
    sentence what is wrong with rows that break a rule.
    """

    system: str
    table: str
    batch_id: str
    passed: bool
    landed_rows: int
    passed_rows: int
    quarantined_rows: int
    reasons: dict[str, int]
    message: str
    hash_key_id: str
    seconds: float
    files: dict[str, str] = field(default_factory=dict)
    warnings: dict[str, int] = field(default_factory=dict)
    checks: int = 0
    why: dict[str, str] = field(default_factory=dict)


@contextmanager
def writing(batch: Batch) -> Iterator[Path]:
    """Give a hidden folder to write a batch into; show it by one rename when the block succeeds.

    The caller writes its files and, last, calls `seal`. When the block raises, nothing stays.
    Raises `LandingError` when the batch exists already or the disk refuses, `StorageError` when
    the bucket does.
    """
    store = bucket.behind(batch.root)
    if batch.path.exists() or (store and store.holds(batch.address / MANIFEST)):
        raise LandingError(
            "The batch exists already; landed batches never change.",
            where=str(batch.path),
            do="extract again: every extraction gets an id of its own",
        )
    hidden = hidden_beside(batch.path)
    visible = False
    try:
        with refusals(batch):
            make_private(hidden)
            yield hidden
            if not (hidden / MANIFEST).is_file():
                raise LandingError(
                    "The batch has no manifest.",
                    where=str(hidden),
                    do="call landing.seal at the end",
                )
            if store:
                store.put(hidden / MANIFEST, batch.address / MANIFEST)
            visible = True
            hidden.rename(batch.path)
            sync(batch.path.parent)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
        if store and not visible:
            with suppress(StorageError):  # what stays is not a batch, and is swept later
                store.clear(batch.address, MANIFEST)


@contextmanager
def refusals(batch: Batch) -> Iterator[None]:
    """What the disk refuses in the block, as a `LandingError` that names the batch."""
    try:
        yield
    except OSError as error:
        raise LandingError(
            f"The batch cannot be written: {error.strerror or error}",
            where=str(batch.path),
            do="free space or correct the rights of the folder, then run the task again",
        ) from error


def seal(folder: Path, manifest: Manifest) -> Manifest:
    """Write the manifest last, with the SHA-256 of every file in `folder`.

    The files go into the bucket here: what is left to do when the batches of one snapshot are
    shown is one small file each.
    """
    paths = sorted(folder.glob("*.parquet"))
    sealed = Manifest(**{**asdict(manifest), "files": {path.name: sha256(path) for path in paths}})
    write_json(folder / MANIFEST, asdict(sealed))
    root, day = folder.parents[3], date.fromisoformat(manifest.day)
    if store := bucket.behind(root):
        batch = Batch(root, manifest.system, manifest.table, day, manifest.batch_id)
        for path in paths:
            store.put(path, batch.address / path.name)
    return sealed


def read_manifest(batch: Batch) -> Manifest:
    """The manifest of a batch; raises `LandingError` when there is none."""
    path = batch.path / MANIFEST
    if (store := bucket.behind(batch.root)) and not path.is_file():
        with suppress(FileNotFoundError):
            store.fetch(batch.address / MANIFEST, path)
    if not path.is_file():
        raise LandingError(
            "The file does not exist.", where=batch.location(MANIFEST), do="extract the table again"
        )
    return Manifest(**_json(path.read_bytes(), str(path), "extract the table again"))


def find_verdict(batch: Batch) -> Verdict | None:
    """The gate's verdict; None when validation did not run to its end."""
    told = find_paper(batch, VERDICT, "validate the batch again")
    return Verdict(**told) if told is not None else None


def read_verdict(batch: Batch) -> Verdict:
    """The gate's verdict; raises `LandingError` when there is none."""
    if (verdict := find_verdict(batch)) is None:
        raise LandingError(
            "The file does not exist.", where=batch.location(VERDICT), do="validate the batch first"
        )
    return verdict


def write_verdict(batch: Batch, verdict: Verdict) -> None:
    """Write the verdict, after the files it names."""
    if store := bucket.behind(batch.root):
        for name in verdict.files:
            store.put(batch.path / name, batch.address / name)
    write_paper(batch, VERDICT, asdict(verdict))


def withdraw_verdict(batch: Batch) -> None:
    """Remove the verdict, before its files are written again."""
    if store := bucket.behind(batch.root):
        store.remove(batch.address / VERDICT)
    (batch.path / VERDICT).unlink(missing_ok=True)


def find_paper(batch: Batch, name: str, do: str) -> dict[str, Any] | None:
    """What a stage wrote beside the data of a batch, as JSON; None when it did not.

    Read where landing is: another machine may have written it anew, and a copy would not know.
    """
    store = bucket.behind(batch.root)
    try:
        content = store.read(batch.address / name) if store else (batch.path / name).read_bytes()
    except FileNotFoundError:
        return None
    return _json(content, batch.location(name), do)


def write_paper(batch: Batch, name: str, content: dict[str, Any]) -> None:
    """Write JSON beside the data of a batch, whole or not at all."""
    make_private(batch.path)
    write_json(batch.path / name, content)
    if store := bucket.behind(batch.root):
        store.put(batch.path / name, batch.address / name)


def verify(batch: Batch, files: dict[str, str]) -> None:
    """Compare the SHA-256 of `files` with what lies there; raise `LandingError` naming the file.

    A copy that is missing or differs is fetched anew from its bucket, and goes when it differs.
    """
    store = bucket.behind(batch.root)
    for name, expected in files.items():
        path = batch.path / name
        if path.is_file() and sha256(path) == expected:
            continue
        if store:
            with suppress(FileNotFoundError):
                store.fetch(batch.address / name, path)
                if sha256(path) == expected:
                    continue
            path.unlink(missing_ok=True)
        raise LandingError(
            "The file is missing or is not what was written (SHA-256 differs).",
            where=store.url(batch.address / name) if store else str(path),
            do="restore the file, or extract and validate the table again",
        )


def batches(root: Path, system: str | None = None, table: str | None = None) -> list[Batch]:
    """Every landed batch, oldest first."""
    pattern = f"{system or '*'}/{table or '*'}/dt=*/batch=*/{MANIFEST}"
    if store := bucket.behind(root):
        below = f"{system}/{table}" if system and table else system or ""
        manifests = [each for each in store.files(below) if each.match(pattern)]
    else:
        manifests = [path.relative_to(root) for path in root.glob(pattern)]
    found = (Batch.at(root, each.parent) for each in manifests)
    return sorted(found, key=lambda batch: (batch.batch_id, batch.system, batch.table))


def next_moment(root: Path, system: str, now: datetime) -> datetime:
    """`now`, or the moment after the newest batch of `system` when clocks were set back since.

    Ids of batches tell which one was read later: a clock that once ran ahead must not make all
    later reads look older than its own.
    """
    newest = max((batch.batch_id for batch in batches(root, system)), default="")
    try:
        last = datetime.strptime(newest.partition("-")[0], BATCH_TIME).replace(tzinfo=UTC)
    except ValueError:
        return now
    return max(now, last + timedelta(microseconds=1))


def _json(content: bytes, where: str, do: str) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(content)
        return told
    except ValueError as error:
        raise LandingError(f"The file is not valid JSON: {error}", where=where, do=do) from None
