"""The page about what customers are worth: who brings how much, who moves, what is expected.

In: a `Reader` of one publication. Out: the sections of the page, each with the query that feeds it.
Touches nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator

from report.parts import Section
from report.published import Reader
from report.value import base, expected, forecast, funnel, moves, people

_PARTS = (
    *(base.classes, base.pyramid, base.rfm, moves.quadrants, moves.transitions),
    *(people.valuable, people.rising, expected.worth, expected.risk),
    *(funnel.funnel, forecast.forecast, forecast.quality),
)


def sections(reader: Reader) -> Iterator[Section]:
    """In the order of the page."""
    for part in _PARTS:
        yield part(reader)
