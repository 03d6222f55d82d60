"""A person's word that a batch is right although its size says otherwise.

In: a landed batch, who, why. Out: `confirmation.json` in the batch's folder, so that it holds for
a warehouse rebuilt from landing, too. Touches: writes that file, once.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from extract import landing
from extract.landing import Batch
from kehu.errors import LandingError

NAME = "confirmation.json"
_DO = "remove the file and confirm the batch again"


@dataclass(frozen=True)
class Confirmation:
    """Who confirmed a batch, when (UTC, ISO 8601), and why."""

    by: str
    at: str
    reason: str


def confirm(batch: Batch, by: str, reason: str) -> Confirmation:
    """Write the confirmation; the first one stays.

    Raises `LandingError` when the batch has no manifest, or the reason is empty.
    """
    landing.read_manifest(batch)
    if (known := confirmation_of(batch)) is not None:
        return known
    if not reason.strip():
        raise LandingError(
            "A confirmation needs a reason.",
            where=str(batch.address),
            do='say why the batch is right: --reason "..."',
        )
    given = Confirmation(by, datetime.now(UTC).isoformat(timespec="seconds"), reason.strip())
    landing.write_paper(batch, NAME, asdict(given))
    return given


def confirmation_of(batch: Batch) -> Confirmation | None:
    """The confirmation of a batch, if there is one."""
    content = landing.find_paper(batch, NAME, _DO)
    if content is None:
        return None
    try:
        return Confirmation(**content)
    except TypeError:
        raise LandingError(
            "The confirmation cannot be read.", where=f"{batch.address}/{NAME}", do=_DO
        ) from None
