"""The address of a batch, which says where its files lie, here and in a bucket."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path, PurePath

from extract import bucket
from kehu.errors import LandingError

BATCH_TIME = "%Y%m%dT%H%M%S%fZ"
"""How the id of a batch begins."""


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

    def location(self, name: str) -> str:
        """Where a file of the batch lies, also for engines that read it themselves: a path, or
        s3://bucket/prefix/..."""
        store = bucket.behind(self.root)
        return store.url(self.address / name) if store else str((self.path / name).absolute())

    @classmethod
    def at(cls, root: Path, address: str | PurePath) -> Batch:
        """The batch at an address below `root`; raises `LandingError` for anything else."""
        parts = PurePath(address).parts
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


def new_batch_id(run_id: str, moment: datetime | None = None) -> str:
    """Time of extraction (UTC) and four hex digits of the run id: sorts by time, never repeats."""
    moment = moment or datetime.now(UTC)
    return f"{moment.strftime(BATCH_TIME)}-{hashlib.sha256(run_id.encode()).hexdigest()[:4]}"
