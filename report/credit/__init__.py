"""The page about how far customers may be trusted: what is open, how it moves, what may be lost.

In: a `Reader` of one publication. Out: the sections of the page, each with the query that feeds it.
Touches nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator

from report.credit import debtors, debts, grades, scorecard
from report.parts import Section
from report.published import Reader

_PARTS = (
    *(debts.collection, debts.ageing, debts.rolls, grades.grades, grades.warnings),
    *(debtors.overdue, debtors.losses, scorecard.scorecard, scorecard.stability),
)


def sections(reader: Reader) -> Iterator[Section]:
    """In the order of the page."""
    for part in _PARTS:
        yield part(reader)
