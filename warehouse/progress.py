"""Lines that say how far long work has come.

In: what is worked through, and where to say it. Out: the same things, one by one, and a line now
and then. Touches nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Say = Callable[[str], None]
T = TypeVar("T")
_SECONDS = 5.0


def counted(things: Sequence[T], what: str, say: Say) -> Iterator[T]:
    """The things, with a line every few seconds and one at the end: `12 of 43 <what>`."""
    said = time.monotonic()
    for number, thing in enumerate(things, start=1):
        yield thing
        if number == len(things) or time.monotonic() - said >= _SECONDS:
            say(f"  {number:,} of {len(things):,} {what}")
            said = time.monotonic()
