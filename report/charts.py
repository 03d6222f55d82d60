"""Charts without script: numbers become the places of an SVG, which the template `chart` writes.

In: values, and how a number is written. Out: frozen charts. Touches nothing. Colours are classes
of the page's style, so a chart follows the reader's light or dark setting and its letters stay
text; that is why no drawing library stands between.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from report import wording

WIDTH, WIDE, HEIGHT = 560, 1150, 300
LEFT, RIGHT, TOP, BOTTOM = 96, 34, 10, 54
"""The drawing, half a page or a whole one wide, and its margins; a unit is about a pixel."""

MOST_TICKS = 9

COLOURS = ("accent", "second", "third", "quiet", "d2", "d5")
"""Of series in order; they begin again after the last."""


@dataclass(frozen=True)
class Axis:
    """Title with its unit, both ends, and the ticks with what is written at them."""

    title: str
    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    is_logarithmic: bool = False

    def place(self, value: Any) -> float:
        """From 0 at the low end to 1 at the high one."""
        at, low, high = float(value), self.low, self.high
        if self.is_logarithmic:
            at, low, high = (math.log10(each) for each in (at, low, high))
        return (at - low) / (high - low)


def numbers(title: str, values: Iterable[Any], write: Callable[[Any], str]) -> Axis:
    """From 0, or a round number below all values, to a round number above them."""
    known = [0.0, *(float(value) for value in values if value is not None)]
    step = _round_step((max(known) - min(known)) / 5 or 1)
    first = math.floor(min(known) / step)
    last = max(math.ceil(max(known) / step), first + 1)
    ticks = [(number * step, write(number * step)) for number in range(first, last + 1)]
    return Axis(title, ticks[0][0], ticks[-1][0], ticks)


def powers(title: str, values: Iterable[Any]) -> Axis:
    """Logarithmic, in powers of ten; all values are above 0."""
    known = [math.log10(float(value)) for value in values]
    first = math.floor(min(known))
    last = max(math.ceil(max(known)), first + 1)
    ticks = [(10.0**power, wording.compact(10**power)) for power in range(first, last + 1)]
    return Axis(title, ticks[0][0], ticks[-1][0], ticks, is_logarithmic=True)


def places(title: str, labels: Sequence[str], most: int = MOST_TICKS) -> Axis:
    """One place per label, at 0, 1, 2; at most `most` labels are written."""
    every = math.ceil(len(labels) / most)
    ticks = [(float(at), label) for at, label in enumerate(labels) if at % every == 0]
    return Axis(title, -0.5, len(labels) - 0.5, ticks)


def _round_step(least: float) -> float:
    """The first of 1, 2, 2.5, 5 and 10 times a power of ten that is not less."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(times * power for times in (1, 2, 2.5, 5, 10) if times * power >= least * 0.999)


@dataclass(frozen=True)
class Mark:
    """One series. `style` is its class of colour.

    Points of a `line` are (across, up), of a `band` (across, low, high), of `bars` (across, low,
    high, tip), of `dots` (across, up, radius, tip).
    """

    kind: str
    name: str
    style: str
    points: Sequence[Sequence[Any]]
    is_dashed: bool = False


@dataclass(frozen=True)
class Chart:
    """`text` says in words what the drawing shows, for who cannot see it."""

    title: str
    text: str
    across: Axis
    up: Axis
    marks: Sequence[Mark]
    is_wide: bool = False
    part: str = "chart"

    height = HEIGHT
    left, top, bottom = LEFT, TOP, HEIGHT - BOTTOM

    @property
    def width(self) -> int:
        return WIDE if self.is_wide else WIDTH

    @property
    def right(self) -> int:
        return self.width - RIGHT

    def x(self, value: Any) -> str:
        return f"{self.left + (self.right - self.left) * self.across.place(value):.1f}"

    def y(self, value: Any) -> str:
        return f"{self.bottom - (self.bottom - self.top) * self.up.place(value):.1f}"

    @property
    def bar(self) -> float:
        """Width of a bar: most of a place."""
        return 0.72 * (self.right - self.left) / (self.across.high - self.across.low)


def line(name: str, style: str, points: Iterable[tuple[Any, Any]], *, dashed: bool = False) -> Mark:
    """Points without a value are left out."""
    known = [point for point in points if point[1] is not None]
    return Mark("line", name, style, known, dashed)


def stacks(
    series: Sequence[tuple[str, str, Sequence[Any]]], write: Callable[[Any], str]
) -> list[Mark]:
    """Bars on top of each other from (name, style, values): one value per place."""
    marks, below = [], [0.0] * len(series[0][2]) if series else []
    for name, style, values in series:
        above = [base + float(value or 0) for base, value in zip(below, values, strict=True)]
        bars = [
            (at, base, top, f"{name}: {write(value or 0)}")
            for at, (base, top, value) in enumerate(zip(below, above, values, strict=True))
            if top > base
        ]
        marks.append(Mark("bars", name, style, bars))
        below = above
    return marks


def dots(name: str, style: str, points: Iterable[tuple[Any, Any, int, str]], most: int) -> Mark:
    """Circles whose area is a number of customers; the largest of the chart stands for `most`."""
    drawn = [
        (across, up, f"{max(1.5, 17 * math.sqrt(number / most)):.1f}", tip)
        for across, up, number, tip in points
    ]
    return Mark("dots", name, style, drawn)
