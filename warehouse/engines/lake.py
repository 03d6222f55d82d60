"""The lake: the folder that this machine and a Spark cluster both see.

In: the ledger and passed files. Out: per raw table a folder with one Parquet file per loaded batch,
and a small file of versions beside it. Touches the lake; reads landing and the working file.

    raw/<table>/passed/<batch>-<sha>.parquet    the rows that passed, never changed
    raw/<table>/versions-<mark>/                which of them are versions, current, deleted
    written/<table>/                            tables that Kehu gave to the cluster
    exchange/<random>/                          what a task takes from the cluster

The cluster never sees landing: neither rows in quarantine nor batches that are not in the ledger.
What lies in the lake has the rights of its folder: 0700 and 0600 unless someone made it otherwise.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from extract import landing, parquet
from extract.contract import Contract
from kehu.settings import Settings
from warehouse import payload
from warehouse.connection import Connection
from warehouse.ddl.raw_tables import literal, quoted

VERSION_COLUMNS = ("_batch_id", "_row_hash", "_day", "_loaded_at", "_is_current", "_is_deleted")
KEYS_OF_A_ROW = ("_batch_id", "_row_hash")


@dataclass(frozen=True)
class Lake:
    """The folder here, and its name on the cluster."""

    folder: Path
    url: str

    @classmethod
    def of(cls, settings: Settings) -> Lake:
        return cls(settings.lake, settings.lake_url)

    def url_of(self, path: Path) -> str:
        """What the cluster calls a path of the lake."""
        return f"{self.url}/{path.relative_to(self.folder)}"

    def make(self, path: Path) -> Path:
        """Make a folder of the lake, with the rights of the lake."""
        landing.make_private(self.folder)
        rights = self.folder.stat().st_mode & 0o777
        for part in [*reversed(path.relative_to(self.folder).parents), path]:
            step = self.folder / part
            if not step.exists():
                step.mkdir(exist_ok=True)
                step.chmod(rights)
        return path

    def show(self, path: Path) -> None:
        """Give a finished file the rights of the lake, and keep it on the disk."""
        path.chmod(self.folder.stat().st_mode & 0o666)
        landing.sync(path)

    @contextmanager
    def exchange(self) -> Iterator[Path]:
        """A folder of one task, removed afterwards."""
        folder = self.make(self.folder / "exchange" / secrets.token_hex(8))
        try:
            yield folder
        finally:
            # what the cluster wrote may belong to its user
            shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class RawFiles:
    """Where the rows of a raw table lie. The mark is another one when anything in it changed."""

    contract: Contract
    passed: Path
    versions: Path
    mark: str


def put(con: Connection, contract: Contract, settings: Settings) -> RawFiles:
    """Bring the lake to what the ledger says of a table; what is there already costs nothing.

    Raises `LandingError` when a passed file is not the one that was loaded, and `WarehouseError`
    when a version's row is not in it.
    """
    lake = Lake.of(settings)
    folder = lake.folder / "raw" / contract.raw_table
    passed = lake.make(folder / "passed")
    wanted = {
        f"{batch.batch_id}-{sha256[:8]}.parquet": (batch, sha256)
        for batch, sha256 in payload.batches(con, contract, settings.landing)
    }
    for path in passed.iterdir():
        if path.name not in wanted:
            path.unlink()
    for name, (batch, sha256) in wanted.items():
        if not (passed / name).exists():
            query = payload.rows(con, contract, batch, sha256)
            with lake.exchange() as unfinished:
                path = unfinished / name
                _write(con, query, contract, path)
                _holds_all(con, contract, batch.batch_id, path)
                lake.show(path)
                path.rename(passed / name)
    mark = _mark(con, contract, list(wanted))
    versions = folder / f"versions-{mark}"
    if not versions.exists():
        with lake.exchange() as unfinished:
            path = lake.make(unfinished / versions.name) / "versions.parquet"
            con.execute(
                f"copy (select {', '.join(VERSION_COLUMNS)} from raw.{quoted(contract.raw_table)})"
                f" to {literal(str(path))} (format parquet, compression zstd)"
            )
            lake.show(path)
            path.parent.rename(versions)
    landing.sync(folder)
    return RawFiles(contract, passed, versions, mark)


def sweep(files: RawFiles) -> None:
    """Remove versions that no table of the cluster names any more."""
    for path in files.versions.parent.glob("versions-*"):
        if path != files.versions:
            shutil.rmtree(path, ignore_errors=True)


def _write(con: Connection, query: str, contract: Contract, path: Path) -> None:
    schema = pa.schema(
        [*contract.passed_schema, *(pa.field(name, pa.string()) for name in KEYS_OF_A_ROW)]
    )
    reader = con.execute(query).to_arrow_reader(parquet.ROW_GROUP)
    parquet.write(path, schema, (batch.cast(schema) for batch in reader), contract.columns)


def _holds_all(con: Connection, contract: Contract, batch_id: str, path: Path) -> None:
    """Every version of the batch has its row in the file."""
    found = con.execute(
        f"select count(*) from raw.{quoted(contract.raw_table)} as versions"
        " where _batch_id = ? and not exists (select 1 from"
        f" read_parquet({literal(str(path))}) as passed"
        " where passed._row_hash = versions._row_hash)",
        [batch_id],
    ).fetchone()
    if found != (0,):
        raise payload.missing(found[0] if found else -1, contract)


def _mark(con: Connection, contract: Contract, names: Sequence[str]) -> str:
    """Eight hex digits of everything that the raw table says: files, columns, versions."""
    listed = ", ".join(VERSION_COLUMNS)
    versions = con.execute(
        f"select count(*), sum(hash({listed})) from raw.{quoted(contract.raw_table)}"
    ).fetchone()
    said = repr((contract.passed_schema.to_string(), sorted(names), versions))
    return hashlib.sha256(said.encode()).hexdigest()[:8]
