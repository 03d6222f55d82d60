"""Chance that is the same everywhere: named streams of random numbers.

In: a seed and the name of what is drawn. Out: a numpy generator (PCG64) that depends on nothing
else, so that tables can be generated in any order, or again, with the same result.
Touches nothing.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """The stream of random numbers called `names`."""
    words = [zlib.crc32(str(name).encode()) for name in names]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))


def weighted(rng: np.random.Generator, weights: Sequence[float] | Floats, size: int) -> Ints:
    """`size` draws of 0..n-1 with the given weights (which need not sum to one)."""
    bounds = np.cumsum(np.asarray(weights, dtype=np.float64))
    drawn = np.searchsorted(bounds / bounds[-1], rng.random(size), side="right")
    return np.minimum(drawn, len(bounds) - 1).astype(np.int64)


def between(rng: np.random.Generator, low: int | Ints, high: int | Ints, size: int) -> Ints:
    """`size` whole numbers from `low` to `high`, both included; `low` where high is below it."""
    span = np.maximum(np.asarray(high) - np.asarray(low), 0) + 1
    drawn: Ints = (np.asarray(low) + np.floor(rng.random(size) * span)).astype(np.int64)
    return drawn
