"""What waits in quarantine, by table, batch and rule.

In: landing. Out: counts; rows only when asked for, inside the restricted zone. Touches nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from extract import landing
from extract.landing import Batch
from kehu.errors import ValidationError
from kehu.settings import Settings


@dataclass(frozen=True)
class Held:
    """Rows of one batch that were held back. `reasons` counts rows per rule, `why` says what is
    wrong with them; a row may break several. `replayed`: they have been landed again since, as a
    batch of their own."""

    table: str
    batch: Batch
    rows: int
    reasons: Mapping[str, int]
    why: Mapping[str, str]
    replayed: bool


def waiting(settings: Settings, name: str | None = None) -> Iterator[Held]:
    """Batches with quarantined rows, of `<system>.<table>` or of all tables, oldest first.

    Raises `ValidationError` when nothing of that table has landed.
    """
    system, _, table = (name or "").partition(".")
    batches = landing.batches(settings.landing, system or None, table or None)
    if name and not batches:
        raise ValidationError(
            "Nothing of that table has landed.",
            where=name,
            do="give <system>.<table>, such as billing.bills, or nothing for all",
        )
    manifests = {str(batch.address): landing.read_manifest(batch) for batch in batches}
    replayed = {manifest.replay_of for manifest in manifests.values()}
    for batch in batches:
        verdict = landing.find_verdict(batch)
        if verdict is not None and verdict.quarantined_rows:
            yield Held(
                table=f"{batch.system}.{batch.table}",
                batch=batch,
                rows=verdict.quarantined_rows,
                reasons=verdict.reasons,
                why=verdict.why,
                replayed=str(batch.address) in replayed,
            )


def rows(held: Held) -> Iterator[dict[str, Any]]:
    """The rows themselves, with their reasons: never outside the restricted zone."""
    verdict = landing.read_verdict(held.batch)
    name = held.batch.quarantine.name
    landing.verify(held.batch, {name: verdict.files[name]})
    with pq.ParquetFile(held.batch.quarantine, page_checksum_verification=True) as file:
        for part in file.iter_batches():
            yield from part.to_pylist()
