"""People's decisions that have landed and are not loaded yet: judged and loaded before a build.

In: settings, a run's id. Out: loaded batches of the system `steward`. Touches what the gate and the
load touch; nothing when no decision waits.
"""

from __future__ import annotations

import logging

from kehu.settings import Settings

SYSTEM = "steward"
log = logging.getLogger(__name__)


def load_decisions(settings: Settings, run_id: str) -> int:
    """Load every decision that landed since the last build, in their order; gives how many.

    Each counts once: the ledger knows the batches that were loaded.
    """
    from extract import landing
    from warehouse import raw

    landed = landing.batches(settings.landing, SYSTEM)
    waiting = raw.not_loaded(landed, settings)
    if not waiting:
        return 0
    from expectations.gate import require_passed, validate_all

    require_passed(validate_all(waiting, settings))
    for result in raw.load_all(waiting, settings, run_id):
        log.info("%s: loaded %s, quarantined %s", result.batch, result.loaded, result.quarantined)
    return len(waiting)
