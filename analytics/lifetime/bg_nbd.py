"""How often customers without a contract buy again, and who is still one: the BG/NBD model.

In: per customer the repeat purchases x, the time of the last one t_x and the time observed T, both
since the first purchase and in one unit. Out: the fit, expected purchases, probability alive.
Touches nothing.

While alive a customer buys at a rate of its own (gamma: r, alpha); after each purchase it leaves
with a probability of its own (beta: a, b). Source: Fader, Hardie and Lee (2005), "Counting your
customers the easy way: an alternative to the Pareto/NBD model", Marketing Science 24(2).

Everything is computed once per distinct (x, t_x, T): a million customers have few of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, digamma, gammaln, hyp2f1

from analytics.maximum_likelihood import Fit, Floats, maximise

NAMES = ("r", "alpha", "a", "b")
STARTS = ((1.0, 1.0, 1.0, 1.0), (0.25, 0.1, 0.8, 2.5), (2.0, 0.2, 0.1, 5.0))
"""alpha as a share of the longest time observed."""

ENOUGH = 10_000
"""So many cells tell where the search among all of them begins."""


@dataclass(frozen=True)
class Cells:
    """Distinct (x, t_x, T), how many customers have each, and the cell of each customer."""

    x: NDArray[np.int64]
    t_x: Floats
    T: Floats
    customers: NDArray[np.int64]
    cell: NDArray[np.int64]

    def every(self, step: int) -> Cells:
        """Every `step`-th cell, without the customers' own places."""
        part = slice(None, None, step)
        return Cells(
            self.x[part], self.t_x[part], self.T[part], self.customers[part], self.cell[:0]
        )


