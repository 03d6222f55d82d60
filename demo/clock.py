"""The demo's clock: days and seconds as whole numbers, and the window of history.

In: the day on which the demo starts. Out: months, and bounds as days since 1970 and local seconds
since 1970. Touches nothing. All times are the sources' local time; no zone is applied here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from demo.chance import Ints

DAY = 86_400
NEVER = 2**61
"""A time or day that does not come; written as NULL."""

HISTORY_MONTHS = 24
FUTURE_DAYS = 365
"""So far the population is laid out, and so far the clock can be moved."""


def day_number(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def as_date(number: int) -> date:
    return date(1970, 1, 1) + timedelta(days=number)


def end_of(day: int) -> int:
    """The last second of a day."""
    return day * DAY + DAY - 1


def at(days: Ints, seconds: Ints | int) -> Ints:
    """Moment of a day; NEVER stays NEVER."""
    return np.where(days >= NEVER, NEVER, np.minimum(days, NEVER // DAY) * DAY + seconds)


@dataclass(frozen=True)
class Month:
    """One calendar month: `index` 0 is the first month of history."""

    index: int
    year: int
    month: int

    @property
    def first(self) -> int:
        return day_number(date(self.year, self.month, 1))

    @property
    def last(self) -> int:
        following = date(self.year + self.month // 12, self.month % 12 + 1, 1)
        return day_number(following) - 1

    @property
    def code(self) -> int:
        """yymm, the part of document numbers that tells the month."""
        return self.year % 100 * 100 + self.month

    @property
    def period(self) -> str:
        return f"{self.year}-{self.month:02d}"


@dataclass(frozen=True)
class Clock:
    """The window of one world: its history ends with the day it was created on."""

    start: date

    @property
    def created(self) -> int:
        return day_number(self.start)

    @property
    def horizon(self) -> int:
        return self.created + FUTURE_DAYS

    def month(self, index: int) -> Month:
        months = self.start.year * 12 + self.start.month - 1 - HISTORY_MONTHS + index
        return Month(index=index, year=months // 12, month=months % 12 + 1)

    @property
    def history(self) -> int:
        """First day of history."""
        return self.month(0).first

    def months(self, today: int) -> list[Month]:
        """Months of history that have begun by `today`."""
        months, index = [], 0
        while (month := self.month(index)).first <= today:
            months.append(month)
            index += 1
        return months
