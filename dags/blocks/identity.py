"""What a build decided about customer ids goes the way of every batch: gate, load.

In: the batches of `warehouse.identity_memory`. Out: nothing. Touches landing and the working file.
"""

from __future__ import annotations

from collections.abc import Sequence

from extract.landing import Batch
from kehu.settings import Settings


def remember(batches: Sequence[Batch], settings: Settings, run_id: str) -> None:
    """Judge and load the batches, so that the next build carries the ids on."""
    if not batches:
        return
    from expectations.gate import require_passed, validate_all
    from warehouse import raw

    require_passed(validate_all(batches, settings))
    raw.load_all(batches, settings, run_id)
