"""What a batch must be before the warehouse takes it.

In: a batch, its contract. Out: an `Admitted` with manifest and verdict. Touches nothing: reads and
hashes the batch's files.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from extract import landing
from extract.confirmation import Confirmation, confirmation_of
from extract.contract import Contract
from extract.landing import Batch, Manifest, Verdict
from kehu.errors import LandingError, ValidationError, WarehouseError


@dataclass(frozen=True)
class Admitted:
    """A batch whose files are what extraction and gate wrote, and that the gate lets pass."""

    batch: Batch
    contract: Contract
    manifest: Manifest
    verdict: Verdict
    confirmation: Confirmation | None = None

    @property
    def keys(self) -> Path:
        """The file that holds every key the source had."""
        name = "keys.parquet" if self.contract.deletes == "key_compare" else "data.parquet"
        return self.batch.path / name

    @property
    def lists_keys(self) -> bool:
        """Whether the batch says which keys are gone: it holds every key of the source."""
        if self.contract.deletes == "key_compare":
            return "keys.parquet" in self.manifest.files
        return self.contract.deletes == "snapshot" and self.manifest.snapshot


def admit(batch: Batch, contract: Contract, *, again: bool = False) -> Admitted:
    """Check everything that can be checked without the warehouse.

    `again`: the batch was loaded before and is read once more, for a new warehouse file. Columns
    that its contract got since are empty then, and widened ones are cast.

    Raises `LandingError` for files that are missing or changed, `ValidationError` for a verdict
    that is missing or negative, `WarehouseError` when manifest, verdict and files disagree.
    """
    if (batch.system, batch.table) != (contract.system, contract.table):
        raise WarehouseError(
            f"The contract describes {contract.name}.",
            where=str(batch.address),
            do="load the batch with the contract of its table",
        )
    manifest = landing.read_manifest(batch)
    verdict = landing.find_verdict(batch)
    if verdict is None:
        raise ValidationError(
            "The batch was not validated: it has no verdict.",
            where=str(batch.path),
            do=f"run `python -m expectations validate {batch.address}`, then load again",
        )
    if not verdict.passed:
        raise ValidationError(
            f"The gate refused the batch: {verdict.message}",
            where=str(batch.path),
            do="look at the reasons in quarantine.parquet; correct the source or the rule, "
            "then extract or validate again",
        )
    _require(manifest.files, "data.parquet", batch)
    _require(verdict.files, "passed.parquet", batch)
    _require(verdict.files, "quarantine.parquet", batch)
    landing.verify(batch, manifest.files)
    landing.verify(batch, verdict.files)
    _agree(batch, manifest, verdict)
    if not again:
        _fits(batch, contract)
    return Admitted(batch, contract, manifest, verdict, confirmation_of(batch))


def _require(files: dict[str, str], name: str, batch: Batch) -> None:
    if name not in files:
        raise LandingError(
            f"No SHA-256 of {name} was recorded.",
            where=str(batch.path),
            do="extract and validate the table again",
        )


def _agree(batch: Batch, manifest: Manifest, verdict: Verdict) -> None:
    """Every count is told twice: by a stage and by its files. Source and landed are equal."""
    for paper in (manifest, verdict):
        if (paper.system, paper.table, paper.batch_id) != (
            batch.system,
            batch.table,
            batch.batch_id,
        ):
            raise LandingError(
                f"The {type(paper).__name__.lower()} belongs to another batch.",
                where=str(batch.path),
                do="extract and validate the table again",
            )
    landed = _rows(batch.data)
    for what, told, found in (
        ("rows of the source and landed rows", manifest.source_rows, manifest.landed_rows),
        ("landed rows in manifest and file", manifest.landed_rows, landed),
        ("landed rows in manifest and verdict", manifest.landed_rows, verdict.landed_rows),
        ("passed rows in verdict and file", verdict.passed_rows, _rows(batch.passed)),
        ("quarantined rows in verdict and file", verdict.quarantined_rows, _rows(batch.quarantine)),
        (
            "landed, and passed + quarantined",
            landed,
            verdict.passed_rows + verdict.quarantined_rows,
        ),
    ):
        if told != found:
            raise unequal(what, told, found, batch)


def unequal(what: str, told: object, found: object, batch: Batch) -> WarehouseError:
    """The error of a batch whose numbers do not add up."""
    return WarehouseError(
        f"Rows were lost or made: {what} differ ({told} and {found}). Nothing was loaded.",
        where=str(batch.path),
        do="extract and validate the table again; if it stays, the stage named has a fault",
    )


def _fits(batch: Batch, contract: Contract) -> None:
    """`passed.parquet` has the columns of the contract as it is now."""
    schema = pq.read_schema(batch.passed)
    found = {field.name: _plain(field.type) for field in schema}
    expected = {field.name: field.type for field in contract.passed_schema}
    if found != expected:
        wrong = sorted(
            name for name in found.keys() | expected if found.get(name) != expected.get(name)
        )
        raise WarehouseError(
            f"passed.parquet does not have the contract's columns: {', '.join(wrong)}.",
            where=f"{batch.passed}; {contract.path}",
            do="the contract changed after validation: extract and validate the table again",
        )


def _plain(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_large_string(kind) else kind


def _rows(path: Path) -> int:
    return int(pq.read_metadata(path).num_rows)
