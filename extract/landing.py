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

A folder becomes visible by one rename, so a batch without manifest does not exist.
Files are 0600 in folders of 0700: landing is part of the restricted zone.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from kehu.errors import LandingError

CAST_ERRORS = "_cast_errors"
"""The column of `data.parquet` after the contract's: JSON {column: cell as text}, or NULL."""


@dataclass(frozen=True)
class Batch:
    """Address of one batch. `str(batch.address)` is what travels between tasks."""

    root: Path
    system: str
    table: str
    day: date
    batch_id: str

    @property
    def address(self) -> Path:
        """Path below the landing root."""
        return (
            Path(self.system) / self.table / f"dt={self.day.isoformat()}" / f"batch={self.batch_id}"
        )

    @property
    def path(self) -> Path:
        return self.root / self.address

    @property
    def data(self) -> Path:
        return self.path / "data.parquet"

    @property
    def keys(self) -> Path:
        return self.path / "keys.parquet"

    @property
    def passed(self) -> Path:
        return self.path / "passed.parquet"

    @property
    def quarantine(self) -> Path:
        return self.path / "quarantine.parquet"

    @classmethod
    def at(cls, root: Path, address: str | Path) -> Batch:
        """The batch at an address below `root`; raises `LandingError` for anything else."""
        parts = Path(address).parts
        try:
            system, table, day, batch = parts
            if ".." in parts or not day.startswith("dt=") or not batch.startswith("batch="):
                raise ValueError(address)
            return cls(root, system, table, date.fromisoformat(day[3:]), batch[6:])
        except ValueError:
            raise LandingError(
                "This is no address of a batch.",
                where=str(address),
                do="give <system>/<table>/dt=<yyyy-mm-dd>/batch=<id>",
            ) from None


@dataclass(frozen=True)
class Manifest:
    """What an extraction says of a batch. Control sums are exact decimals, as text.

    `source_rows` was counted by the source inside the same snapshot; `landed_rows` in the file.
    `snapshot`: the contract has no cursor, so the batch is the whole table. `cursor_from` is the
    bound above which rows were read (None: all); `cursor_to` is the highest cursor in the file,
    never beyond the end of `day` (None: there is none).
    `table_rows` counts the whole source table in that snapshot, however few rows were read.
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


@dataclass(frozen=True)
class Verdict:
    """What the gate says of a batch. `reasons` counts rows per rule; a row may break several.

    `warnings` counts rows per rule that is reported only: no row is held back for it.
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


def new_batch_id(run_id: str, moment: datetime | None = None) -> str:
    """Time of extraction (UTC) and four hex digits of the run id: sorts by time, never repeats."""
    moment = moment or datetime.now(UTC)
    return f"{moment:%Y%m%dT%H%M%S%fZ}-{hashlib.sha256(run_id.encode()).hexdigest()[:4]}"


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def writing(batch: Batch) -> Iterator[Path]:
    """Give a hidden folder to write a batch into; show it by one rename when the block succeeds.

    The caller writes its files and, last, calls `seal`. When the block raises, nothing stays.
    Raises `LandingError` when the batch exists already or the disk refuses.
    """
    if batch.path.exists():
        raise LandingError(
            "The batch exists already; landed batches never change.",
            where=str(batch.path),
            do="extract again: every extraction gets an id of its own",
        )
    hidden = batch.path.with_name(f".{batch.path.name}.{os.getpid()}")
    try:
        make_private(hidden)
        yield hidden
        if not (hidden / "manifest.json").is_file():
            raise LandingError(
                "The batch has no manifest.", where=str(hidden), do="call landing.seal at the end"
            )
        hidden.rename(batch.path)
        sync(batch.path.parent)
    except OSError as error:
        raise LandingError(
            f"The batch cannot be written: {error.strerror or error}",
            where=str(batch.path),
            do="free space or correct the rights of the folder, then run the task again",
        ) from error
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def seal(folder: Path, manifest: Manifest) -> Manifest:
    """Write the manifest last, with the SHA-256 of every file in `folder`."""
    files = {path.name: sha256(path) for path in sorted(folder.glob("*.parquet"))}
    sealed = Manifest(**{**asdict(manifest), "files": files})
    write_json(folder / "manifest.json", asdict(sealed))
    return sealed


def read_manifest(batch: Batch) -> Manifest:
    """The manifest of a batch; raises `LandingError` when there is none."""
    return Manifest(**_read_json(batch.path / "manifest.json", "extract the table again"))


def read_verdict(batch: Batch) -> Verdict:
    """The gate's verdict; raises `LandingError` when validation did not run to its end."""
    return Verdict(**_read_json(batch.path / "verdict.json", "validate the batch first"))


def verify(batch: Batch, files: dict[str, str]) -> None:
    """Compare the SHA-256 of `files` with what lies there; raise `LandingError` naming the file."""
    for name, expected in files.items():
        path = batch.path / name
        if not path.is_file() or sha256(path) != expected:
            raise LandingError(
                "The file is missing or is not what was written (SHA-256 differs).",
                where=str(path),
                do="restore the file, or extract and validate the table again",
            )


def batches(root: Path, system: str | None = None, table: str | None = None) -> list[Batch]:
    """Every landed batch, oldest first."""
    pattern = f"{system or '*'}/{table or '*'}/dt=*/batch=*/manifest.json"
    found = (Batch.at(root, path.parent.relative_to(root)) for path in root.glob(pattern))
    return sorted(found, key=lambda batch: (batch.batch_id, batch.system, batch.table))


def sweep(folder: Path) -> list[Path]:
    """Remove what killed extractions left hidden below `folder` (a system); returns the paths."""
    left = []
    for path in folder.glob("*/dt=*/.batch=*"):
        pid = path.name.rpartition(".")[2]
        if not pid.isdecimal() or _is_running(int(pid)):
            continue
        shutil.rmtree(path, ignore_errors=True)
        left.append(path)
    return left


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def make_private(folder: Path) -> None:
    """Make `folder` and its missing parents, readable by the owner only."""
    for part in [*reversed(folder.parents), folder]:
        if not part.exists():
            part.mkdir(mode=0o700, exist_ok=True)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON whole or not at all: temporary name, sync, rename; 0600."""
    hidden = path.with_name(f".{path.name}.{os.getpid()}")
    for parquet in path.parent.glob("*.parquet"):
        parquet.chmod(0o600)
        sync(parquet)
    handle = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    hidden.replace(path)


def sync(path: Path) -> None:
    """Ask the disk to keep `path` (a file or a folder)."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_json(path: Path, do: str) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return content
    except FileNotFoundError:
        raise LandingError("The file does not exist.", where=str(path), do=do) from None
    except ValueError as error:
        raise LandingError(f"The file is not valid JSON: {error}", where=str(path), do=do) from None
