"""The setting of one world at one moment: what all generators look at.

In: seed, customers, the day the demo starts, the day it is now. Out: a frozen `Setting`.
Touches nothing. The same seed, customers and start give the same life; the day only decides how
much of it has happened and is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from demo.clock import Clock, Month, day_number, end_of
from demo.pools import read
from demo.population import Population, populate
from demo.records import KINDS, Details, Records, describe, enrol

LONGEST_CHAIN_DAYS = 450
"""Nothing that a month begins still changes after so many days."""


@dataclass(frozen=True)
class Setting:
    """One world as it is at the end of a day."""

    seed: int
    clock: Clock
    today: int
    people: Population
    records: Mapping[str, Records]
    months: tuple[Month, ...]
    rules: Mapping[str, Any]
    _details: dict[str, Details] = field(default_factory=dict)

    @property
    def now(self) -> int:
        """The last second that has passed."""
        return end_of(self.today)

    def details(self, kind: str) -> Details:
        """What the records of a kind say at this moment; made once."""
        if kind not in self._details:
            self._details[kind] = describe(self.seed, self.records[kind], self.people, self.now)
        return self._details[kind]


def lay_out(
    seed: int, customers: int, start: date, today: date, changes_since: date | None = None
) -> Setting:
    """The world of a seed, seen at the end of `today`.

    With `changes_since`, months that are over for good by then are left out.
    """
    clock = Clock(start)
    people = populate(seed, customers, clock)
    oldest = day_number(changes_since) - LONGEST_CHAIN_DAYS if changes_since else 0
    months = tuple(m for m in clock.months(day_number(today)) if m.last >= oldest)
    return Setting(
        seed=seed,
        clock=clock,
        today=day_number(today),
        people=people,
        records={kind: enrol(seed, kind, people, clock) for kind in KINDS},
        months=months,
        rules=read("behaviour"),
    )