def cells(x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Cells:  # noqa: N803 - the paper's names
    """Group customers by what is known of them; raises `ValueError` on impossible histories."""
    counts = np.asarray(x, dtype=np.int64)
    last, observed = np.asarray(t_x, dtype=np.float64), np.asarray(T, dtype=np.float64)
    possible = (counts >= 0) & (last >= 0) & (last <= observed) & ((counts > 0) | (last == 0))
    if not possible.all():
        raise ValueError(
            f"customer {int(np.argmin(possible))} has a history that cannot be:"
            " 0 <= t_x <= T, and t_x = 0 without a repeat purchase"
        )
    order = np.lexsort((observed, last, counts))
    counts, last, observed = counts[order], last[order], observed[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (
        (counts[1:] != counts[:-1]) | (last[1:] != last[:-1]) | (observed[1:] != observed[:-1])
    )
    cell = np.empty(len(order), dtype=np.int64)
    cell[order] = np.cumsum(first) - 1
    begins = np.flatnonzero(first)
    customers = np.diff(np.append(begins, len(order)))
    return Cells(counts[first], last[first], observed[first], customers, cell)


@dataclass(frozen=True)
class BgNbd:
    """A fitted model; alpha in the unit of time of the data."""

    fit: Fit

    @property
    def _values(self) -> tuple[float, float, float, float]:
        r, alpha, a, b = (self.fit.parameters[name] for name in NAMES)
        return r, alpha, a, b

    def probability_alive(self, of: Cells) -> Floats:
        """Per cell; 1 where there was no repeat purchase after which to leave."""
        return 1 / (1 + self._odds_gone(of))

    def _odds_gone(self, of: Cells) -> Floats:
        r, alpha, a, b = self._values
        with np.errstate(over="ignore"):
            odds: Floats = np.exp(
                np.log(a)
                - np.log(np.maximum(b + of.x - 1, 1e-300))
                + (r + of.x) * (np.log(alpha + of.T) - np.log(alpha + of.t_x))
            )
        return np.where(of.x > 0, odds, 0.0)

    def expected_purchases(self, of: Cells, time: float) -> Floats:
        """Per cell: purchases in the next `time` (the paper's equation 10)."""
        return self._expected(of.x, of.T, np.full(1, time)) * self.probability_alive(of)

    def expected_since_start(self, time: Floats) -> Floats:
        """Repeat purchases of anybody in `time` since the first purchase (equation 9)."""
        return self._expected(np.zeros(1, dtype=np.int64), np.zeros(1), time)

    def _expected(self, x: NDArray[np.int64], T: Floats, time: Floats) -> Floats:  # noqa: N803
        """Purchases in `time` of customers who are alive after x purchases in T.

        The hypergeometric function is taken in the form, as printed or after Euler's
        transformation, whose exponents are smaller: neither holds for every customer.
        """
        r, alpha, a, b = self._values
        a = a if abs(a - 1) > 1e-6 else 1 + 1e-6  # a removable hole
        z = time / (alpha + T + time)
        with np.errstate(all="ignore"):
            turned = (1 - z) ** (a - 1) * hyp2f1(a + b - 1 - r, a - 1, a + b + x - 1, z)
            printed = (1 - z) ** (r + x) * hyp2f1(r + x, b + x, a + b + x - 1, z)
            rest = np.where(a - 1 <= r + x, turned, printed)
            found: Floats = (a + b + x - 1) / (a - 1) * (1 - rest)
        lost = ~np.isfinite(found)
        if lost.any():
            x, growth = (
                np.broadcast_to(x, lost.shape),
                np.broadcast_to(time / (alpha + T), lost.shape),
            )
            found[lost] = self._by_quantiles(x[lost], growth[lost])
        return found

    def _by_quantiles(self, x: NDArray[np.int64], growth: Floats) -> Floats:
        """The same as a mean over 400 quantiles of the probability to leave.

        Given that probability p, (1 - (1 + p time / (alpha + T))^-(r + x)) / p are expected.
        """
        r, _, a, b = self._values
        share = (np.arange(400) + 0.5) / 400
        leaves = np.maximum(betaincinv(a, b + x[:, None], share), 1e-300)
        inner = -np.expm1(-(r + x[:, None]) * np.log1p(leaves * growth[:, None])) / leaves
        found: Floats = inner.mean(axis=1)
        return found


def fit(of: Cells) -> BgNbd:
    """The most likely parameters; raises `ValueError` when nobody bought twice."""
    if not len(of.x) or not of.x.any():
        raise ValueError("nobody has a repeat purchase")
    # In shares of the longest time, whatever the unit: the search is then as well-conditioned for
    # days as for years. The density of x purchases has the unit time^-x.
    unit = float(of.T.max())
    scaled = Cells(of.x, of.t_x / unit, of.T / unit, of.customers, of.cell)
    starts: Sequence[Sequence[float]] = STARTS
    if len(scaled.x) > 2 * ENOUGH:
        thin = scaled.every(len(scaled.x) // ENOUGH)
        near = maximise(lambda at: _log_likelihood(at, thin), NAMES, STARTS)
        starts = [[near.parameters[name] for name in NAMES]]
    found = maximise(lambda at: _log_likelihood(at, scaled), NAMES, starts)
    parameters, errors = dict(found.parameters), dict(found.standard_errors)
    parameters["alpha"] *= unit
    errors["alpha"] *= unit
    shift = _sum(of.customers, of.x) * float(np.log(unit))
    return BgNbd(Fit(parameters, errors, found.log_likelihood - shift, found.converged))


def _sum(weights: ArrayLike, values: ArrayLike) -> float:
    """Without BLAS, whose order of adding depends on the number of threads."""
    return float(np.sum(np.asarray(weights) * np.asarray(values)))


def _log_likelihood(at: Floats, of: Cells) -> tuple[float, Floats]:
    """The paper's equation 6 and its gradient, in logarithms of r, alpha, a, b."""
    r, alpha, a, b = np.exp(at)
    # functions of x alone: once per number of purchases
    numbers, place = np.unique(of.x, return_inverse=True)
    by_number = (
        gammaln(r + numbers) - gammaln(r) + r * np.log(alpha)
        + gammaln(a + b) + gammaln(b + numbers) - gammaln(b) - gammaln(a + b + numbers)
    )  # fmt: skip
    repeated = of.x > 0
    observed, last = np.log(alpha + of.T), np.log(alpha + of.t_x)
    rate = r + of.x
    alive = -rate * observed
    after = b + np.maximum(of.x, 1) - 1
    gone = np.where(repeated, np.log(a) - np.log(after) - rate * last, -np.inf)
    either = np.logaddexp(alive, gone)
    weight = of.customers
    value = _sum(weight, by_number[place] + either)

    is_gone = np.exp(gone - either)
    is_alive = 1 - is_gone
    per_number = np.bincount(place, weights=weight)
    total = per_number.sum()
    by_r = (
        _sum(per_number, digamma(r + numbers)) - total * (digamma(r) - np.log(alpha))
        - _sum(weight, is_alive * observed + is_gone * last)
    )  # fmt: skip
    by_alpha = total * r / alpha - _sum(
        weight * rate, is_alive / (alpha + of.T) + is_gone / (alpha + of.t_x)
    )
    both = total * digamma(a + b) - _sum(per_number, digamma(a + b + numbers))
    by_a = both + _sum(weight, is_gone) / a
    by_b = (
        both + _sum(per_number, digamma(b + numbers)) - total * digamma(b)
        - _sum(weight, is_gone / after)
    )  # fmt: skip
    return value, np.array([by_r * r, by_alpha * alpha, by_a * a, by_b * b])
